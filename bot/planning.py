"""Planning an accept for later, and cancelling such a plan: what people ask for. bot.due_plans does the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import verdicts
from bot.access import Access, Actor
from bot.card_thread import CardThread
from bot.card_views import UNREADABLE_PLAN, CardViews, moment
from bot.clock import Clock
from bot.due_plans import KIND
from bot.recommendations import is_expired, is_open, plan_of
from bot.rendering.notices import render_plan_cancelled
from bot.rendering.views import Action, CardView
from bot.storage import cards, claims, decisions, offers, planned_accepts, recommendations
from bot.storage.claims import ClaimState
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.offers import Offer
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.recommendations import Stored

PLAN, CANCEL_PLAN = "plan", "cancel_plan"


class PlanRefusedError(Exception):
    """It was not done; `str()` says why."""


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody submitted the form, or pressed a button."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    value: str
    """What the form or the button stands for, as it came: an offer, or a plan."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody needs to see to choose a time."""

    view: CardView
    zone: str | None
    """Their own, in words."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    pool_name: str
    due_at: datetime


class _Target(msgspec.Struct, frozen=True, kw_only=True):
    offer: Offer
    stored: Stored


class _Refusal(msgspec.Struct, frozen=True):
    outcome: Outcome
    why: str


class Planning:
    """Checks and keeps plans; every refusal is kept, too."""

    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        thread: CardThread,
        clock: Clock,
        zone: ZoneInfo,
        tgc_key: str,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._thread = thread
        self._clock = clock
        self._zone = zone
        self._tgc_key = tgc_key

    async def form(self, request: PlanRequest) -> Form:
        """What to choose a time for. Raises PlanRefusedError."""
        target = await self._checked(request, PLAN, request.value)
        async with self._database.read() as connection:
            refusal = await self._hindrance(connection, target)
            view = await self._views.view(connection, target.stored)
        if refusal is not None:
            await self._refuse(request, PLAN, target, refusal)
            raise _error(target, refusal)
        return Form(view=view, zone=await self._access.zone_of(request.actor))

    async def plan(self, request: PlanRequest, due_at: datetime | None) -> Planned:
        """Plan the accept of an offer. Raises PlanRefusedError."""
        target = await self._checked(request, PLAN, request.value)
        async with self._database.write() as connection:
            known = await planned_accepts.get(connection, request.id)
            planned = known or await self._plan(connection, request, target, due_at)
            if isinstance(planned, _Refusal):
                await self._keep_refusal(connection, request, PLAN, target, planned)
        if isinstance(planned, _Refusal):
            raise _error(target, planned)
        return Planned(pool_name=target.stored.pool_name, due_at=planned.due_at)

    async def cancel(self, request: PlanRequest) -> str:
        """Cancel a plan, whoever made it, and say so. Raises PlanRefusedError."""
        async with self._database.read() as connection:
            plan = await planned_accepts.get(connection, request.value)
        target = await self._checked(request, CANCEL_PLAN, plan.offer_id if plan else None)
        told = f"{target.stored.pool_name}: The plan is cancelled. Nothing will be accepted at its time."
        async with self._database.write() as connection:
            if plan is not None and await planned_accepts.end(connection, plan, self._clock.now()):
                await self._keep_cancelled(connection, request, target, plan, told)
                return told
            if await decisions.was_done(connection, request.id):
                return told
        refusal = _Refusal(Outcome.TAKEN, "That plan is over already: the card and its thread say what came of it.")
        await self._refuse(request, CANCEL_PLAN, target, refusal)
        raise _error(target, refusal)

    async def _keep_cancelled(
        self, connection: AsyncConnection, request: PlanRequest, target: _Target, plan: PlannedAccept, told: str
    ) -> None:
        await decisions.add(connection, self._decision(request, CANCEL_PLAN, target, Outcome.DONE, told))
        message = render_plan_cancelled(plan.user_id, plan.due_at, request.actor.user_id)
        await self._thread.reply(
            connection, target.stored.row_id, key=f"plan-cancelled/{plan.press_id}", kind=KIND, message=message
        )
        await cards.mark_all_dirty(connection, target.stored.row_id)

    async def _plan(
        self, connection: AsyncConnection, request: PlanRequest, target: _Target, due_at: datetime | None
    ) -> PlannedAccept | _Refusal:
        hindrance = await self._hindrance(connection, target)
        if hindrance is not None:
            return hindrance
        now = self._clock.now()
        if due_at is None or due_at <= now:
            return _Refusal(Outcome.WRONG_TIME, "A time can only be planned that is still to come.")
        end = target.stored.recommendation.expiration_time
        if end is not None and due_at >= end:
            return _Refusal(Outcome.WRONG_TIME, f"It expires at {moment(end, self._zone)}: choose a time before that.")
        plan = PlannedAccept(
            press_id=request.id,
            recommendation=target.stored.row_id,
            offer_id=target.offer.id,
            team_id=request.actor.team_id,
            user_id=request.actor.user_id,
            user_name=request.actor.name,
            due_at=due_at,
            planned_at=now,
        )
        if not await planned_accepts.add(connection, plan):  # another replica was quicker
            return _Refusal(Outcome.TAKEN, "Somebody else planned it at the same moment.")
        told = f"Planned for {moment(due_at, self._zone)}."
        await decisions.add(connection, self._decision(request, PLAN, target, Outcome.DONE, told))
        await cards.mark_all_dirty(connection, target.stored.row_id)
        return plan

    # Why not

    async def _checked(self, request: PlanRequest, action: str, offer_id: str | None) -> _Target:
        """What is meant, where this person may act on it. Raises PlanRefusedError."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, offer_id) if offer_id else None
            stored = await recommendations.by_row_id(connection, offer.recommendation) if offer else None
        if offer is None or stored is None:
            await self._refuse(request, action, None, _Refusal(Outcome.UNKNOWN_OFFER, verdicts.UNKNOWN_BUTTON))
            raise PlanRefusedError(verdicts.UNKNOWN_BUTTON)
        target = _Target(offer=offer, stored=stored)
        refusal = await self._access.refusal_to_act(request.actor, stored.pool_name)
        if refusal is not None:
            refused = _Refusal(Outcome.NOT_ALLOWED, refusal)
            await self._refuse(request, action, target, refused)
            raise _error(target, refused)
        return target

    async def _hindrance(self, connection: AsyncConnection, target: _Target) -> _Refusal | None:
        """Why this cannot be planned by anybody now. A pause is none: it holds back what is due while it lasts."""
        stored = await recommendations.by_row_id(connection, target.stored.row_id)
        rights = await self._views.rights(connection, stored.pool)
        if not rights.can_act and rights.hindrance is not None:
            return _Refusal(Outcome.READ_ONLY, rights.hindrance)
        return self._not_as_seen(stored, target.offer) or await self._decided(connection, target)

    def _not_as_seen(self, stored: Stored, offer: Offer) -> _Refusal | None:
        recommendation, plan = stored.recommendation, plan_of(stored.recommendation)
        if stored.gone:
            return _Refusal(Outcome.CHANGED, verdicts.GONE)
        if not is_open(recommendation):
            return _Refusal(Outcome.CHANGED, verdicts.why_not_open(recommendation))
        if is_expired(recommendation, self._clock.now()):
            return _Refusal(Outcome.CHANGED, verdicts.EXPIRED)
        if plan.fingerprint != offer.fingerprint:
            return _Refusal(Outcome.CHANGED, verdicts.OTHER_MOVES)
        return None if plan.whole else _Refusal(Outcome.CHANGED, UNREADABLE_PLAN)

    async def _decided(self, connection: AsyncConnection, target: _Target) -> _Refusal | None:
        claim = await claims.get(connection, target.stored.row_id)
        if claim.state is not ClaimState.OPEN:
            return _Refusal(Outcome.TAKEN, "Somebody has accepted it, or is deciding on it right now.")
        newest = await decisions.newest_effective(connection, target.stored.row_id)
        if newest is not None and newest.action == Action.DISMISS:
            when = moment(newest.decided_at, self._zone)
            return _Refusal(Outcome.TAKEN, f"{newest.user_name} dismissed it at {when}. Reopen it first.")
        plan = await planned_accepts.standing(connection, target.offer.id)
        if plan is None:
            return None
        when = moment(plan.due_at, self._zone)
        return _Refusal(Outcome.TAKEN, f"{plan.user_name} has planned it for {when}: cancel that plan first.")

    # Keeping

    async def _refuse(self, request: PlanRequest, action: str, target: _Target | None, refusal: _Refusal) -> None:
        async with self._database.write() as connection:
            await self._keep_refusal(connection, request, action, target, refusal)

    async def _keep_refusal(
        self, connection: AsyncConnection, request: PlanRequest, action: str, target: _Target | None, refusal: _Refusal
    ) -> None:
        refused = self._decision(request, action, target, refusal.outcome, refusal.why)
        await decisions.add_refusal(connection, refused)

    def _decision(
        self, request: PlanRequest, action: str, target: _Target | None, outcome: Outcome, told: str
    ) -> Decision:
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
        )


def _error(target: _Target, refusal: _Refusal) -> PlanRefusedError:
    return PlanRefusedError(f"{target.stored.pool_name}: Nothing was done. {refusal.why}")
