"""What comes of a press, in an outcome and a sentence: from what was pressed and what the TGC shows. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from bot.card_views import UNREADABLE_PLAN, moment
from bot.recommendations import is_expired, is_open, plan_of
from bot.rendering.shapes import (
    ChooseIssues,
    Chosen,
    LeaveOut,
    SetRule,
    is_met,
    is_so_already,
    movable_vms,
    named_vms,
    rule_in_words,
)
from bot.rendering.views import Action
from bot.rendering.words import counted
from bot.storage.decisions import Decision, Outcome
from bot.storage.leases import Lease
from bot.storage.offers import Offer
from bot.storage.planned_accepts import PlannedAccept
from bot.storage.presses import Press
from bot.storage.recommendations import Stored
from tgc.models import ExecutionState, Feedback, Recommendation, RecommendationState

UNKNOWN_BUTTON = "Nothing was done. I do not know this button any more: type /tintri reco for what there is now."
EXPIRED = "It has expired."
GONE = "The Tintri Global Center does not know this recommendation any more."
UNSETTLED = (
    "The Tintri Global Center does not answer, so I cannot tell yet whether that was done. "
    "I keep asking and tell you here; do not press again."
)
_BUILDS_ANOTHER = (
    "The TGC builds another recommendation for the issues you chose. Its card appears when it is built; "
    "where that takes more than 5 minutes, the thread of the old card says so."
)
_OLD_STANDS = "The TGC took the change, but still shows the old recommendation: look again in a minute."
OTHER_MOVES = "Its moves are not the ones you saw. The card shows the new ones: look at them and press again."
_OTHER_MOVES_TYPED = "Its moves are not the ones you saw. Run the command again to see the new ones."

_CLOCKS_APART = timedelta(seconds=10)
"""By how much an acceptedTime may come before our request, by the TGC's clock."""
_TAKEN_WITHIN = timedelta(minutes=2)
"""How long after we began to ask, a login and a slow TGC included, an acceptedTime can still be ours."""

_ACCEPTED_ONCE = frozenset({RecommendationState.ACCEPTED, RecommendationState.CANCELLED})
_CANCELLED = frozenset({ExecutionState.CANCELLED_PENDING, ExecutionState.COMPLETED_CANCELLED})
_DONE_WORDS = {
    Action.ACCEPT: "accepted",
    Action.DISMISS: "dismissed",
    Action.REOPEN: "reopened",
    Action.CANCEL: "cancelled",
    Action.FEEDBACK: "sent",
    Action.LEAVE_OUT: "changed",
    Action.CHOOSE_ISSUES: "had another one built in the place of",
    Action.SET_RULE: "changed",
}
_DOING_WORDS = {
    Action.ACCEPT: "accepting",
    Action.DISMISS: "dismissing",
    Action.REOPEN: "reopening",
    Action.CANCEL: "cancelling",
    Action.FEEDBACK: "sending feedback about",
    Action.LEAVE_OUT: "changing",
    Action.CHOOSE_ISSUES: "changing",
    Action.SET_RULE: "changing",
}
_LABELS = {
    Action.ACCEPT: "Accept",
    Action.DISMISS: "Dismiss",
    Action.REOPEN: "Reopen",
    Action.CANCEL: "Cancel",
    Action.FEEDBACK: "Say why",
    Action.LEAVE_OUT: "Leave VMs out… in Details",
    Action.CHOOSE_ISSUES: "Choose issues… in Details",
    Action.SET_RULE: "Never move… in Details",
}
_DONE_SENTENCES = {
    Action.ACCEPT: "Accepted. The card shows how it goes.",
    Action.DISMISS: "Dismissed. Reopen undoes that.",
    Action.REOPEN: "Reopened.",
    Action.CANCEL: "Cancelled. What had already moved stays where it is.",
    Action.FEEDBACK: "Your feedback was sent to the Tintri Global Center.",
}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a press: for the journal, and in sentences for the presser."""

    outcome: Outcome
    text: str
    tgc_answer: str | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One press being worked on."""

    press: Press
    lease: Lease
    offer: Offer
    stored: Stored
    planned: PlannedAccept | None = None
    """Where its person planned it, and did not press it now."""

    @property
    def action(self) -> Action:
        return self.press.action


def done(attempt: Attempt, tgc_answer: str) -> Answer:
    """For what is not shaping: of that a reading tells (`shaped`)."""
    said = "Accepted." if attempt.press.is_typed else _DONE_SENTENCES[attempt.action]
    if attempt.press.is_automatic:
        said = "Accepted, without anybody pressing. Cancel on the card stops what has not begun to move."
    text = f"{attempt.stored.pool_name}: {said}"
    return Answer(outcome=Outcome.DONE, text=text, tgc_answer=tgc_answer)


