"""What we last read of each recommendation that was ever shown."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pool_names import PoolName, TgcPool
from bot.recommendations import Key
from bot.stalls import MoveSeen
from bot.storage.leases import ensure_row
from bot.storage.tables import cards, claims, recommendations
from tgc.models import Pool, Recommendation


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One recommendation as last read."""

    row_id: int
    key: Key
    pool_name: str
    recommendation: Recommendation
    vm_names: Mapping[str, str]
    read_at: datetime
    gone: bool
    """The TGC does not know it any more."""
    moves_seen: Mapping[str, MoveSeen]
    """By VM; those that were under way at some reading."""

    @property
    def pool(self) -> Pool:
        """As it was called when it was read last."""
        return Pool(uuid=self.key.pool_uuid, name=self.pool_name)

    @property
    def tgc_pool(self) -> TgcPool:
        return TgcPool(self.key.tgc_key, self.pool)

    @property
    def named(self) -> PoolName:
        return PoolName(self.key.tgc_key, self.pool_name)


_BY_KEY = select(recommendations).where(
    recommendations.c.tgc_key == bindparam("tgc_key"),
    recommendations.c.pool_uuid == bindparam("pool_uuid"),
    recommendations.c.recommendation_id == bindparam("recommendation_id"),
)
_BY_ROW_ID = select(recommendations).where(recommendations.c.id == bindparam("row_id"))


async def get(connection: AsyncConnection, key: Key) -> Stored | None:
    row = (await connection.execute(_BY_KEY, msgspec.structs.asdict(key))).one_or_none()
    return None if row is None else _stored(row)


async def by_row_id(connection: AsyncConnection, row_id: int) -> Stored:
    return _stored((await connection.execute(_BY_ROW_ID, {"row_id": row_id})).one())


async def store(
    connection: AsyncConnection,
    key: Key,
    recommendation: Recommendation,
    *,
    pool_name: str,
    vm_names: Mapping[str, str],
    read_at: datetime,
    now: datetime,
    moves_seen: Mapping[str, MoveSeen] | None = None,
) -> None:
    """Keep a reading, unless a later one is there already; one from after `now` was there before the clock was set."""
    values = {
        "pool_name": pool_name,
        "snapshot": msgspec.json.encode(recommendation),
        "vm_names": msgspec.json.encode(dict(vm_names)),
        "read_at": read_at,
        "gone": False,
        "moves_seen": msgspec.json.encode(moves_seen) if moves_seen else None,
    }
    if await ensure_row(connection, recommendations, _is(key), **msgspec.structs.asdict(key), **values):
        row_id = select(recommendations.c.id).where(_is(key)).scalar_subquery()
        await connection.execute(claims.insert().values(recommendation=row_id))
        return
    is_older = or_(recommendations.c.read_at < read_at, recommendations.c.read_at > now)
    await connection.execute(update(recommendations).where(_is(key), is_older).values(**values))


async def mark_gone(connection: AsyncConnection, key: Key, now: datetime) -> None:
    """Keep that the TGC does not know it; a later reading may find it all the same."""
    await connection.execute(update(recommendations).where(_is(key)).values(gone=True, read_at=now))


async def with_open_cards(
    connection: AsyncConnection, tgc_key: str, pool_uuid: str | None = None, *, but: int | None = None
) -> list[Stored]:
    """Those that a card still shows as unfinished, of one pool or of all, without the row `but`."""
    statement = _with_open_cards(of_pool=pool_uuid is not None, but_one=but is not None)
    found = await connection.execute(statement, {"tgc_key": tgc_key, "pool_uuid": pool_uuid, "but": but})
    return [_stored(row) for row in found]


@cache
def _with_open_cards(*, of_pool: bool, but_one: bool) -> Select[Any]:
    open_cards = select(cards.c.recommendation).where(cards.c.final.is_(False))
    which = [recommendations.c.tgc_key == bindparam("tgc_key"), recommendations.c.id.in_(open_cards)]
    if of_pool:
        which.append(recommendations.c.pool_uuid == bindparam("pool_uuid"))
    if but_one:
        which.append(recommendations.c.id != bindparam("but"))
    return select(recommendations).where(*which).order_by(recommendations.c.id)


async def newest(connection: AsyncConnection, tgc_key: str) -> list[Stored]:
    """The newest of each pool."""
    newest_ids = (
        select(func.max(recommendations.c.id))
        .where(recommendations.c.tgc_key == tgc_key)
        .group_by(recommendations.c.pool_uuid)
    )
    statement = select(recommendations).where(recommendations.c.id.in_(newest_ids)).order_by(recommendations.c.id)
    return [_stored(row) for row in await connection.execute(statement)]


def _is(key: Key) -> ColumnElement[bool]:
    return and_(
        recommendations.c.tgc_key == key.tgc_key,
        recommendations.c.pool_uuid == key.pool_uuid,
        recommendations.c.recommendation_id == key.recommendation_id,
    )


def _stored(row: Row[tuple[object, ...]]) -> Stored:
    return Stored(
        row_id=row.id,
        key=Key(row.tgc_key, row.pool_uuid, row.recommendation_id),
        pool_name=row.pool_name,
        recommendation=msgspec.json.decode(row.snapshot, type=Recommendation),
        vm_names=msgspec.json.decode(row.vm_names, type=dict[str, str]),
        read_at=row.read_at,
        gone=row.gone,
        moves_seen=msgspec.json.decode(row.moves_seen, type=dict[str, MoveSeen]) if row.moves_seen else {},
    )
