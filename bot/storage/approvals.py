"""First approvals: where two people must accept, what the first of them accepted. Keyed by the offer they saw.

An approval ends when it is overtaken: the plan changed, somebody dismissed, it lapsed, or its person may not act any
more. Each end is a compare-and-set, and an accept looks at the approval in the very transaction that commits to
sending; so nothing ever works on an approval over time, and it needs no lease beside the claim's.
"""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.presses import Press
from bot.storage.tables import approvals


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    row_id: int
    recommendation: int
    offer_id: str
    team_id: str
    user_id: str
    user_name: str
    """As Slack gave it then."""
    approved_at: datetime
    ended_at: datetime | None

    def stands(self, *, since: datetime) -> bool:
        """One from before `since` has lapsed."""
        return self.ended_at is None and self.approved_at > since

    def stood(self, at: datetime, *, since: datetime) -> bool:
        """Whether it stood at that moment, whatever became of it since."""
        return since < self.approved_at <= at and (self.ended_at is None or self.ended_at > at)


_ON_SEVERAL = (
    select(approvals)
    .where(approvals.c.recommendation.in_(bindparam("recommendations", expanding=True)))
    .order_by(approvals.c.id.desc())
)


async def on_several(connection: AsyncConnection, recommendations: Collection[int]) -> dict[str, list[Approval]]:
    """Newest first, by offer; also those that have ended."""
    found: dict[str, list[Approval]] = {}
    for row in await connection.execute(_ON_SEVERAL, {"recommendations": list(recommendations)}):
        found.setdefault(row.offer_id, []).append(_approval(row))
    return found


async def add(connection: AsyncConnection, recommendation: int, press: Press, now: datetime) -> None:
    await connection.execute(
        insert(approvals).values(
            recommendation=recommendation,
            offer_id=press.offer_id,
            team_id=press.team_id,
            user_id=press.user_id,
            user_name=press.user_name,
            approved_at=now,
        )
    )


async def newest(connection: AsyncConnection, offer_id: str, *, since: datetime) -> Approval | None:
    """The approval of this offer that stands; one from before `since` has lapsed."""
    statement = (
        select(approvals)
        .where(approvals.c.offer_id == offer_id, approvals.c.approved_at > since, approvals.c.ended_at.is_(None))
        .order_by(approvals.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _approval(row)


async def any_standing(connection: AsyncConnection, offer_id: str) -> bool:
    """Whether one stands, lapsed or not."""
    which = (approvals.c.offer_id == offer_id, approvals.c.ended_at.is_(None))
    return (await connection.execute(select(approvals.c.id).where(*which))).first() is not None


async def stands(connection: AsyncConnection, approval: Approval, *, since: datetime) -> bool:
    """Whether it still stands, and will to the end of this transaction."""
    held = (
        select(approvals.c.id)
        .where(approvals.c.id == approval.row_id, approvals.c.ended_at.is_(None), approvals.c.approved_at > since)
        .with_for_update()
    )
    return (await connection.execute(held)).first() is not None


async def lapsed(connection: AsyncConnection, before: datetime) -> list[Approval]:
    """Those that stand since before then, oldest first."""
    which = and_(approvals.c.ended_at.is_(None), approvals.c.approved_at <= before)
    rows = await connection.execute(select(approvals).where(which).order_by(approvals.c.id))
    return [_approval(row) for row in rows]


async def end(connection: AsyncConnection, approval: Approval, now: datetime) -> bool:
    """False where it had ended before."""
    return await _end(connection, approvals.c.id == approval.row_id, now) == 1


async def end_all(
    connection: AsyncConnection, recommendation: int, now: datetime, *, but_of: str | None = None
) -> None:
    """End those of a recommendation; `but_of`: except those of that offer."""
    which = approvals.c.recommendation == recommendation
    await _end(connection, which if but_of is None else and_(which, approvals.c.offer_id != but_of), now)


async def _end(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> int:
    statement = update(approvals).where(which, approvals.c.ended_at.is_(None)).values(ended_at=now)
    return (await connection.execute(statement)).rowcount


def _approval(row: Row[tuple[object, ...]]) -> Approval:
    return Approval(
        row_id=row.id,
        recommendation=row.recommendation,
        offer_id=row.offer_id,
        team_id=row.team_id,
        user_id=row.user_id,
        user_name=row.user_name,
        approved_at=row.approved_at,
        ended_at=row.ended_at,
    )
