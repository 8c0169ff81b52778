"""Recommendations that somebody had the TGC replace, until it has built what comes in their place."""

from datetime import datetime

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import replacements


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    recommendation: int
    """The one that is replaced."""
    user_id: str
    asked_at: datetime


async def add(connection: AsyncConnection, replacement: Replacement) -> None:
    row = replacements.c.recommendation == replacement.recommendation
    await ensure_row(connection, replacements, row, **msgspec.structs.asdict(replacement))


async def awaited(connection: AsyncConnection) -> list[Replacement]:
    statement = select(replacements).where(replacements.c.ended_at.is_(None)).order_by(replacements.c.asked_at)
    return [
        Replacement(recommendation=row.recommendation, user_id=row.user_id, asked_at=row.asked_at)
        for row in await connection.execute(statement)
    ]


async def end(connection: AsyncConnection, replacement: Replacement, now: datetime) -> bool:
    """False where it had ended before."""
    stands = (replacements.c.recommendation == replacement.recommendation, replacements.c.ended_at.is_(None))
    return (await connection.execute(update(replacements).where(*stands).values(ended_at=now))).rowcount == 1
