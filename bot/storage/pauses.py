"""Pauses: no accepting in a pool, or in all pools of a TGC, until an approver resumes it or its time is over."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import pauses

EVERY_POOL = ""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    user_id: str
    until: datetime | None
    """None: until somebody resumes."""


async def set_pause(
    connection: AsyncConnection, tgc_key: str, pool_uuid: str, *, user_id: str, now: datetime, until: datetime | None
) -> None:
    row = _is(tgc_key, pool_uuid)
    values = {"user_id": user_id, "paused_at": now, "until": until}
    if not await ensure_row(connection, pauses, row, tgc_key=tgc_key, pool_uuid=pool_uuid, **values):
        await connection.execute(update(pauses).where(row).values(**values))


async def lift(connection: AsyncConnection, tgc_key: str, pool_uuid: str, now: datetime) -> int:
    """End the pause of a pool; with EVERY_POOL every pause of the TGC. Returns how many were in force."""
    row = pauses.c.tgc_key == tgc_key if pool_uuid == EVERY_POOL else _is(tgc_key, pool_uuid)
    return (await connection.execute(delete(pauses).where(row, _lasts(now)))).rowcount


async def in_force(connection: AsyncConnection, tgc_key: str, pool_uuid: str, now: datetime) -> Pause | None:
    """The pause that holds the pool back now: its own, else that of every pool."""
    statement = (
        select(pauses.c.user_id, pauses.c.until)
        .where(
            pauses.c.tgc_key == tgc_key,
            pauses.c.pool_uuid.in_({pool_uuid, EVERY_POOL}),
            _lasts(now),
        )
        .order_by(pauses.c.pool_uuid.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Pause(user_id=row.user_id, until=row.until)


async def paused_by(connection: AsyncConnection, tgc_key: str, now: datetime) -> set[str]:
    """Who paused what is paused now."""
    return set(await connection.scalars(select(pauses.c.user_id).where(pauses.c.tgc_key == tgc_key, _lasts(now))))


def _is(tgc_key: str, pool_uuid: str) -> ColumnElement[bool]:
    return and_(pauses.c.tgc_key == tgc_key, pauses.c.pool_uuid == pool_uuid)


def _lasts(now: datetime) -> ColumnElement[bool]:
    return or_(pauses.c.until.is_(None), pauses.c.until > now)