def nothing(attempt: Attempt, outcome: Outcome, why: str, tgc_answer: str | None = None) -> Answer:
    # What somebody wrote beside their feedback is kept whatever becomes of that.
    head = "The feedback was not sent." if attempt.action is Action.FEEDBACK else "Nothing was done."
    once = " The policy does not try it again." if attempt.press.is_automatic else ""
    text = f"{attempt.stored.pool_name}: {head} {why}{once}"
    return Answer(outcome=outcome, text=text, tgc_answer=tgc_answer)


def too_late(attempt: Attempt) -> Answer:
    label = _LABELS[attempt.action]
    when = "at the time you planned" if attempt.planned else f"when you pressed {label}"
    when = "at its time" if attempt.press.is_automatic else when
    why = f"I was away {when}: look at it again and press {label}."
    return nothing(attempt, Outcome.NOT_DONE, why)


def ticket_needed(attempt: Attempt, refusal: str) -> Answer:
    how = "Plan it anew" if attempt.planned else "Press Accept on the card as it is now"
    return nothing(attempt, Outcome.TICKET_NEEDED, f"{refusal} {how}: the form asks for it.")


def feedback_of(press: Press) -> Feedback:
    return Feedback(state=press.feedback, comment=press.note)


def left_behind(attempt: Attempt) -> Answer:
    return nothing(attempt, Outcome.NOT_DONE, "The command ended before the TGC was asked.")


def accepted_first(attempt: Attempt, reason: str) -> Answer:
    who = "A policy, which counts as the first of two only," if attempt.press.is_automatic else "You"
    text = f"{attempt.stored.pool_name}: {who} accepted it as the first. {_two(reason)}"
    return Answer(outcome=Outcome.ACCEPTED_FIRST, text=text)


def second_needed(attempt: Attempt, reason: str, *, after_policy: bool) -> Answer:
    """`after_policy`: whether a policy was the first."""
    if attempt.press.is_automatic:
        why = f"It was accepted before, and a policy is never the second of two. {_two(reason)}"
        return nothing(attempt, Outcome.SECOND_NEEDED, why)
    if after_policy:
        why = f"A policy was the first, and the command line, which may run by itself, is no second. {_two(reason)}"
        return nothing(attempt, Outcome.SECOND_NEEDED, why)
    who = "The command line, which counts as one person," if attempt.press.is_typed else "You"
    return nothing(attempt, Outcome.SECOND_NEEDED, f"{who} accepted it before. {_two(reason)}")


def rule_changed(attempt: Attempt) -> Answer:
    return nothing(attempt, Outcome.CHANGED, f"Who may approve in this pool has just been changed. {_again(attempt)}")


def first_unchecked(attempt: Attempt, first_name: str, problem: str) -> Answer:
    why = f"{first_name} accepted it first, and I could not check whether {first_name} may act still: {problem}"
    return nothing(attempt, Outcome.NOT_ALLOWED, why)


def first_is_over(attempt: Attempt) -> Answer:
    why = f"What the first person accepted does not stand any more. {_again(attempt)}"
    return nothing(attempt, Outcome.CHANGED, why)


def _two(reason: str) -> str:
    return f"A second person must accept it too, because {reason}; until then nothing moves."


def _again(attempt: Attempt) -> str:
    if attempt.press.is_automatic:
        return "Look at the card, and press Accept."
    return "Run the command again." if attempt.press.is_typed else "Press again."


def held_up(attempt: Attempt) -> Answer:
    again = "run the command" if attempt.press.is_typed else f"press {_LABELS[attempt.action]}"
    why = f"I was held up right before I could ask the TGC: look at it again and {again} again."
    return nothing(attempt, Outcome.NOT_DONE, why)


def never_known(attempt: Attempt, answered: str, why: str = GONE) -> Answer:
    verb = _DONE_WORDS[attempt.action]
    text = f"{attempt.stored.pool_name}: Nobody can tell whether it was {verb}, because the answer was lost. {why}"
    return Answer(outcome=Outcome.NEVER_KNOWN, text=text, tgc_answer=answered)


def outrun(attempt: Attempt, winner: Press) -> Answer:
    """Somebody else is at it right now."""
    why = f"{winner.user_name} is {_DOING_WORDS[winner.action]} it right now."
    return nothing(attempt, Outcome.TAKEN, why)


def beaten(attempt: Attempt, newest: Decision, zone: ZoneInfo) -> Answer:
    """Somebody else has decided."""
    verb, when = _DONE_WORDS[Action(newest.action)], moment(newest.decided_at, zone)
    is_held_back = (attempt.action is Action.ACCEPT or attempt.action.shapes) and newest.action == Action.DISMISS
    hint = " Reopen it first." if is_held_back else ""
    return nothing(attempt, Outcome.TAKEN, f"{newest.user_name} {verb} it at {when}.{hint}")


