"""What becomes of accepts that were planned: each is pressed when it is due, or ends before, and its thread says which.

A plan that is due becomes a press of its person like any other, made at that moment: the decision protocol judges it.
Nothing here asks the TGC for anything.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_thread import CardThread
from bot.card_views import moment
from bot.clock import Clock
from bot.rendering.notices import render_plan_came, render_plan_changed, render_plan_held, render_plan_overtaken
from bot.rendering.views import Action, Message
from bot.storage import cards, decisions, offers, pauses, planned_accepts, presses, recommendations
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.presses import Press
from bot.storage.recommendations import Stored
from bot.verdicts import Answer, Attempt

KIND = "planned_accept"
_OVERTAKING = frozenset({Action.ACCEPT, Action.DISMISS, Action.CHOOSE_ISSUES})


class DuePlans:
    """Ends plans, each once, in the transaction that says so."""

    def __init__(self, *, database: Database, thread: CardThread, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._thread = thread
        self._clock = clock
        self._zone = zone

    async def press_due(self) -> None:
        """Press what is due, hold back what a pause stops, and end what is too late."""
        async with self._database.read() as connection:
            due = await planned_accepts.due(connection, self._clock.now())
        for plan in due:
            async with self._database.write() as connection:
                await self._come_due(connection, plan)

    async def settle(self, connection: AsyncConnection, attempt: Attempt, answer: Answer) -> None:
        """Say in the thread what came of a plan; end those that this decision leaves nothing to accept."""
        if attempt.planned is not None:
            await self._say_what_came(connection, attempt.planned, answer.text)
        if answer.outcome is not Outcome.DONE or attempt.action not in _OVERTAKING:
            return
        for plan in await planned_accepts.all_standing(connection, attempt.stored.row_id):
            message = render_plan_overtaken(plan.user_id, plan.due_at, attempt.press.user_id, attempt.action)
            await self._end(connection, plan, message)

    async def end_changed(self, connection: AsyncConnection, recommendation: int, *, but_of: str) -> None:
        """End those whose moves are not the recommendation's any more. `but_of`: the offer of its moves now."""
        for plan in await planned_accepts.all_standing(connection, recommendation):
            if plan.offer_id != but_of:
                await self._end(connection, plan, render_plan_changed(plan.user_id, plan.due_at))

    async def _come_due(self, connection: AsyncConnection, plan: PlannedAccept) -> None:
        now = self._clock.now()
        stored = await recommendations.by_row_id(connection, plan.recommendation)
        pause = await pauses.in_force(connection, stored.key.tgc_key, stored.key.pool_uuid, now)
        if now > plan.latest:
            await self._let_go(connection, plan, stored, was_paused=pause is not None or plan.held_at is not None)
        elif pause is not None:
            await self._hold(connection, plan, stored)
        elif await planned_accepts.end(connection, plan, now):
            await presses.add(connection, _press(plan, now))

    async def _hold(self, connection: AsyncConnection, plan: PlannedAccept, stored: Stored) -> None:
        if await planned_accepts.hold(connection, plan, self._clock.now()):
            message = render_plan_held(stored.pool_name, plan.user_id, plan.due_at, plan.latest)
            await self._thread.reply(
                connection, stored.row_id, key=f"plan-held/{plan.press_id}", kind=KIND, message=message
            )
            await cards.mark_all_dirty(connection, stored.row_id)

    async def _let_go(
        self, connection: AsyncConnection, plan: PlannedAccept, stored: Stored, *, was_paused: bool
    ) -> None:
        """Its time went by. The press that it would have become is answered without being judged."""
        now = self._clock.now()
        if not await planned_accepts.end(connection, plan, now):
            return
        why = "accepting was paused" if was_paused else "the bot did not run"
        until = "more than an hour after that" if plan.until is None else "its window had closed"
        told = (
            f"{stored.pool_name}: Nothing was done. It was planned for {moment(plan.due_at, self._zone)}, and {why} "
            f"until {until}, so its time went by."
        )
        await presses.add(connection, _press(plan, now, answer=told))
        await decisions.add(connection, await _let_go_decision(connection, plan, stored, now, told))
        await self._say_what_came(connection, plan, told)
        await cards.mark_all_dirty(connection, stored.row_id)

    async def _say_what_came(self, connection: AsyncConnection, plan: PlannedAccept, told: str) -> None:
        message = render_plan_came(plan.user_id, plan.due_at, told)
        await self._thread.reply(
            connection, plan.recommendation, key=f"plan-came/{plan.press_id}", kind=KIND, message=message
        )

    async def _end(self, connection: AsyncConnection, plan: PlannedAccept, message: Message) -> None:
        if await planned_accepts.end(connection, plan, self._clock.now()):
            await self._thread.reply(
                connection, plan.recommendation, key=f"plan-over/{plan.press_id}", kind=KIND, message=message
            )


def _press(plan: PlannedAccept, now: datetime, *, answer: str | None = None) -> Press:
    return Press(
        id=plan.press_id,
        action=Action.ACCEPT,
        offer_id=plan.offer_id,
        team_id=plan.team_id,
        user_id=plan.user_id,
        user_name=plan.user_name,
        channel_id=None,
        pressed_at=now,
        answer=answer,
        ticket=plan.ticket,
        note=plan.note,
    )


async def _let_go_decision(
    connection: AsyncConnection, plan: PlannedAccept, stored: Stored, now: datetime, told: str
) -> Decision:
    offer = await offers.get(connection, plan.offer_id)
    return Decision(
        recommendation=stored.row_id,
        tgc_key=stored.key.tgc_key,
        pool_uuid=stored.key.pool_uuid,
        pool_name=stored.pool_name,
        recommendation_id=stored.key.recommendation_id,
        action=Action.ACCEPT,
        offer_id=plan.offer_id,
        seen=offer.shown if offer else None,
        team_id=plan.team_id,
        user_id=plan.user_id,
        user_name=plan.user_name,
        channel_id=None,
        decided_at=now,
        outcome=Outcome.WRONG_TIME,
        told=told,
        ticket=plan.ticket,
        note=plan.note,
    )
