"""Pauses: no accepting in a pool, or in all pools, until an approver resumes it or its time is over."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import pauses

EVERY_POOL = ""
"""Of every TGC, also of one that is added while it lasts: which TGC its row names says nothing."""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    pool_uuid: str
    """Or EVERY_POOL."""
    pool_name: str | None
    """As it was when it was paused, so that it can be named while the TGC is away."""
    user_id: str
    until: datetime | None
    """None: until somebody resumes."""


async def set_pause(connection: AsyncConnection, tgc_key: str, pause: Pause, now: datetime) -> None:
    row = _is(tgc_key, pause.pool_uuid)
    if pause.pool_uuid == EVERY_POOL:
        await connection.execute(delete(pauses).where(row, pauses.c.tgc_key != tgc_key))
    values = {**msgspec.structs.asdict(pause), "paused_at": now}
    if not await ensure_row(connection, pauses, row, tgc_key=tgc_key, **values):
        await connection.execute(update(pauses).where(row).values(**values))


async def lift(connection: AsyncConnection, tgc_key: str, pool_uuid: str, now: datetime) -> bool:
    """End this pause and no other: that of every pool leaves alone what is paused by itself. False where none was."""
    return (await connection.execute(delete(pauses).where(_is(tgc_key, pool_uuid), _lasts(now)))).rowcount > 0


_IN_FORCE = (
    select(pauses)
    .where(
        or_(
            and_(pauses.c.tgc_key == bindparam("tgc_key"), pauses.c.pool_uuid == bindparam("pool_uuid")),
            pauses.c.pool_uuid == EVERY_POOL,
        ),
        or_(pauses.c.until.is_(None), pauses.c.until > bindparam("now")),
    )
    .order_by(pauses.c.pool_uuid.desc())
    .limit(1)
)


async def in_force(connection: AsyncConnection, tgc_key: str, pool_uuid: str, now: datetime) -> Pause | None:
    """The pause that holds the pool back now: its own, else that of every pool."""
    of_pool = {"tgc_key": tgc_key, "pool_uuid": pool_uuid, "now": now}
    row = (await connection.execute(_IN_FORCE, of_pool)).one_or_none()
    return None if row is None else _pause(row)


_ALL_IN_FORCE = select(pauses).where(or_(pauses.c.until.is_(None), pauses.c.until > bindparam("now")))


async def all_in_force(connection: AsyncConnection, now: datetime) -> dict[tuple[str, str], Pause]:
    """By TGC and pool; that of every pool by "" and EVERY_POOL."""
    found = await connection.execute(_ALL_IN_FORCE, {"now": now})
    return {("" if row.pool_uuid == EVERY_POOL else row.tgc_key, row.pool_uuid): _pause(row) for row in found}


async def of_single_pools(connection: AsyncConnection, now: datetime) -> list[Pause]:
    """Those that the end of the pause of every pool leaves in force, by name."""
    which = (pauses.c.pool_uuid != EVERY_POOL, _lasts(now))
    statement = select(pauses).where(*which).order_by(pauses.c.pool_name)
    return [_pause(row) for row in await connection.execute(statement)]


def _pause(row: Row[Any]) -> Pause:
    return Pause(pool_uuid=row.pool_uuid, pool_name=row.pool_name, user_id=row.user_id, until=row.until)


def _is(tgc_key: str, pool_uuid: str) -> ColumnElement[bool]:
    if pool_uuid == EVERY_POOL:
        return pauses.c.pool_uuid == EVERY_POOL
    return and_(pauses.c.tgc_key == tgc_key, pauses.c.pool_uuid == pool_uuid)


def _lasts(now: datetime) -> ColumnElement[bool]:
    return or_(pauses.c.until.is_(None), pauses.c.until > now)
