"""Where a pool asks for two people: the first accept is kept and said, the second rests on it."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import verdicts
from bot.access import Actor, Authority
from bot.card_thread import CardThread
from bot.clock import Clock
from bot.policies import Policies
from bot.recommendations import is_expired, is_open
from bot.rendering.escape import is_policy_id, is_system_user_id
from bot.rendering.notices import render_accepted_first, render_lapsed
from bot.rendering.views import Action
from bot.slack import SlackError
from bot.storage import approvals, cards, recommendations
from bot.storage.approvals import Approval
from bot.storage.database import Database
from bot.storage.decisions import Outcome
from bot.storage.presses import Press
from bot.storage.recommendations import Stored
from bot.verdicts import Answer, Attempt
from tgc.models import Recommendation

_log = structlog.get_logger(__name__)

_KIND = "second_approver"


class TwoPeople:
    """Judges accepts that one person alone cannot make."""

    def __init__(
        self,
        *,
        database: Database,
        access: Authority,
        thread: CardThread,
        clock: Clock,
        lapse: timedelta,
        policies: Policies,
    ) -> None:
        self._policies = policies
        self._database = database
        self._access = access
        self._thread = thread
        self._clock = clock
        self._lapse = lapse

    @property
    def since(self) -> datetime:
        """An approval from before then has lapsed."""
        return self._clock.now() - self._lapse

    def reason(self, stored: Stored, recommendation: Recommendation) -> str | None:
        """Why two people must accept this; None where one is enough."""
        return self._access.rules.of(stored.named).second_approver.reason(recommendation)

    async def first(self, attempt: Attempt, reason: str) -> Approval | Answer:
        """The approval of another person that this accept can rest on, else what to answer."""
        async with self._database.read() as connection:
            approval = await approvals.newest(connection, attempt.offer.id, since=self.since)
        if approval is None:
            return verdicts.accepted_first(attempt, reason)
        if _is_one_person(approval, attempt.press):
            return verdicts.second_needed(attempt, reason, after_policy=is_policy_id(approval.user_id))
        try:
            still_may = await self._may_still(approval, attempt.stored)
        except SlackError as error:
            return verdicts.first_unchecked(attempt, approval.user_name, str(error))
        if still_may:
            return approval
        _log.warning("a first approval ends: its person may not act any more", user=approval.user_id)
        async with self._database.write() as connection:
            await approvals.end(connection, approval, self._clock.now())
        return verdicts.accepted_first(attempt, reason)

    async def _may_still(self, approval: Approval, stored: Stored) -> bool:
        if is_policy_id(approval.user_id):
            return self._policies.may_still(approval.user_id, stored.key, stored.pool_name)
        actor = Actor(team_id=approval.team_id, user_id=approval.user_id, name=approval.user_name)
        return await self._access.still_may_act(actor, stored.named)

    async def settle(self, connection: AsyncConnection, attempt: Attempt, answer: Answer) -> None:
        """Keep a first approval and say it in the card's thread; one that was overtaken ends."""
        row_id = attempt.stored.row_id
        match answer.outcome:
            case Outcome.ACCEPTED_FIRST:
                await approvals.add(connection, row_id, attempt.press, self._clock.now())
                message = render_accepted_first(attempt.stored.pool_name, attempt.press.user_id)
                key = f"accepted-first/{attempt.press.id}"
                await self._thread.reply(connection, row_id, key=key, kind=_KIND, message=message)
            case Outcome.DONE if attempt.action is Action.DISMISS:
                await approvals.end_all(connection, row_id, self._clock.now())

    async def end_lapsed(self) -> None:
        """End what waited for a second person in vain, and say so where it could still be accepted."""
        async with self._database.read() as connection:
            waited = await approvals.lapsed(connection, self.since)
        for approval in waited:
            async with self._database.write() as connection:
                if await approvals.end(connection, approval, self._clock.now()):
                    await self._tell_lapsed(connection, approval)

    async def _tell_lapsed(self, connection: AsyncConnection, approval: Approval) -> None:
        stored = await recommendations.by_row_id(connection, approval.recommendation)
        recommendation = stored.recommendation
        if stored.gone or not is_open(recommendation) or is_expired(recommendation, self._clock.now()):
            return
        message = render_lapsed(stored.pool_name, approval.user_id, approval.approved_at)
        key = f"lapsed/{approval.row_id}"
        await self._thread.reply(connection, stored.row_id, key=key, kind=_KIND, message=message)
        await cards.mark_all_dirty(connection, stored.row_id)


def _is_one_person(approval: Approval, press: Press) -> bool:
    """All of the command line counts as one: one person may be many users of the operating system.

    A policy adds nobody to whoever was first, as it stands for no second look; nor does the command line to a policy,
    as cron may type there: of two at least one is a person who presses.
    """
    is_ours = is_system_user_id(approval.user_id) or is_policy_id(approval.user_id)
    by_command_line = is_ours and press.is_typed
    return by_command_line or press.is_automatic or approval.user_id == press.user_id