def overtaken(attempt: Attempt, newest: Decision | None, zone: ZoneInfo) -> Answer | None:
    """Why it cannot be done after the newest decision, although nobody is at it."""
    is_dismissed = newest is not None and newest.action == Action.DISMISS
    match attempt.action:
        case Action.REOPEN if not is_dismissed:
            return nothing(attempt, Outcome.TAKEN, "It is not dismissed any more, so there is nothing to reopen.")
        case Action.REOPEN | Action.CANCEL | Action.FEEDBACK:
            return None
        case _:
            return beaten(attempt, newest, zone) if newest is not None and is_dismissed else None


def changed(attempt: Attempt, recommendation: Recommendation, now: datetime) -> Answer | None:
    """Why the recommendation is not what the person saw, or not what can be done with."""
    plan = plan_of(recommendation)
    if not is_possible(attempt, recommendation):
        return _impossible(attempt, recommendation)
    if attempt.action is Action.CANCEL:
        return None
    if is_expired(recommendation, now):
        return nothing(attempt, Outcome.CHANGED, EXPIRED)
    is_unknown = attempt.action.shapes and attempt.press.shape is None  # what was chosen is not there any more
    if plan.fingerprint != attempt.offer.fingerprint or is_unknown:
        return nothing(attempt, Outcome.CHANGED, _other_moves(attempt))
    if attempt.press.shape is not None and is_so_already(attempt.press.shape, recommendation):
        return nothing(attempt, Outcome.NOT_DONE, "These are the issues that it solves already.")
    if attempt.action is Action.ACCEPT and not plan.whole:
        return nothing(attempt, Outcome.CHANGED, UNREADABLE_PLAN)
    return None


def _other_moves(attempt: Attempt) -> str:
    if attempt.press.is_automatic:
        return "Its moves are not the ones that the policy judged."
    return _OTHER_MOVES_TYPED if attempt.press.is_typed else OTHER_MOVES


def is_possible(attempt: Attempt, recommendation: Recommendation) -> bool:
    """Whether the TGC is in a state for it."""
    return _is_running(recommendation) if attempt.action is Action.CANCEL else is_open(recommendation)


def refused(attempt: Attempt, recommendation: Recommendation | None, reason: str) -> Answer:
    """The TGC says that it is in no state for it. `recommendation`: what it shows after that, if anything."""
    if recommendation is None:
        return nothing(attempt, Outcome.REFUSED, reason, reason)
    if not is_possible(attempt, recommendation):
        return _impossible(attempt, recommendation, reason)
    # Somebody viewed it in the TGC's own GUI between our reading and our acknowledge: that is all we wanted.
    return (
        done(attempt, reason) if attempt.action is Action.DISMISS else nothing(attempt, Outcome.REFUSED, reason, reason)
    )


def became(attempt: Attempt, recommendation: Recommendation, *, sent_at: datetime, answered: str) -> Answer:
    """What became of a request, sent at `sent_at` by the TGC's clock, whose answer was lost.

    `answered`: what came in its place.
    """
    seen = f"{answered} A reading showed {recommendation.state}."
    if isinstance(attempt.press.shape, LeaveOut | ChooseIssues):
        if is_met(attempt.press.shape, recommendation):
            return shaped(attempt, attempt.press.shape, recommendation, seen)
    elif _was_done(attempt, recommendation, sent_at):
        return done(attempt, seen)
    if is_possible(attempt, recommendation):
        return nothing(attempt, Outcome.NOT_DONE, f"It is still as it was. {_again(attempt)} ({answered})", seen)
    return _impossible(attempt, recommendation, seen)


def _was_done(attempt: Attempt, recommendation: Recommendation, sent_at: datetime) -> bool:
    """Whether the TGC did what we asked for."""
    match attempt.action:
        case Action.ACCEPT:
            return recommendation.state in _ACCEPTED_ONCE and _fits(recommendation.accepted_time, sent_at)
        case Action.CANCEL:
            return _is_cancelled(recommendation)
        case Action.DISMISS | Action.REOPEN:  # these are ours; that the TGC acknowledges is a courtesy
            return is_open(recommendation)
        case Action.FEEDBACK:
            there, sent = recommendation.feedback or Feedback(), feedback_of(attempt.press)
            return there.state == sent.state and (there.comment or None) == sent.comment
        case _:
            return False  # shaping is judged by what was asked for


