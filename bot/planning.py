"""Planning an accept for later, and cancelling such a plan: what people ask for. bot.due_plans does the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access
from bot.card_thread import CardThread
from bot.card_views import CardViews, moment
from bot.clock import Clock
from bot.due_plans import KIND
from bot.rendering.notices import render_plan_cancelled
from bot.rendering.views import Action, CardView
from bot.requests import Refusal, Request, Requests, Target, error_of, not_as_seen
from bot.storage import cards, claims, decisions, planned_accepts, recommendations
from bot.storage.claims import ClaimState
from bot.storage.database import Database
from bot.storage.decisions import Outcome
from bot.storage.planned_accepts import PlannedAccept

PLAN, CANCEL_PLAN = "plan", "cancel_plan"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody needs to see to choose a time."""

    view: CardView
    zone: str | None
    """Their own, in words."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    pool_name: str
    due_at: datetime


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
        requests: Requests,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._thread = thread
        self._clock = clock
        self._zone = zone
        self._requests = requests

    async def form(self, request: Request) -> Form:
        """What to choose a time for. Raises RefusedError."""
        target = await self._requests.checked(request, PLAN, request.value)
        async with self._database.read() as connection:
            refusal = await self._hindrance(connection, target)
            view = await self._views.view(connection, target.stored)
        if refusal is not None:
            raise await self._requests.refused(request, PLAN, target, refusal)
        return Form(view=view, zone=await self._access.zone_of(request.actor))

    async def plan(self, request: Request, due_at: datetime | None) -> Planned:
        """Plan the accept of an offer. Raises RefusedError."""
        target = await self._requests.checked(request, PLAN, request.value)
        async with self._database.write() as connection:
            known = await planned_accepts.get(connection, request.id)
            planned = known or await self._plan(connection, request, target, due_at)
            if isinstance(planned, Refusal):
                await self._requests.keep_refusal(connection, request, PLAN, target, planned)
        if isinstance(planned, Refusal):
            raise error_of(target, planned)
        return Planned(pool_name=target.stored.pool_name, due_at=planned.due_at)

    async def cancel(self, request: Request) -> str:
        """Cancel a plan, whoever made it, and say so. Raises RefusedError."""
        async with self._database.read() as connection:
            plan = await planned_accepts.get(connection, request.value)
        target = await self._requests.checked(request, CANCEL_PLAN, plan.offer_id if plan else None)
        told = f"{target.stored.pool_name}: The plan is cancelled. Nothing will be accepted at its time."
        async with self._database.write() as connection:
            if plan is not None and await planned_accepts.end(connection, plan, self._clock.now()):
                await self._keep_cancelled(connection, request, target, plan, told)
                return told
            if await decisions.was_done(connection, request.id):
                return told
        refusal = Refusal(Outcome.TAKEN, "That plan is over already: the card and its thread say what came of it.")
        raise await self._requests.refused(request, CANCEL_PLAN, target, refusal)

    async def _keep_cancelled(
        self, connection: AsyncConnection, request: Request, target: Target, plan: PlannedAccept, told: str
    ) -> None:
        await decisions.add(connection, self._requests.decision(request, CANCEL_PLAN, target, Outcome.DONE, told))
        message = render_plan_cancelled(plan.user_id, plan.due_at, request.actor.user_id)
        await self._thread.reply(
            connection, target.stored.row_id, key=f"plan-cancelled/{plan.press_id}", kind=KIND, message=message
        )
        await cards.mark_all_dirty(connection, target.stored.row_id)

    async def _plan(
        self, connection: AsyncConnection, request: Request, target: Target, due_at: datetime | None
    ) -> PlannedAccept | Refusal:
        hindrance = await self._hindrance(connection, target)
        if hindrance is not None:
            return hindrance
        ticket = self._access.rules.of(target.stored.named).ticket_refusal(request.ticket)
        if ticket is not None:
            return Refusal(Outcome.TICKET_NEEDED, ticket)
        now = self._clock.now()
        if due_at is None or due_at <= now:
            return Refusal(Outcome.WRONG_TIME, "A time can only be planned that is still to come.")
        end = target.stored.recommendation.expiration_time
        if end is not None and due_at >= end:
            return Refusal(Outcome.WRONG_TIME, f"It expires at {moment(end, self._zone)}: choose a time before that.")
        plan = PlannedAccept(
            press_id=request.id,
            recommendation=target.stored.row_id,
            offer_id=target.offer.id,
            team_id=request.actor.team_id,
            user_id=request.actor.user_id,
            user_name=request.actor.name,
            due_at=due_at,
            planned_at=now,
            ticket=request.ticket,
            note=request.note,
        )
        if not await planned_accepts.add(connection, plan):  # another replica was quicker
            return Refusal(Outcome.TAKEN, "Somebody else planned it at the same moment.")
        told = f"Planned for {moment(due_at, self._zone)}."
        await decisions.add(connection, self._requests.decision(request, PLAN, target, Outcome.DONE, told))
        await cards.mark_all_dirty(connection, target.stored.row_id)
        return plan

    # Why not

    async def _hindrance(self, connection: AsyncConnection, target: Target) -> Refusal | None:
        """Why this cannot be planned by anybody now. A pause is none: it holds back what is due while it lasts."""
        stored = await recommendations.by_row_id(connection, target.stored.row_id)
        rights = await self._views.rights(connection, stored.tgc_pool)
        if not rights.can_act and rights.hindrance is not None:
            return Refusal(Outcome.READ_ONLY, rights.hindrance)
        return not_as_seen(target.offer, stored, self._clock.now()) or await self._decided(connection, target)

    async def _decided(self, connection: AsyncConnection, target: Target) -> Refusal | None:
        claim = await claims.get(connection, target.stored.row_id)
        if claim.state is not ClaimState.OPEN:
            return Refusal(Outcome.TAKEN, "Somebody has accepted it, or is deciding on it right now.")
        newest = await decisions.newest_effective(connection, target.stored.row_id)
        if newest is not None and newest.action == Action.DISMISS:
            when = moment(newest.decided_at, self._zone)
            return Refusal(Outcome.TAKEN, f"{newest.user_name} dismissed it at {when}. Reopen it first.")
        plan = await planned_accepts.standing(connection, target.offer.id)
        if plan is None:
            return None
        when = moment(plan.due_at, self._zone)
        return Refusal(Outcome.TAKEN, f"{plan.user_name} has planned it for {when}: cancel that plan first.")
