"""Claims: one row per recommendation, shared by all that changes it. A compare-and-set, never a blind write.

    open -> claimed -> sent -> open        (dismissed, reopened, cancelled, refused)
                            -> accepted    (the TGC took the accept; from here only a cancel may claim)

A claim lives as long as the lease of its press: whoever takes over the press takes over the claim, with a new fence.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.views import Action
from bot.storage.leases import Lease
from bot.storage.presses import Press
from bot.storage.tables import claims


class ClaimState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    SENT = "sent"
    ACCEPTED = "accepted"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    recommendation: int
    state: ClaimState
    action: Action | None
    press: str | None
    user_id: str | None
    claimed_at: datetime | None
    sent_at: datetime | None
    """When the TGC was about to be asked, by its own clock; committed before the request leaves."""

    @property
    def is_deciding(self) -> bool:
        return self.state in {ClaimState.CLAIMED, ClaimState.SENT}


_ON = select(claims).where(claims.c.recommendation == bindparam("recommendation"))
_ON_SEVERAL = select(claims).where(claims.c.recommendation.in_(bindparam("recommendations", expanding=True)))


async def get(connection: AsyncConnection, recommendation: int) -> Claim:
    return _claim((await connection.execute(_ON, {"recommendation": recommendation})).one())


async def on_several(connection: AsyncConnection, recommendations: Collection[int]) -> dict[int, Claim]:
    """By recommendation; each has one."""
    found = await connection.execute(_ON_SEVERAL, {"recommendations": list(recommendations)})
    return {row.recommendation: _claim(row) for row in found}


def _claim(row: Row[tuple[object, ...]]) -> Claim:
    return Claim(
        recommendation=row.recommendation,
        state=ClaimState(row.state),
        action=None if row.action is None else Action(row.action),
        press=row.press,
        user_id=row.user_id,
        claimed_at=row.claimed_at,
        sent_at=row.sent_at,
    )


_IF_IN = update(claims).where(
    claims.c.recommendation == bindparam("on"), claims.c.state.in_(bindparam("states", expanding=True))
)


async def claim(connection: AsyncConnection, recommendation: int, press: Press, lease: Lease, now: datetime) -> bool:
    """Claim the recommendation for a press; False where somebody else has it."""
    free = {ClaimState.OPEN, ClaimState.ACCEPTED} if press.action is Action.CANCEL else {ClaimState.OPEN}
    values = {
        "state": ClaimState.CLAIMED,
        "action": press.action,
        "press": press.id,
        "user_id": press.user_id,
        "offer_id": press.offer_id,
        "claimed_at": now,
        "sent_at": None,
        "fence": lease.fence,
    }
    return (await connection.execute(_IF_IN, {"on": recommendation, "states": list(free), **values})).rowcount == 1


async def take_over(connection: AsyncConnection, press: Press, lease: Lease) -> Claim | None:
    """The claim that this press holds, moved under the new lease; None where it holds none."""
    statement = (
        update(claims)
        .where(claims.c.press == press.id, claims.c.state.in_({ClaimState.CLAIMED, ClaimState.SENT}))
        .values(fence=lease.fence)
        .returning(claims.c.recommendation)
    )
    recommendation = (await connection.execute(statement)).scalar_one_or_none()
    return None if recommendation is None else await get(connection, recommendation)


async def send(connection: AsyncConnection, press: Press, lease: Lease, now: datetime) -> bool:
    """Move from claimed to sent; False where another process took the press over."""
    return await _move(connection, press, lease, ClaimState.CLAIMED, state=ClaimState.SENT, sent_at=now)


async def settle(connection: AsyncConnection, press: Press, lease: Lease, state: ClaimState) -> bool:
    """End the claim as OPEN or ACCEPTED; False where another process took the press over."""
    return await _move(connection, press, lease, ClaimState.CLAIMED, ClaimState.SENT, state=state)


_IF_HELD = update(claims).where(
    claims.c.press == bindparam("held_by"),
    claims.c.fence == bindparam("held_fence"),
    claims.c.state.in_(bindparam("states", expanding=True)),
)


async def _move(connection: AsyncConnection, press: Press, lease: Lease, *source: ClaimState, **values: object) -> bool:
    held = {"held_by": press.id, "held_fence": lease.fence, "states": source}
    return (await connection.execute(_IF_HELD, held | values)).rowcount == 1
