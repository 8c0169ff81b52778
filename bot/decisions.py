"""The decision protocol: from a press to what the TGC did, through races, lost answers and crashes.

    1  may this person?                          else refused
    2  claim: open -> claimed                    else told who was first
    3  read the recommendation again             changed: released, told what changed
       two people must accept, and this is       kept, released: the other one goes on
       the first
    4  claimed -> sent, committed; then one POST
    5  the TGC's answer; where it was lost, the TGC is read until it shows what happened

A press is kept before it is worked on, and its lease is the claim's: after a crash whoever takes over the press goes
on from 1 (claimed, younger than 2 minutes), tells the person that it is too late (older), or reads (sent).
Every answer is kept before it is told, so nobody is left without one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import verdicts
from bot.access import Actor, Authority
from bot.auto_accepts import IN_PEOPLES_HANDS
from bot.card_views import CardViews
from bot.clock import Clock, uptime
from bot.due_plans import DuePlans
from bot.metrics import DECISIONS
from bot.policies import Policies
from bot.pool_rules import PoolRule
from bot.readings import read_again
from bot.reconcile import Reconciler
from bot.rendering.answers import render_sentence
from bot.rendering.shapes import SetRule, asked_for
from bot.rendering.views import Action, Message
from bot.rule_asking import CERTAINLY_NOT_DONE
from bot.shaper import Shaper
from bot.slack import SlackError, SlackRefusedError
from bot.storage import approvals, cards, claims, decisions, offers, planned_accepts, presses, recommendations
from bot.storage.approvals import Approval
from bot.storage.claims import Claim, ClaimState
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.leases import Lease, Leases, is_held
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.presses import Press
from bot.tgcs import NO_TGC, Tgcs, UnknownTgcError
from bot.two_people import TwoPeople
from bot.verdicts import Answer, Attempt
from tgc.errors import (
    TGCError,
    TGCNotFoundError,
    TGCWithheldError,
    TGCWrongStateError,
)
from tgc.models import Recommendation, RecommendationState

_log = structlog.get_logger(__name__)

STILL_WANTED = timedelta(minutes=2)
"""After a crash: how old a press may be and still be carried out."""
SEARCHING = timedelta(seconds=15)
"""How long the TGC is read for what became of a request whose answer was lost."""
_READ_EVERY_S = 1.0
QUICK = timedelta(seconds=5)
"""A decision that takes longer shows on the card; to show every one would take twice the edits."""

Reply = Callable[[Message], Awaitable[bool]]
"""Shows the presser an answer where they pressed; False where that was not possible."""
Tell = Callable[[Press, Message], Awaitable[None]]
"""Tells the presser elsewhere. Raises SlackError."""


class TakenOverError(Exception):
    """Another process has this press now: it decides and answers."""


class UnsettledError(Exception):
    """Nobody can tell yet what the TGC did; the press stays open until somebody can."""


class Decider:
    """Carries out what people press."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Leases,
        access: Authority,
        views: CardViews,
        tgcs: Tgcs,
        reconciler: Reconciler,
        tell: Tell,
        clock: Clock,
        zone: ZoneInfo,
        two_people: TwoPeople,
        due_plans: DuePlans,
        shaper: Shaper,
        policies: Policies,
    ) -> None:
        self._policies = policies
        self._shaper = shaper
        self._due_plans = due_plans
        self._two_people = two_people
        self._database = database
        self._leases = leases
        self._access = access
        self._views = views
        self._tgcs = tgcs
        self._reconciler = reconciler
        self._tell_elsewhere = tell
        self._clock = clock
        self._zone = zone

    async def press(self, press: Press, reply: Reply) -> Answer | None:
        """Carry out a press and answer it; one that was delivered before is left to its first delivery.

        None where nothing can be said here: nobody knows yet, or somebody else answers.
        """
        async with self._database.write() as connection:
            lease = await presses.add_taken(connection, self._leases, press)
            if lease is None:
                return None
            attempt = await self._attempt(connection, press, lease)
        return await self._handle(press, lease, attempt, reply)

    async def resume(self, tgc_key: str | None = None, *, typed_only: bool = False) -> None:
        """Take up the presses that a crash left without an answer, side by side: each may wait for the TGC.

        `tgc_key`: only those of one TGC, so that the others' wait for none of its; NO_TGC for those of no known one.
        `typed_only`: only those of the command line, for whoever can tell nobody in Slack.
        """
        async with self._database.read() as connection:
            untold = await presses.untold(connection, self._clock.now(), self._leases.life, typed_only=typed_only)
        meant = [press_id for press_id, key in untold if tgc_key in {None, key if key in self._tgcs.keys else NO_TGC}]
        ends = await asyncio.gather(*(self._resume(press_id) for press_id in meant), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _resume(self, press_id: str) -> None:
        async with self._database.write() as connection:
            lease = await self._leases.take(connection, presses.LEASABLE, press_id)
            if lease is None:
                return
            press = await presses.get(connection, press_id)
            claim = await claims.take_over(connection, press, lease)
            planned = await planned_accepts.get(connection, press_id)
            attempt = await self._attempt(connection, press, lease, planned)
        await self._handle(press, lease, attempt, None, claim)

    async def _handle(
        self, press: Press, lease: Lease, attempt: Attempt | None, reply: Reply | None, claim: Claim | None = None
    ) -> Answer | None:
        """`claim`: the one that the press holds, where another process began it."""
        async with self._leases.kept(lease):
            answer = None
            try:
                if press.answer is None:
                    answer = await self._decide(press, lease, attempt, claim, is_left=reply is None)
            except TakenOverError:
                return None
            except UnsettledError:
                await self._say_unsettled(press, reply)
                return None
            await self._tell(press, lease, answer.text if answer else press.answer or "", reply)
        if attempt is not None:
            await self._bring_up(attempt, answer)
        return answer

    async def _attempt(
        self, connection: AsyncConnection, press: Press, lease: Lease, planned: PlannedAccept | None = None
    ) -> Attempt | None:
        """None where nobody knows the button."""
        offer = await offers.get(connection, press.offer_id)
        if offer is None:
            return None
        stored = await recommendations.by_row_id(connection, offer.recommendation)
        return Attempt(press=press, lease=lease, offer=offer, stored=stored, planned=planned)

    # Deciding

    async def _decide(
        self, press: Press, lease: Lease, attempt: Attempt | None, claim: Claim | None, *, is_left: bool
    ) -> Answer:
        """Decide and keep the answer, which is returned. Raises TakenOverError, UnsettledError.

        `is_left`: whoever began it is gone, or it was a plan.
        """
        if attempt is None:
            return await self._keep_unknown(press, lease)
        return await self._carry_out(attempt, claim, is_left=is_left)

    async def _carry_out(self, attempt: Attempt, claim: Claim | None, *, is_left: bool) -> Answer:
        if claim is not None and claim.state is ClaimState.SENT and isinstance(attempt.press.shape, SetRule):
            return await self._settle(attempt, await self._ruled(attempt, attempt.press.shape))
        if claim is not None and claim.state is ClaimState.SENT:
            return await self._find_out(attempt, claim.sent_at or attempt.press.pressed_at, "The answer was lost.")
        if is_left and attempt.press.is_typed:  # nobody waits for it, and only its own process knows that it may
            return await self._settle(attempt, verdicts.left_behind(attempt))
        if self._clock.now() - attempt.press.pressed_at > STILL_WANTED:
            return await self._settle(attempt, verdicts.too_late(attempt))
        rule = self._access.rules.of(attempt.stored.named)
        refusal = await self._refusal(attempt)
        if refusal is not None:
            return await self._settle(attempt, refusal)
        loss = await self._claim(attempt, claim)
        if loss is not None:
            return loss
        seen = await self._see(attempt)
        if isinstance(seen, Answer):
            return await self._settle(attempt, seen)
        first = await self._first_of_two(attempt, seen)
        if isinstance(first, Answer):
            return await self._settle(attempt, first)
        return await self._act(attempt, rule, first, seen)

    async def _refusal(self, attempt: Attempt) -> Answer | None:
        """Step 1: why this person may not do this. Whether anybody may here, `_claim` finds out."""
        refusal = await self._not_allowed(attempt)
        if refusal is not None:
            return refusal
        ticket = self._access.rules.of(attempt.stored.named).ticket_refusal(attempt.press.ticket)
        if ticket is not None and attempt.action is Action.ACCEPT:
            return verdicts.ticket_needed(attempt, ticket)
        return None

    async def _not_allowed(self, attempt: Attempt) -> Answer | None:
        press = attempt.press
        if press.is_automatic:
            return self._policy_refusal(attempt, attempt.stored.recommendation)
        actor = Actor(team_id=press.team_id, user_id=press.user_id, name=press.user_name)
        refusal = await self._access.refusal_to_act(actor, attempt.stored.named)
        return None if refusal is None else Answer(outcome=Outcome.NOT_ALLOWED, text=refusal)

    def _policy_refusal(self, attempt: Attempt, recommendation: Recommendation) -> Answer | None:
        """Why the policy that acts may not, as the recommendation is now; None also where a person acts."""
        if not attempt.press.is_automatic:
            return None
        stored = attempt.stored
        why = self._policies.refusal(
            attempt.press.user_id,
            stored.key,
            stored.pool_name,
            recommendation,
            self._access.rules.of(stored.named),
            self._clock.now(),
        )
        return None if why is None else verdicts.nothing(attempt, Outcome.NOT_ALLOWED, why)

    async def _hindrance(self, connection: AsyncConnection, attempt: Attempt) -> Answer | None:
        """Why nobody may do this here now."""
        rights = await self._views.rights(connection, attempt.stored.tgc_pool)
        if rights.hindrance is None:
            return None
        if not rights.can_act:
            return verdicts.nothing(attempt, Outcome.READ_ONLY, rights.hindrance)
        is_held_back = attempt.action is Action.ACCEPT or attempt.action.shapes
        return verdicts.nothing(attempt, Outcome.PAUSED, rights.hindrance) if is_held_back else None

    async def _claim(self, attempt: Attempt, claim: Claim | None) -> Answer | None:
        """Step 2: be the only one who decides; else keep why not, and return it. `claim`: the press has one already."""
        row_id, now = attempt.stored.row_id, self._clock.now()
        async with self._database.write() as connection:
            if not await is_held(connection, attempt.lease):
                raise TakenOverError
            hindrance = await self._hindrance(connection, attempt)
            if hindrance is not None:
                await self._end(connection, attempt, hindrance)
                return hindrance
            if claim is not None:
                return None
            is_ours = await claims.claim(connection, row_id, attempt.press, attempt.lease, now)
            if not is_ours:
                loss = await self._lost(connection, attempt)
                await self._keep(connection, attempt, loss)
                return loss
            await cards.mark_all_dirty(connection, row_id, not_before=now + QUICK)
            newest = await decisions.newest_effective(connection, row_id)
            overtaken = verdicts.overtaken(attempt, newest, self._zone)
            if overtaken is not None:
                await self._end(connection, attempt, overtaken)
            return overtaken

    async def _lost(self, connection: AsyncConnection, attempt: Attempt) -> Answer:
        """Say who decides, or has decided."""
        winner = await claims.get(connection, attempt.stored.row_id)
        if winner.is_deciding and winner.press:
            return verdicts.outrun(attempt, await presses.get(connection, winner.press))
        newest = await decisions.newest_effective(connection, attempt.stored.row_id)
        if newest is not None:
            return verdicts.beaten(attempt, newest, self._zone)
        return verdicts.nothing(attempt, Outcome.TAKEN, "Somebody else decided first.")

    async def _see(self, attempt: Attempt) -> Recommendation | Answer:
        """Step 3: the recommendation as the person saw it, else why it is not, or cannot be read."""
        try:
            recommendation = await self._read(attempt)
        except TGCNotFoundError as error:
            await self._reconciler.forget(attempt.stored.key)
            return verdicts.nothing(attempt, Outcome.CHANGED, verdicts.GONE, str(error))
        except TGCError as error:
            why = f"The recommendation could not be read again: {error}"
            return verdicts.nothing(attempt, Outcome.NOT_DONE, why, str(error))
        difference = verdicts.changed(attempt, recommendation, self._clock.now())
        return difference or self._policy_refusal(attempt, recommendation) or recommendation

    async def _first_of_two(self, attempt: Attempt, recommendation: Recommendation) -> Approval | Answer | None:
        """Where two people must accept: what the first one did, else what to answer. None where one is enough."""
        if attempt.action is not Action.ACCEPT:
            return None
        reason = self._two_people.reason(attempt.stored, recommendation)
        return None if reason is None else await self._two_people.first(attempt, reason)

    async def _act(self, attempt: Attempt, rule: PoolRule, first: Approval | None, seen: Recommendation) -> Answer:
        """Step 4: commit to it, then ask the TGC once. `rule`: by which it was judged; `first`: what it rests on."""
        sent_at = self._tgc_now(attempt)
        async with self._database.write() as connection:
            # Once more, in the very transaction that commits to it: a pause may have begun since step 1, or a window
            # have closed.
            hindrance = await self._hindrance(connection, attempt) or self._policy_refusal(attempt, seen)
            hindrance = hindrance or self._other_rule(attempt, rule) or await self._left_to_people(connection, attempt)
            hindrance = hindrance or await self._first_is_over(connection, attempt, first)
            if hindrance is None and not await claims.send(connection, attempt.press, attempt.lease, sent_at):
                raise TakenOverError
        if hindrance is not None:
            return await self._settle(attempt, hindrance)
        try:
            await self._ask(attempt, seen)
        except TGCWithheldError:
            return await self._settle(attempt, verdicts.held_up(attempt))
        except TGCWrongStateError as error:
            return await self._settle(attempt, await self._wrong_state(attempt, error))
        except CERTAINLY_NOT_DONE as error:
            refusal = verdicts.nothing(attempt, Outcome.REFUSED, str(error), str(error))
            return await self._settle(attempt, refusal)
        except TGCError as error:
            _log.warning("the TGC's answer was lost; reading what became of it", reason=str(error), request=error.where)
            return await self._find_out(attempt, sent_at, str(error))
        return await self._settle(attempt, await self._taken(attempt))

    def _other_rule(self, attempt: Attempt, rule: PoolRule) -> Answer | None:
        """Who may approve has changed by a reload since step 1: whoever presses again is judged by that."""
        is_same = self._access.rules.of(attempt.stored.named) == rule
        return None if is_same else verdicts.rule_changed(attempt)

    async def _left_to_people(self, connection: AsyncConnection, attempt: Attempt) -> Answer | None:
        """Somebody may have changed it since the policy planned this."""
        if not attempt.press.is_automatic:
            return None
        if not await decisions.is_in_peoples_hands(connection, attempt.stored.row_id):
            return None
        return verdicts.nothing(attempt, Outcome.CHANGED, IN_PEOPLES_HANDS)

    async def _first_is_over(
        self, connection: AsyncConnection, attempt: Attempt, first: Approval | None
    ) -> Answer | None:
        if first is None or await approvals.stands(connection, first, since=self._two_people.since):
            return None
        return verdicts.first_is_over(attempt)

    async def _taken(self, attempt: Attempt) -> Answer:
        """The TGC took it. What a change has brought is what it shows now."""
        shape = attempt.press.shape
        if shape is None:
            return verdicts.done(attempt, "The TGC took it.")
        if isinstance(shape, SetRule):
            return await self._ruled(attempt, shape)
        try:
            recommendation = await self._read(attempt)
        except TGCError as error:
            return verdicts.shaped_unseen(attempt, str(error))
        return verdicts.shaped(attempt, shape, recommendation, "The TGC took it.")

    async def _ruled(self, attempt: Attempt, shape: SetRule) -> Answer:
        """What became of each VM's rule; it shows in no reading, so it is kept as the TGC answered."""
        recommendation = None
        with suppress(TGCError):
            recommendation = await self._read(attempt)
        return verdicts.ruled(attempt, shape, await self._shaper.rule_answers(attempt, shape), recommendation)

    async def _ask(self, attempt: Attempt, seen: Recommendation) -> None:
        key, may_send = attempt.stored.key, self._leases.may_send
        client = self._tgcs.tgc(key.tgc_key).client
        match attempt.action:
            case Action.ACCEPT:
                await client.accept(key.pool_uuid, key.recommendation_id, may_send=may_send)
            case Action.CANCEL:
                await client.cancel(key.pool_uuid, key.recommendation_id, may_send=may_send)
            case Action.DISMISS:
                async with self._database.read() as connection:
                    stored = await recommendations.by_row_id(connection, attempt.stored.row_id)
                if stored.recommendation.state == RecommendationState.AVAILABLE:
                    await client.acknowledge(key.pool_uuid, key.recommendation_id, may_send=may_send)
            case Action.REOPEN:
                pass  # the TGC keeps AVAILABLE_ACKED: reopening is ours alone
            case Action.FEEDBACK:
                feedback = verdicts.feedback_of(attempt.press)
                await client.send_feedback(key.pool_uuid, key.recommendation_id, feedback, may_send=may_send)
            case Action.LEAVE_OUT | Action.CHOOSE_ISSUES | Action.SET_RULE:
                await self._shaper.ask(attempt, seen)

    async def _wrong_state(self, attempt: Attempt, error: TGCWrongStateError) -> Answer:
        """The TGC says that this is not possible (any more): say what is true instead."""
        recommendation = None
        with suppress(TGCError):
            recommendation = await self._read(attempt)
        return verdicts.refused(attempt, recommendation, str(error))

    # Step 5: what became of a request whose answer was lost

    async def _find_out(self, attempt: Attempt, sent_at: datetime, answered: str) -> Answer:
        """Read the TGC until it shows what it did, for 15 s at most. Raises UnsettledError where it cannot be read.

        `answered`: what came in the place of an answer.
        """
        deadline = uptime(self._clock) + SEARCHING
        while True:
            answer = await self._look(attempt, sent_at, answered)
            is_settled = answer is not None and answer.outcome is not Outcome.NOT_DONE
            if is_settled or uptime(self._clock) >= deadline:
                break
            await self._clock.sleep(_READ_EVERY_S)
        if answer is None:
            raise UnsettledError
        return await self._settle(attempt, answer)

    async def _look(self, attempt: Attempt, sent_at: datetime, answered: str) -> Answer | None:
        """What the TGC shows now; None where it shows nothing."""
        try:
            recommendation = await self._read(attempt)
        except TGCNotFoundError:
            await self._reconciler.forget(attempt.stored.key)
            return verdicts.never_known(attempt, answered)
        except UnknownTgcError as error:  # there is nobody left to ask
            return verdicts.never_known(attempt, answered, str(error))
        except TGCError:
            async with self._database.read() as connection:
                stored = await recommendations.by_row_id(connection, attempt.stored.row_id)
            return verdicts.never_known(attempt, answered) if stored.gone else None
        return verdicts.became(attempt, recommendation, sent_at=sent_at, answered=answered)

    def _tgc_now(self, attempt: Attempt) -> datetime:
        """By the TGC's own clock: ours may be set before the answer is known, or another replica may look for it."""
        tgc = self._tgcs.get(attempt.stored.key.tgc_key)
        return self._clock.now() + ((tgc and tgc.client.clock_offset) or timedelta(0))

    # Reading and keeping

    async def _read(self, attempt: Attempt) -> Recommendation:
        """Read the recommendation anew, whatever was read before, and keep it. Raises TGCError."""
        key = attempt.stored.key
        self._tgcs.drop(key.tgc_key, key.pool_uuid)
        tgc = self._tgcs.tgc(key.tgc_key)
        reading = await read_again(tgc, self._clock, attempt.stored.pool, key.recommendation_id)
        await self._reconciler.remember(reading)
        return reading.recommendation or Recommendation()

    async def _settle(self, attempt: Attempt, answer: Answer) -> Answer:
        """Keep what came of it, in one transaction."""
        async with self._database.write() as connection:
            await self._end(connection, attempt, answer)
        self._tgcs.drop(attempt.stored.key.tgc_key, attempt.stored.key.pool_uuid)
        return answer

    async def _end(self, connection: AsyncConnection, attempt: Attempt, answer: Answer) -> None:
        """Keep decision and answer, end the claim if there is one, and have the card painted."""
        row_id = attempt.stored.row_id
        await self._keep(connection, attempt, answer)
        was_accepted = await decisions.is_accepted(connection, row_id)
        state = ClaimState.ACCEPTED if was_accepted else ClaimState.OPEN
        await claims.settle(connection, attempt.press, attempt.lease, state)
        await cards.mark_all_dirty(connection, row_id)

    async def _keep(self, connection: AsyncConnection, attempt: Attempt, answer: Answer) -> None:
        """Keep decision and answer, and what follows from them. Raises TakenOverError."""
        await self._write_down(connection, attempt.press, attempt.lease, attempt, answer)
        await self._two_people.settle(connection, attempt, answer)
        await self._due_plans.settle(connection, attempt, answer)
        await self._shaper.settle(connection, attempt, answer)

    async def _write_down(
        self, connection: AsyncConnection, press: Press, lease: Lease, attempt: Attempt | None, answer: Answer
    ) -> None:
        if not await presses.answer(connection, lease, answer.text):
            raise TakenOverError
        stored = attempt.stored if attempt else None
        decision = Decision(
            recommendation=stored.row_id if stored else None,
            tgc_key=stored.key.tgc_key if stored else self._tgcs.key_of_all,
            pool_uuid=stored.key.pool_uuid if stored else None,
            pool_name=stored.pool_name if stored else None,
            recommendation_id=stored.key.recommendation_id if stored else None,
            action=press.action,
            offer_id=press.offer_id,
            seen=attempt.offer.shown if attempt else None,
            typed=None if press.shape is None else asked_for(press.shape),
            team_id=press.team_id,
            user_id=press.user_id,
            user_name=press.user_name,
            channel_id=press.channel_id,
            decided_at=self._clock.now(),
            outcome=answer.outcome,
            told=answer.text,
            tgc_answer=answer.tgc_answer,
            ticket=press.ticket,
            note=press.note,
            feedback=press.feedback,
        )
        await decisions.add(connection, decision)
        DECISIONS.labels(action=press.action, outcome=answer.outcome).inc()

    async def _keep_unknown(self, press: Press, lease: Lease) -> Answer:
        answer = Answer(outcome=Outcome.UNKNOWN_OFFER, text=verdicts.UNKNOWN_BUTTON)
        async with self._database.write() as connection:
            await self._write_down(connection, press, lease, None, answer)
        return answer

    # Showing and telling

    async def _bring_up(self, attempt: Attempt, answer: Answer | None) -> None:
        """Show on the card what became of it; after our accept by a new reading, as other moves may run.

        `answer`: None where it was given before.
        """
        if answer is None or answer.outcome is Outcome.DONE:
            await self._read_what_runs(attempt)
        await self._reconciler.reconcile(attempt.stored.key)

    async def _read_what_runs(self, attempt: Attempt) -> None:
        async with self._database.read() as connection:
            claim = await claims.get(connection, attempt.stored.row_id)
        if claim.state is ClaimState.ACCEPTED and claim.press == attempt.press.id:
            with suppress(TGCError):
                await self._read(attempt)

    async def _tell(self, press: Press, lease: Lease, text: str, reply: Reply | None) -> None:
        """Tell the presser; where Slack cannot be reached now, the answer is kept for the next try."""
        message = render_sentence(text)
        if reply is None or not await reply(message):
            try:
                await self._tell_elsewhere(press, message)
            except SlackRefusedError as error:
                _log.warning("a presser could not be told", user=press.user_id, reason=str(error))
            except SlackError as error:
                _log.warning("a presser is not told yet", user=press.user_id, reason=str(error))
                return
        async with self._database.write() as connection:
            await presses.told(connection, lease, self._clock.now())

    async def _say_unsettled(self, press: Press, reply: Reply | None) -> None:
        _log.warning("nobody can tell yet what the TGC did; it is read again soon", press=press.id)
        if reply is not None:
            await reply(render_sentence(verdicts.UNSETTLED))
