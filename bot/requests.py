"""What people ask for beside the decision protocol: who may, for which offer, and what the journal keeps of it."""

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import verdicts
from bot.access import Access, Actor
from bot.card_views import UNREADABLE_PLAN
from bot.clock import Clock
from bot.recommendations import is_expired, is_open, plan_of
from bot.storage import decisions, offers, recommendations
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.offers import Offer
from bot.storage.recommendations import Stored


class RefusedError(Exception):
    """It was not done; `str()` says why."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody submitted a form, or pressed a button."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    value: str
    """What the form or the button stands for, as it came: an offer, or a plan."""
    ticket: str | None = None
    note: str | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    offer: Offer
    stored: Stored


class Refusal(msgspec.Struct, frozen=True):
    outcome: Outcome
    why: str


class Requests:
    """Checks who asks, and keeps what comes of it; every refusal, too."""

    def __init__(self, *, database: Database, access: Access, clock: Clock, tgc_key: str) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._tgc_key = tgc_key

    async def checked(self, request: Request, action: str, offer_id: str | None) -> Target:
        """What is meant, where this person may act on it. Raises RefusedError."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, offer_id) if offer_id else None
            stored = await recommendations.by_row_id(connection, offer.recommendation) if offer else None
        if offer is None or stored is None:
            await self._keep_refused(request, action, None, Refusal(Outcome.UNKNOWN_OFFER, verdicts.UNKNOWN_BUTTON))
            raise RefusedError(verdicts.UNKNOWN_BUTTON)
        target = Target(offer=offer, stored=stored)
        refusal = await self._access.refusal_to_act(request.actor, stored.named)
        if refusal is not None:
            raise await self.refused(request, action, target, Refusal(Outcome.NOT_ALLOWED, refusal))
        return target

    async def refused(self, request: Request, action: str, target: Target, refusal: Refusal) -> RefusedError:
        """Keep a refusal, and return it for the person."""
        await self._keep_refused(request, action, target, refusal)
        return error_of(target, refusal)

    async def keep_refusal(
        self, connection: AsyncConnection, request: Request, action: str, target: Target | None, refusal: Refusal
    ) -> None:
        refused = self.decision(request, action, target, refusal.outcome, refusal.why)
        await decisions.add_refusal(connection, refused)

    def decision(self, request: Request, action: str, target: Target | None, outcome: Outcome, told: str) -> Decision:
        stored = target.stored if target else None
        return Decision(
            recommendation=stored.row_id if stored else None,
            tgc_key=stored.key.tgc_key if stored else self._tgc_key,
            pool_uuid=stored.key.pool_uuid if stored else None,
            pool_name=stored.pool_name if stored else None,
            recommendation_id=stored.key.recommendation_id if stored else None,
            action=action,
            offer_id=target.offer.id if target else request.value,
            seen=target.offer.shown if target else None,
            team_id=request.actor.team_id,
            user_id=request.actor.user_id,
            user_name=request.actor.name,
            channel_id=request.channel_id,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=told,
            command_id=request.id,
            ticket=request.ticket,
            note=request.note,
        )

    async def _keep_refused(self, request: Request, action: str, target: Target | None, refusal: Refusal) -> None:
        async with self._database.write() as connection:
            await self.keep_refusal(connection, request, action, target, refusal)


def not_as_seen(offer: Offer, stored: Stored, now: datetime) -> Refusal | None:
    """Why what was seen cannot be accepted any more, as last read."""
    recommendation, plan = stored.recommendation, plan_of(stored.recommendation)
    if stored.gone:
        return Refusal(Outcome.CHANGED, verdicts.GONE)
    if not is_open(recommendation):
        return Refusal(Outcome.CHANGED, verdicts.why_not_open(recommendation))
    if is_expired(recommendation, now):
        return Refusal(Outcome.CHANGED, verdicts.EXPIRED)
    if plan.fingerprint != offer.fingerprint:
        return Refusal(Outcome.CHANGED, verdicts.OTHER_MOVES)
    return None if plan.whole else Refusal(Outcome.CHANGED, UNREADABLE_PLAN)


def error_of(target: Target, refusal: Refusal) -> RefusedError:
    return RefusedError(f"{target.stored.pool_name}: Nothing was done. {refusal.why}")
