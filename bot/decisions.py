"""The decision protocol: from a press to what the TGC did, through races, lost answers and crashes.

    1  may this person?                          else refused
    2  claim: open -> claimed                    else told who was first
    3  read the recommendation again             changed: released, told what changed
    4  claimed -> sent, committed; then one POST
    5  the TGC's answer; where it was lost, the TGC is read until it shows what happened

A press is kept before it is worked on, and its lease is the claim's: after a crash whoever takes over the press goes
on from 1 (claimed, younger than 2 minutes), tells the person that it is too late (older), or reads (sent).
Every answer is kept before it is told, so nobody is left without one.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.card_views import CardViews, moment
from bot.clock import Clock
from bot.metrics import DECISIONS
from bot.readings import PoolReading, Readings, Tgc
from bot.recommendations import is_expired, is_open, plan_of
from bot.reconcile import Reconciler
from bot.rendering.answers import render_sentence
from bot.rendering.views import Action, Message
from bot.slack import Slack, SlackError, SlackRefusedError
from bot.storage import cards, claims, decisions, offers, presses, recommendations
from bot.storage.claims import Claim, ClaimState
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.leases import Lease, Leases
from bot.storage.offers import Offer
from bot.storage.presses import Press
from bot.storage.recommendations import Stored
from bot.storage.tables import presses as presses_table
from tgc.errors import (
    TGCCertificateError,
    TGCError,
    TGCForbiddenError,
    TGCLoginError,
    TGCNotFoundError,
    TGCSessionError,
    TGCUnsupportedError,
    TGCWrongStateError,
)
from tgc.models import ExecutionState, Pool, Recommendation, RecommendationState

_log = structlog.get_logger(__name__)

STILL_WANTED = timedelta(minutes=2)
"""After a crash: how old a press may be and still be carried out."""
SEARCHING = timedelta(seconds=15)
"""How long the TGC is read for what became of a request whose answer was lost."""
_READ_EVERY_S = 1.0
_CLOCKS_APART = timedelta(seconds=10)
"""By how much an acceptedTime may miss our request, the TGC's clock offset already counted in."""

_CERTAINLY_NOT_DONE = (
    TGCForbiddenError,
    TGCNotFoundError,
    TGCLoginError,
    TGCSessionError,
    TGCCertificateError,
    TGCUnsupportedError,
)

_DONE_WORDS = {
    Action.ACCEPT: "accepted",
    Action.DISMISS: "dismissed",
    Action.REOPEN: "reopened",
    Action.CANCEL: "cancelled",
}
_DOING_WORDS = {
    Action.ACCEPT: "accepting",
    Action.DISMISS: "dismissing",
    Action.REOPEN: "reopening",
    Action.CANCEL: "cancelling",
}

