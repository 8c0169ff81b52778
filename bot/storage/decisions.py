"""The journal of who decided what, refusals too. Rows are only ever added."""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.views import Action
from bot.storage.tables import decisions


class Outcome(StrEnum):
    """What came of it. Only DONE took effect."""

    DONE = "done"
    ACCEPTED_FIRST = "accepted_first"
    """By the first of two people; the TGC was not asked yet."""
    NOT_ALLOWED = "not_allowed"
    SECOND_NEEDED = "second_needed"
    """The same person accepted before, and another one must."""
    PAUSED = "paused"
    READ_ONLY = "read_only"
    TAKEN = "taken"
    """Somebody else decided first."""
    CHANGED = "changed"
    """The recommendation is not what the person saw."""
    REFUSED = "refused"
    """The TGC said no."""
    UNKNOWN_OFFER = "unknown_offer"
    NOT_DONE = "not_done"
    """Nothing happened, as a reading showed; the person may press again."""
    NEVER_KNOWN = "never_known"
    """The TGC was asked, its answer was lost, and it cannot be read any more."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    recommendation: int | None
    tgc_key: str
    pool_uuid: str | None
    action: str
    """An Action, or `pause`, `resume`."""
    offer_id: str | None
    team_id: str
    user_id: str
    user_name: str
    """As Slack gave it then."""
    channel_id: str | None
    decided_at: datetime
    outcome: Outcome
    tgc_answer: str | None = None


async def add(connection: AsyncConnection, decision: Decision) -> None:
    await connection.execute(insert(decisions).values(**msgspec.structs.asdict(decision)))


async def newest_effective(connection: AsyncConnection, recommendation: int) -> Decision | None:
    """Return the newest decision that took effect."""
    statement = (
        select(decisions)
        .where(decisions.c.recommendation == recommendation, decisions.c.outcome == Outcome.DONE)
        .order_by(decisions.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else msgspec.convert(row, Decision, from_attributes=True)


async def is_accepted(connection: AsyncConnection, recommendation: int) -> bool:
    """Whether the TGC took an accept of ours."""
    statement = select(decisions.c.id).where(
        decisions.c.recommendation == recommendation,
        decisions.c.action == Action.ACCEPT,
        decisions.c.outcome == Outcome.DONE,
    )
    return (await connection.execute(statement.limit(1))).first() is not None
