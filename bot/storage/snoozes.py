"""Reminders that somebody put off, one for each recommendation at most."""

from datetime import datetime

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import cards, snoozes


class Snooze(msgspec.Struct, frozen=True, kw_only=True):
    recommendation: int
    user_id: str
    until: datetime


async def get(connection: AsyncConnection, recommendation: int) -> Snooze | None:
    row = (await connection.execute(select(snoozes).where(snoozes.c.recommendation == recommendation))).one_or_none()
    return None if row is None else _snooze(row)


async def by_recommendation(connection: AsyncConnection) -> dict[int, Snooze]:
    """Those of recommendations that a card still shows as unfinished."""
    open_cards = select(cards.c.recommendation).where(cards.c.final.is_(False))
    found = await connection.execute(select(snoozes).where(snoozes.c.recommendation.in_(open_cards)))
    return {row.recommendation: _snooze(row) for row in found}


async def add(connection: AsyncConnection, snooze: Snooze) -> bool:
    """False where somebody put it off before."""
    row = snoozes.c.recommendation == snooze.recommendation
    return await ensure_row(connection, snoozes, row, **msgspec.structs.asdict(snooze))


def _snooze(row: Row[tuple[object, ...]]) -> Snooze:
    return Snooze(recommendation=row.recommendation, user_id=row.user_id, until=row.until)