Reply = Callable[[Message], Awaitable[bool]]
"""Shows the presser an answer where they pressed; False where that was not possible."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a press: for the journal, and in a sentence for the presser."""

    outcome: Outcome
    text: str
    tgc_answer: str | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One press being worked on."""

    press: Press
    lease: Lease
    offer: Offer
    stored: Stored

    @property
    def action(self) -> Action:
        return self.press.action


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
        access: Access,
        views: CardViews,
        readings: Readings,
        reconciler: Reconciler,
        slack: Slack,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._leases = leases
        self._access = access
        self._views = views
        self._readings = readings
        self._tgc: Tgc = readings.tgc
        self._reconciler = reconciler
        self._slack = slack
        self._clock = clock
        self._zone = zone

    async def press(self, press: Press, reply: Reply) -> None:
        """Carry out a press and answer it; one that was delivered before is left to its first delivery."""
        async with self._database.write() as connection:
            if not await presses.add(connection, press):
                return
        await self._handle(press, reply)

    async def resume(self) -> None:
        """Take up the presses that a crash left without an answer."""
        async with self._database.read() as connection:
            untold = await presses.untold(connection, self._clock.now())
        for press in untold:
            await self._handle(press, None)

    async def _handle(self, press: Press, reply: Reply | None) -> None:
        async with self._database.write() as connection:
            lease = await self._leases.take(connection, presses_table, presses_table.c.id == press.id)
        if lease is None:
            return
        async with self._leases.kept(lease):
            try:
                text = press.answer or await self._decide(press, lease)
            except TakenOverError:
                return
            except UnsettledError:
                await self._say_unsettled(press, reply)
                return
            await self._tell(press, lease, text, reply)

    # Deciding

    async def _decide(self, press: Press, lease: Lease) -> str:
        """Decide and keep the answer, which is returned."""
        async with self._database.write() as connection:
            claim = await claims.take_over(connection, press, lease)
            offer = await offers.get(connection, press.offer_id)
            stored = await recommendations.by_row_id(connection, offer.recommendation) if offer else None
        if offer is None or stored is None:
            return await self._keep_unknown(press, lease)
        attempt = Attempt(press=press, lease=lease, offer=offer, stored=stored)
        answer = await self._carry_out(attempt, claim)
        return answer.text

    async def _carry_out(self, attempt: Attempt, claim: Claim | None) -> Answer:
        if claim is not None and claim.state is ClaimState.SENT:
            return await self._find_out(attempt, claim.sent_at or attempt.press.pressed_at)
        if self._clock.now() - attempt.press.pressed_at > STILL_WANTED:
            return await self._settle(attempt, _too_late(attempt))
        refusal = await self._refusal(attempt)
        if refusal is not None:
            return await self._settle(attempt, refusal)
        if claim is None:
            loss = await self._claim(attempt)
            if loss is not None:
                return await self._settle(attempt, loss)
        changed = await self._what_changed(attempt)
        if changed is not None:
            return await self._settle(attempt, changed)
        return await self._act(attempt)

    async def _refusal(self, attempt: Attempt) -> Answer | None:
        """Step 1: why this person may not do this here."""
        press = attempt.press
        actor = Actor(team_id=press.team_id, user_id=press.user_id, name=press.user_name)
        refusal = await self._access.refusal_to_act(actor)
        if refusal is not None:
            return Answer(outcome=Outcome.NOT_ALLOWED, text=refusal)
        async with self._database.read() as connection:
            rights = await self._views.rights(connection, attempt.stored)
        if rights.hindrance and not (rights.can_accept if attempt.action is Action.ACCEPT else rights.can_act):
            outcome = Outcome.PAUSED if rights.can_act else Outcome.READ_ONLY
            return Answer(outcome=outcome, text=f"Nothing was done. {rights.hindrance}")
        return None

    async def _claim(self, attempt: Attempt) -> Answer | None:
        """Step 2: be the only one who decides; else say who does."""
        async with self._database.write() as connection:
            row_id = attempt.stored.row_id
            newest = await decisions.newest_effective(connection, row_id)
            is_dismissed = newest is not None and newest.action == Action.DISMISS
            if newest is not None and is_dismissed and attempt.action in {Action.ACCEPT, Action.DISMISS}:
                return self._beaten(newest)
            if attempt.action is Action.REOPEN and not is_dismissed:
                return Answer(
                    outcome=Outcome.TAKEN, text="It is not dismissed any more, so there is nothing to reopen."
                )
            if await claims.claim(connection, row_id, attempt.press, attempt.lease, self._clock.now()):
                return None
            winner = await claims.get(connection, row_id)
            if winner.is_deciding and winner.press and winner.action:
                name = (await presses.get(connection, winner.press)).user_name
                doing = _DOING_WORDS[winner.action]
                return Answer(outcome=Outcome.TAKEN, text=f"Nothing was done: {name} is {doing} it right now.")
            if newest is not None:
                return self._beaten(newest)
        return Answer(outcome=Outcome.TAKEN, text="Nothing was done: somebody else decided first.")

    def _beaten(self, newest: Decision) -> Answer:
        done = _DONE_WORDS[Action(newest.action)]
        when = moment(newest.decided_at, self._zone)
        hint = " Reopen it first." if newest.action == Action.DISMISS else ""
        return Answer(outcome=Outcome.TAKEN, text=f"Nothing was done: {newest.user_name} {done} it at {when}.{hint}")

    async def _what_changed(self, attempt: Attempt) -> Answer | None:
        """Step 3: why the recommendation is not what the person saw, or cannot be read."""
        try:
            recommendation = await self._read(attempt)
        except TGCNotFoundError as error:
            await self._reconciler.forget(attempt.stored.key)
            return Answer(
                outcome=Outcome.CHANGED,
                text="Nothing was done: the Tintri Global Center does not know this recommendation any more.",
                tgc_answer=str(error),
            )
        except TGCError as error:
            return Answer(
                outcome=Outcome.NOT_DONE,
                text=f"Nothing was done, because the recommendation could not be read again: {error}",
                tgc_answer=str(error),
            )
        reason = self._reason_against(attempt, recommendation)
        return None if reason is None else Answer(outcome=Outcome.CHANGED, text=f"Nothing was done: {reason}")

    def _reason_against(self, attempt: Attempt, recommendation: Recommendation) -> str | None:
        if attempt.action is Action.CANCEL:
            return None if _is_running(recommendation) else f"it does not run any more. {_state_words(recommendation)}"
        if not is_open(recommendation):
            return _state_words(recommendation)
        if is_expired(recommendation, self._clock.now()):
            return "it has expired."
        if plan_of(recommendation).fingerprint != attempt.offer.fingerprint:
            return "its moves are not the ones you saw. The card shows the new ones; look at them and press again."
        return None

    async def _act(self, attempt: Attempt) -> Answer:
        """Step 4: commit to it, then ask the TGC once."""
        sent_at = self._clock.now()
        async with self._database.write() as connection:
            pause = await self._pause(connection, attempt)
            if pause is None and not await claims.send(connection, attempt.press, attempt.lease, sent_at):
                raise TakenOverError
        if pause is not None:
            return await self._settle(attempt, pause)
        try:
            await self._ask(attempt)
        except TGCWrongStateError as error:
            return await self._settle(attempt, await self._wrong_state(attempt, error))
        except _CERTAINLY_NOT_DONE as error:
            text = f"Nothing was done, because the Tintri Global Center refused it: {error}"
            return await self._settle(attempt, Answer(outcome=Outcome.REFUSED, text=text, tgc_answer=str(error)))
        except TGCError as error:
            _log.warning("the TGC's answer was lost; reading what became of it", reason=str(error))
            await self._reconciler.reconcile(attempt.stored.key)
            return await self._find_out(attempt, sent_at)
        answer = await self._settle(attempt, _done(attempt, "The TGC took it."))
        await self._read_after(attempt)
        return answer

    async def _pause(self, connection: AsyncConnection, attempt: Attempt) -> Answer | None:
        """A pause that began since step 1, seen in the transaction that would commit to accepting."""
        if attempt.action is not Action.ACCEPT:
            return None
        rights = await self._views.rights(connection, attempt.stored)
        if rights.can_accept:
            return None
        return Answer(outcome=Outcome.PAUSED, text=f"Nothing was done. {rights.hindrance}")

    async def _ask(self, attempt: Attempt) -> None:
        client, key = self._tgc.client, attempt.stored.key
        match attempt.action:
            case Action.ACCEPT:
                await client.accept(key.pool_uuid, key.recommendation_id)
            case Action.CANCEL:
                await client.cancel(key.pool_uuid, key.recommendation_id)
            case Action.DISMISS:
                async with self._database.read() as connection:
                    stored = await recommendations.by_row_id(connection, attempt.stored.row_id)
                if stored.recommendation.state == RecommendationState.AVAILABLE:
                    await client.acknowledge(key.pool_uuid, key.recommendation_id)
            case Action.REOPEN:
                pass  # the TGC keeps AVAILABLE_ACKED: reopening is ours alone

    async def _wrong_state(self, attempt: Attempt, error: TGCWrongStateError) -> Answer:
        """The TGC says that this is not possible (any more): say what is true instead."""
        refused = Answer(outcome=Outcome.REFUSED, text=f"Nothing was done: {error}", tgc_answer=str(error))
        try:
            recommendation = await self._read(attempt)
        except TGCError:
            return refused
        if not is_open(recommendation):
            text = f"Nothing was done: {_state_words(recommendation)}"
            return Answer(outcome=Outcome.CHANGED, text=text, tgc_answer=str(error))
        # Somebody viewed it in the TGC's own GUI between our reading and our acknowledge: that is all we wanted.
        return _done(attempt, str(error)) if attempt.action is Action.DISMISS else refused

    # Step 5: what became of a request whose answer was lost

    async def _find_out(self, attempt: Attempt, sent_at: datetime) -> Answer:
        """Read the TGC until it shows what it did, for 15 s at most. Raises UnsettledError where it cannot be read."""
        deadline = self._clock.now() + SEARCHING
        answer: Answer | None = None
        while True:
            with suppress(TGCError):
                answer = self._judge(attempt, await self._read(attempt), sent_at)
                if answer.outcome is not Outcome.NOT_DONE:
                    break
            if self._clock.now() >= deadline:
                break
            await self._clock.sleep(_READ_EVERY_S)
        if answer is None:
            raise UnsettledError
        return await self._settle(attempt, answer)

    def _judge(self, attempt: Attempt, recommendation: Recommendation, sent_at: datetime) -> Answer:
        lost = "The TGC's answer was lost; a reading showed this."
        not_done = Answer(
            outcome=Outcome.NOT_DONE,
            text="Nothing was done: the Tintri Global Center did not get it. Press again.",
            tgc_answer=lost,
        )
        match attempt.action:
            case Action.ACCEPT if is_open(recommendation):
                return not_done
            case Action.ACCEPT if recommendation.state == RecommendationState.ACCEPTED:
                if self._fits(recommendation.accepted_time, sent_at):
                    return _done(attempt, lost)
            case Action.CANCEL if recommendation.state == RecommendationState.CANCELLED:
                return _done(attempt, lost)
            case Action.CANCEL if _is_running(recommendation):
                return not_done
            case Action.DISMISS | Action.REOPEN if is_open(recommendation):
                return _done(attempt, lost)
        text = f"Nothing was done: {_state_words(recommendation)}"
        return Answer(outcome=Outcome.CHANGED, text=text, tgc_answer=lost)

    def _fits(self, accepted_time: datetime | None, sent_at: datetime) -> bool:
        """Whether the TGC accepted when we asked it to. Without a time, our claim and our request speak for us."""
        if accepted_time is None:
            return True
        ours = accepted_time - (self._tgc.client.clock_offset or timedelta(0))
        return sent_at - _CLOCKS_APART <= ours <= self._clock.now() + _CLOCKS_APART

    # Reading and keeping

    async def _read(self, attempt: Attempt) -> Recommendation:
        """Read the recommendation anew, whatever was read before, and keep it. Raises TGCError."""
        key = attempt.stored.key
        self._readings.drop(key.pool_uuid)
        read_at = self._clock.now()
        recommendation = await self._tgc.client.recommendation(key.pool_uuid, key.recommendation_id)
        if recommendation.id is None:
            recommendation = msgspec.structs.replace(recommendation, id=key.recommendation_id)
        elif recommendation.id != key.recommendation_id:  # never decide on another one than the person saw
            replaced = RecommendationState.INVALIDATED
            recommendation = Recommendation(id=key.recommendation_id, state=replaced)
        pool = Pool(uuid=key.pool_uuid, name=attempt.stored.pool_name)
        await self._reconciler.remember(PoolReading(pool=pool, read_at=read_at, recommendation=recommendation))
        return recommendation

    async def _read_after(self, attempt: Attempt) -> None:
        """Read once more: other moves than offered are found by the card's rendering, which says so loudly."""
        with suppress(TGCError):
            await self._read(attempt)
        self._readings.drop(attempt.stored.key.pool_uuid)
        await self._reconciler.reconcile(attempt.stored.key)

    async def _settle(self, attempt: Attempt, answer: Answer) -> Answer:
        """End the claim, keep decision and answer, and have the card painted: one transaction."""
        was_done = answer.outcome is Outcome.DONE
        ends_accepted = attempt.action is Action.CANCEL or (attempt.action is Action.ACCEPT and was_done)
        async with self._database.write() as connection:
            if not await presses.is_held(connection, attempt.lease):
                raise TakenOverError
            state = ClaimState.ACCEPTED if ends_accepted else ClaimState.OPEN
            await claims.settle(connection, attempt.press, attempt.lease, state)
            await self._keep(connection, attempt.press, attempt.lease, attempt.stored, answer)
            await cards.mark_all_dirty(connection, attempt.stored.row_id)
        return answer

    async def _keep(
        self, connection: AsyncConnection, press: Press, lease: Lease, stored: Stored | None, answer: Answer
    ) -> None:
        decision = Decision(
            recommendation=stored.row_id if stored else None,
            tgc_key=stored.key.tgc_key if stored else self._tgc.key,
            pool_uuid=stored.key.pool_uuid if stored else None,
            action=press.action,
            offer_id=press.offer_id,
            team_id=press.team_id,
            user_id=press.user_id,
            user_name=press.user_name,
            channel_id=press.channel_id,
            decided_at=self._clock.now(),
            outcome=answer.outcome,
            tgc_answer=answer.tgc_answer,
        )
        await decisions.add(connection, decision)
        await presses.answer(connection, lease, answer.text)
        DECISIONS.labels(action=press.action, outcome=answer.outcome).inc()

    async def _keep_unknown(self, press: Press, lease: Lease) -> str:
        text = "Nothing was done: I do not know this button any more. Type /tintri reco for what there is now."
        async with self._database.write() as connection:
            await self._keep(connection, press, lease, None, Answer(outcome=Outcome.UNKNOWN_OFFER, text=text))
        return text

    # Telling

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

    async def _tell_elsewhere(self, press: Press, message: Message) -> None:
        """Tell without a response_url: in the channel, for the presser only; else in a direct message."""
        if press.channel_id is not None:
            with suppress(SlackRefusedError):
                await self._slack.tell(press.channel_id, press.user_id, message)
                return
        await self._slack.post(press.user_id, message, key=f"answer/{press.id}", facts={}, thread_ts=None)

    async def _say_unsettled(self, press: Press, reply: Reply | None) -> None:
        _log.warning("nobody can tell yet what the TGC did; it is read again soon", press=press.id)
        if reply is not None:
            text = (
                "The Tintri Global Center does not answer, so I cannot tell yet whether that was done. "
                "I keep asking and tell you here; do not press again."
            )
            await reply(render_sentence(text))


