"""What each policy makes of what pools have now, for somebody who asks. Nothing is changed by it."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access
from bot.auto_accepts import left_to_people
from bot.card_views import CardViews
from bot.clock import Clock
from bot.policies import Policies, Verdict, first_to_act
from bot.pool_names import TgcPool
from bot.pools import find_pools
from bot.recommendations import plan_of
from bot.reconcile import Reconciler
from bot.rendering.views import PolicyLine, PolicyView
from bot.storage import offers, planned_accepts
from bot.storage.database import Database
from bot.storage.recommendations import Stored
from bot.tgcs import Tgcs

_NOTHING = "There is nothing to accept."


class PolicyAnswers:
    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        tgcs: Tgcs,
        reconciler: Reconciler,
        clock: Clock,
        policies: Policies,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._tgcs = tgcs
        self._reconciler = reconciler
        self._clock = clock
        self._policies = policies

    async def of(self, typed: str) -> tuple[PolicyView, ...]:
        """For the pools that are meant, all where nothing is typed.

        Raises UnknownPoolError, AmbiguousPoolError, TGCError.
        """
        listed = await self._tgcs.pools(typed)
        pools = find_pools(listed.pools, typed)
        if not self._policies.all:
            return ()
        by_name = sorted(pools, key=lambda pool: pool.shown.casefold())
        views = await asyncio.gather(*map(self._of_pool, by_name))
        return (*views, *(PolicyView(pool_name=key, problem=why) for key, why in listed.unread.items()))

    async def _of_pool(self, pool: TgcPool) -> PolicyView:
        reading = await self._tgcs.current(pool)
        if reading.error is not None:
            return PolicyView(pool_name=pool.shown, problem=str(reading.error))
        stored = await self._reconciler.remember(reading)
        if stored is None:
            return PolicyView(pool_name=pool.shown, problem=_NOTHING)
        rule = self._access.rules.of(stored.named)
        verdicts = self._policies.judge_all(
            stored.key, stored.pool_name, stored.recommendation, rule, self._clock.now()
        )
        async with self._database.read() as connection:
            lines = [await self._line(connection, stored, verdict, first_to_act(verdicts)) for verdict in verdicts]
        return PolicyView(pool_name=stored.pool_name, lines=tuple(lines))

    async def _line(
        self, connection: AsyncConnection, stored: Stored, verdict: Verdict, first: Verdict | None
    ) -> PolicyLine:
        return PolicyLine(
            policy=verdict.policy.name,
            is_dry=verdict.policy.dry_run,
            why_not=verdict.why_not,
            held_back=await self._held_back(connection, stored, verdict, first) if verdict.matches else None,
            at=verdict.window.since if verdict.window else None,
        )

    async def _held_back(
        self, connection: AsyncConnection, stored: Stored, verdict: Verdict, first: Verdict | None
    ) -> str | None:
        """Why a policy that matches does nothing."""
        offer_id = await offers.find(connection, stored.row_id, plan_of(stored.recommendation)) or ""
        hindrance = (await self._views.rights(connection, stored.tgc_pool)).hindrance
        held_back = await left_to_people(connection, stored, offer_id) or hindrance
        if held_back or verdict.policy.dry_run:
            return held_back
        plan = await planned_accepts.standing(connection, offer_id)
        if plan is None and await planned_accepts.was_made(connection, offer_id):
            return "It was planned before, and policies act on the same moves once."
        if plan is not None and plan.user_id != verdict.policy.user_id:
            return f"{plan.user_name} has planned it."
        if plan is None and first is not None and first.policy != verdict.policy:
            return f"The policy {first.policy.name} acts first."
        return None
