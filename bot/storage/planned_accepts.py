"""Accepts that people planned for later, keyed by the press that each becomes when it is due.

A plan stands until it ends: it is due, cancelled, overtaken, or its time went by. Each end is a compare-and-set, and
the one that is due inserts its press in the same transaction; so nothing ever works on a plan over time, and it needs
no lease beside that of its press. Of one offer at most one plan stands, by the database's own rule.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.escape import POLICY
from bot.storage.leases import ensure_row
from bot.storage.tables import planned_accepts

AT_MOST_LATE = timedelta(hours=1)
"""After a pause, or when no bot ran: VMs must not move outside the window that somebody chose."""


class PlannedAccept(msgspec.Struct, frozen=True, kw_only=True):
    press_id: str
    """Of the press that it becomes; derived from what Slack repeats in a redelivery of the submission."""
    recommendation: int
    offer_id: str
    team_id: str
    user_id: str
    user_name: str
    """As Slack gave it then."""
    due_at: datetime
    planned_at: datetime
    held_at: datetime | None = None
    """Since when a pause holds it back, as its thread was told; None where none did when it was due."""
    ticket: str | None = None
    note: str | None = None
    until: datetime | None = None
    """When its window closes, where a policy made it."""

    @property
    def latest(self) -> datetime:
        """After that it is not carried out any more."""
        return self.until or self.due_at + AT_MOST_LATE


async def add(connection: AsyncConnection, plan: PlannedAccept) -> bool:
    """Keep a plan; False where it was delivered before, or another one of this offer stands."""
    row = planned_accepts.c.press_id == plan.press_id
    return await ensure_row(connection, planned_accepts, row, **msgspec.structs.asdict(plan))


async def get(connection: AsyncConnection, press_id: str) -> PlannedAccept | None:
    """Also where it has ended."""
    statement = select(planned_accepts).where(planned_accepts.c.press_id == press_id)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _plan(row)


_STANDING = select(planned_accepts).where(
    planned_accepts.c.offer_id == bindparam("offer_id"), planned_accepts.c.ended_at.is_(None)
)


async def standing(connection: AsyncConnection, offer_id: str) -> PlannedAccept | None:
    row = (await connection.execute(_STANDING, {"offer_id": offer_id})).one_or_none()
    return None if row is None else _plan(row)


_ON_SEVERAL = select(planned_accepts).where(
    planned_accepts.c.recommendation.in_(bindparam("recommendations", expanding=True)),
    planned_accepts.c.ended_at.is_(None),
)


async def on_several(connection: AsyncConnection, recommendations: Collection[int]) -> dict[str, PlannedAccept]:
    """Those that stand, by offer."""
    found = await connection.execute(_ON_SEVERAL, {"recommendations": list(recommendations)})
    return {row.offer_id: _plan(row) for row in found}


async def was_made(connection: AsyncConnection, offer_id: str) -> bool:
    """Whether anybody ever planned this very offer."""
    planned = select(planned_accepts.c.press_id).where(planned_accepts.c.offer_id == offer_id)
    return (await connection.execute(planned)).first() is not None


async def any_automatic(connection: AsyncConnection) -> bool:
    """Whether a plan of any policy stands."""
    by_policy = planned_accepts.c.user_id.startswith(POLICY, autoescape=True)
    standing = select(planned_accepts.c.press_id).where(planned_accepts.c.ended_at.is_(None), by_policy)
    return (await connection.execute(standing.limit(1))).first() is not None


async def all_standing(connection: AsyncConnection, recommendation: int) -> list[PlannedAccept]:
    """Those of all its offers."""
    which = (planned_accepts.c.recommendation == recommendation, planned_accepts.c.ended_at.is_(None))
    return [_plan(row) for row in await connection.execute(select(planned_accepts).where(*which))]


async def due(connection: AsyncConnection, now: datetime) -> list[PlannedAccept]:
    """Those that stand although their time has come, the longest due first."""
    which = (planned_accepts.c.ended_at.is_(None), planned_accepts.c.due_at <= now)
    statement = select(planned_accepts).where(*which).order_by(planned_accepts.c.due_at)
    return [_plan(row) for row in await connection.execute(statement)]


async def end(connection: AsyncConnection, plan: PlannedAccept, now: datetime) -> bool:
    """False where it had ended before."""
    stands = (planned_accepts.c.press_id == plan.press_id, planned_accepts.c.ended_at.is_(None))
    return (await connection.execute(update(planned_accepts).where(*stands).values(ended_at=now))).rowcount == 1


async def hold(connection: AsyncConnection, plan: PlannedAccept, now: datetime) -> bool:
    """Keep that a pause holds it back; False where that was kept before, or it has ended."""
    is_new = (
        planned_accepts.c.press_id == plan.press_id,
        planned_accepts.c.ended_at.is_(None),
        planned_accepts.c.held_at.is_(None),
    )
    return (await connection.execute(update(planned_accepts).where(*is_new).values(held_at=now))).rowcount == 1


def _plan(row: Row[tuple[object, ...]]) -> PlannedAccept:
    return PlannedAccept(
        press_id=row.press_id,
        recommendation=row.recommendation,
        offer_id=row.offer_id,
        team_id=row.team_id,
        user_id=row.user_id,
        user_name=row.user_name,
        due_at=row.due_at,
        planned_at=row.planned_at,
        held_at=row.held_at,
        ticket=row.ticket,
        note=row.note,
        until=row.until,
    )