def _done(attempt: Attempt, tgc_answer: str) -> Answer:
    text = {
        Action.ACCEPT: "Accepted. The card shows how it goes.",
        Action.DISMISS: "Dismissed. Reopen undoes that.",
        Action.REOPEN: "Reopened.",
        Action.CANCEL: "Cancelled. What had already moved stays where it is.",
    }[attempt.action]
    return Answer(outcome=Outcome.DONE, text=f"{attempt.stored.pool_name}: {text}", tgc_answer=tgc_answer)


def _too_late(attempt: Attempt) -> Answer:
    text = f"Nothing was done: I was away when you pressed {attempt.action.capitalize()}. Look again and press again."
    return Answer(outcome=Outcome.NOT_DONE, text=text)


def _is_running(recommendation: Recommendation) -> bool:
    state = recommendation.execution_state
    ended = state is not None and (state.is_end or state == ExecutionState.CANCELLED_PENDING)
    return recommendation.state == RecommendationState.ACCEPTED and not ended


def _state_words(recommendation: Recommendation) -> str:
    """Why it cannot be decided on, as a sentence's end."""
    match recommendation.state:
        case RecommendationState.AVAILABLE | RecommendationState.AVAILABLE_ACKED:
            return "it is still open."
        case RecommendationState.ACCEPTED:
            return "it was already accepted in the Tintri Global Center."
        case RecommendationState.CANCELLED:
            return "it was cancelled."
        case RecommendationState.EXPIRED:
            return "it has expired."
        case RecommendationState.INVALIDATED | RecommendationState.REFRESH:
            return "the Tintri Global Center has replaced or withdrawn it."
        case state:
            return f"its state is now {state or 'unknown'}."
