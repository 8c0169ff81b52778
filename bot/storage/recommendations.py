"""What we last read of each recommendation that was ever shown."""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pool_names import PoolName, TgcPool
from bot.recommendations import Key
from bot.stalls import MoveSeen
from bot.storage.leases import ensure_row
from bot.storage.tables import cards, claims, recommendations
from tgc.models import Pool, Recommendation

_AT_ONCE = 64
"""How many are read in one go: making them of their bytes holds up the event loop."""


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
_KEY = tuple_(recommendations.c.tgc_key, recommendations.c.pool_uuid, recommendations.c.recommendation_id)
_BY_KEYS = select(recommendations).where(_KEY.in_(bindparam("keys", expanding=True)))
_BY_ROW_ID = select(recommendations).where(recommendations.c.id == bindparam("row_id"))


async def get(connection: AsyncConnection, key: Key) -> Stored | None:
    row = (await connection.execute(_BY_KEY, msgspec.structs.asdict(key))).one_or_none()
    return None if row is None else _stored(row)


async def get_several(connection: AsyncConnection, keys: Collection[Key]) -> dict[Key, Stored]:
    """Those that there are."""
    found = await connection.execute(_BY_KEYS, {"keys": [msgspec.structs.astuple(key) for key in keys]})
    return {stored.key: stored for stored in map(_stored, found)}


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


_OPEN_CARDS = select(cards.c.recommendation).where(cards.c.final.is_(False))
_IS_UNFINISHED = and_(recommendations.c.tgc_key == bindparam("tgc_key"), recommendations.c.id.in_(_OPEN_CARDS))
_UNFINISHED = (
    select(recommendations)
    .where(_IS_UNFINISHED, recommendations.c.id > bindparam("after"))
    .order_by(recommendations.c.id)
    .limit(_AT_ONCE)
)
_UNFINISHED_ROWS = select(recommendations.c.id, recommendations.c.pool_uuid).where(_IS_UNFINISHED)


async def with_open_cards(connection: AsyncConnection, tgc_key: str) -> list[Stored]:
    """Those that a card still shows as unfinished."""
    found: list[Stored] = []
    while True:
        after = found[-1].row_id if found else 0
        rows = (await connection.execute(_UNFINISHED, {"tgc_key": tgc_key, "after": after})).all()
        found += map(_stored, rows)
        if len(rows) < _AT_ONCE:
            return found


async def rows_with_open_cards(connection: AsyncConnection, tgc_key: str) -> dict[int, str]:
    """The same as rows, each with its pool, without reading what they are."""
    return {row.id: row.pool_uuid for row in await connection.execute(_UNFINISHED_ROWS, {"tgc_key": tgc_key})}


Current = tuple[str, str | None]
"""A pool, and the TGC's id of the recommendation that it has now."""

# From the pool to its few cards, and not from all open cards to the pool's.
_HAS_OPEN_CARD = exists().where(cards.c.recommendation == recommendations.c.id, cards.c.final.is_(False))
_UNFINISHED_OF_POOLS = (
    select(recommendations.c.id, recommendations.c.pool_uuid, recommendations.c.recommendation_id)
    .where(
        recommendations.c.tgc_key == bindparam("tgc_key"),
        recommendations.c.pool_uuid.in_(bindparam("pool_uuids", expanding=True)),
        _HAS_OPEN_CARD,
    )
    .order_by(recommendations.c.id)
)


async def with_open_cards_but(
    connection: AsyncConnection, tgc_key: str, current: Collection[Current]
) -> dict[Current, list[Stored]]:
    """The same of some pools, each without the one that it has now. Most have no other: only others are read whole."""
    pool_uuids = list({pool_uuid for pool_uuid, _ in current})
    of_pool: dict[str, dict[str, int]] = {}
    for row in await connection.execute(_UNFINISHED_OF_POOLS, {"tgc_key": tgc_key, "pool_uuids": pool_uuids}):
        of_pool.setdefault(row.pool_uuid, {})[row.recommendation_id] = row.id
    others = {
        (pool_uuid, current_id): [row_id for id_, row_id in of_pool.get(pool_uuid, {}).items() if id_ != current_id]
        for pool_uuid, current_id in current
    }
    row_ids = sorted({row_id for those in others.values() for row_id in those})
    found = await _by_row_ids(connection, row_ids) if row_ids else {}
    return {one: [found[row_id] for row_id in those] for one, those in others.items()}


_BY_ROW_IDS = select(recommendations).where(recommendations.c.id.in_(bindparam("row_ids", expanding=True)))


async def _by_row_ids(connection: AsyncConnection, row_ids: Collection[int]) -> dict[int, Stored]:
    found = await connection.execute(_BY_ROW_IDS, {"row_ids": list(row_ids)})
    return {stored.row_id: stored for stored in map(_stored, found)}


_ONE = recommendations.alias()
_UNFINISHED_BESIDE = (
    select(_ONE.c.id.label("beside"), recommendations)
    .join_from(
        _ONE,
        recommendations,
        and_(
            recommendations.c.tgc_key == _ONE.c.tgc_key,
            recommendations.c.pool_uuid == _ONE.c.pool_uuid,
            recommendations.c.id != _ONE.c.id,
        ),
    )
    .where(_ONE.c.id.in_(bindparam("row_ids", expanding=True)), _HAS_OPEN_CARD)
    .order_by(recommendations.c.id)
)


async def with_open_cards_beside(connection: AsyncConnection, row_ids: Collection[int]) -> dict[int, list[Stored]]:
    """The same of the pools of these, each without itself; of those that have such others."""
    others: dict[int, list[Stored]] = {}
    for row in await connection.execute(_UNFINISHED_BESIDE, {"row_ids": list(row_ids)}):
        others.setdefault(row.beside, []).append(_stored(row))
    return others


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