def shaped(attempt: Attempt, shape: LeaveOut | ChooseIssues, recommendation: Recommendation, tgc_answer: str) -> Answer:
    """What the TGC shows after it took a change, which need not be what was asked for."""
    text = f"{attempt.stored.pool_name}: {_shaped(shape, recommendation)}"
    return Answer(outcome=Outcome.DONE, text=text, tgc_answer=tgc_answer)


class RuleAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What the TGC answered for each VM that got a rule."""

    taken: tuple[Chosen, ...]
    lost: tuple[Chosen, ...]
    not_done: tuple[Chosen, ...]


def ruled(attempt: Attempt, shape: SetRule, answers: RuleAnswers, recommendation: Recommendation | None) -> Answer:
    """`recommendation`: as read since; None where it could not be."""
    said = []
    if answers.taken:
        said.append(f"Now {rule_in_words(shape.rule_type, shape.vm_stores)}: {named_vms(answers.taken)}.")
    if answers.lost:
        said.append(f"The TGC's answer was lost for {named_vms(answers.lost)}: the rule may hold or not. Set it again.")
    if answers.not_done:
        said.append(f"Nothing was done for {named_vms(answers.not_done)}, for the TGC refused it or was not asked.")
    said.append(_shows(recommendation))
    outcome = Outcome.NEVER_KNOWN if answers.lost else Outcome.DONE if answers.taken else Outcome.REFUSED
    return Answer(outcome=outcome, text=f"{attempt.stored.pool_name}: {' '.join(said)}", tgc_answer=" ".join(said[:-1]))


def _shows(recommendation: Recommendation | None) -> str:
    if recommendation is None:
        return "The recommendation could not be read since."
    if not is_open(recommendation):
        return why_not_open(recommendation)
    return f"The TGC now shows {counted(len(movable_vms(recommendation, {})), 'VM', 'VMs')} to move."


def shaped_unseen(attempt: Attempt, problem: str) -> Answer:
    text = f"{attempt.stored.pool_name}: The TGC took the change, but could not be read since: {problem}"
    return Answer(outcome=Outcome.DONE, text=text, tgc_answer="The TGC took it.")


def _shaped(shape: LeaveOut | ChooseIssues, recommendation: Recommendation) -> str:
    if isinstance(shape, ChooseIssues):
        return _OLD_STANDS if is_open(recommendation) else _BUILDS_ANOTHER
    if not is_open(recommendation):
        return f"The TGC took the change. {why_not_open(recommendation)}"
    moving = {vm.id for vm in movable_vms(recommendation, {})}
    left = f"{counted(len(moving), 'VM', 'VMs')} to move"
    still = tuple(vm for vm in shape.vms if vm.id in moving)
    if still:
        return f"The TGC took the change, but still shows {named_vms(still)} among its {left}: look again in a minute."
    verb = "is" if len(shape.vms) == 1 else "are"
    return f"{named_vms(shape.vms)} {verb} left out this time. The TGC now shows {left}, with the outcomes as they are."


def _fits(accepted_time: datetime | None, sent_at: datetime) -> bool:
    """Without a time, our claim and our request speak for us."""
    return accepted_time is None or sent_at - _CLOCKS_APART <= accepted_time <= sent_at + _TAKEN_WITHIN


def _impossible(attempt: Attempt, recommendation: Recommendation, tgc_answer: str | None = None) -> Answer:
    why = _why_not_running(recommendation) if attempt.action is Action.CANCEL else why_not_open(recommendation)
    return nothing(attempt, Outcome.CHANGED, why, tgc_answer)


def _is_cancelled(recommendation: Recommendation) -> bool:
    return recommendation.state == RecommendationState.CANCELLED or recommendation.execution_state in _CANCELLED


def _is_running(recommendation: Recommendation) -> bool:
    has_ended = recommendation.execution_state is not None and recommendation.execution_state.is_end
    is_accepted = recommendation.state == RecommendationState.ACCEPTED
    return is_accepted and not has_ended and not _is_cancelled(recommendation)


def _why_not_running(recommendation: Recommendation) -> str:
    if _is_cancelled(recommendation):
        return "It was cancelled already."
    if recommendation.state == RecommendationState.ACCEPTED:
        return "Its moves are over already."
    return "It does not run."


def why_not_open(recommendation: Recommendation) -> str:
    match recommendation.state:
        case RecommendationState.ACCEPTED:
            return "It was already accepted in the Tintri Global Center."
        case RecommendationState.CANCELLED:
            return "It was already accepted and cancelled in the Tintri Global Center."
        case RecommendationState.EXPIRED:
            return EXPIRED
        case RecommendationState.INVALIDATED | RecommendationState.REFRESH:
            return "The Tintri Global Center has replaced or withdrawn it."
        case state:
            return f"Its state is now {state or 'unknown'}."
