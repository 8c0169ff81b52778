"""What the bot says on its own: outages, pauses, what went other than it was shown, and where it cannot post."""

from datetime import datetime

from bot.rendering import blocks, ids, limits, standing, words
from bot.rendering.card import moves_block
from bot.rendering.content import content, name
from bot.rendering.escape import clean, is_policy_id, shorten, shorten_name
from bot.rendering.phrase import WARNING, Channel, Code, Person, Phrase, Piece, Strong, When, joined, mrkdwn
from bot.rendering.views import Action, Block, CardView, Message
from tgc.models import Recommendation

_POOLS_NAMED = 5
_OVERTAKEN = {
    Action.ACCEPT: "accepted it",
    Action.DISMISS: "dismissed it",
    Action.CHOOSE_ISSUES: "had another one built",
}


def render_outage(tgc_name: str, since: datetime, problem: str) -> Message:
    return _notice(
        WARNING,
        " ",
        Strong(_tgc(tgc_name)),
        " gives no answers since ",
        When(since),
        f": {_sentence(problem)} Cards may be out of date until it is back.",
    )


def render_outage_over(tgc_name: str, since: datetime, until: datetime) -> Message:
    return _notice(Strong(_tgc(tgc_name)), " is back. It gave no answers from ", When(since), " to ", When(until), ".")


def render_silence(tgc_name: str, analysis: datetime, pool_names: tuple[str, ...]) -> Message:
    """Half an hour after an analysis that made nothing for these pools."""
    return _notice(
        WARNING,
        " ",
        Strong(_tgc(tgc_name)),
        " has made no recommendation at its analysis of ",
        When(analysis),
        f" for {words.listed(tuple(map(_pool, pool_names)), _POOLS_NAMED)}. ",
        "Look at its alerts, and whether its analyses run; I go on looking, and post what comes.",
    )


def render_paused(by_user_id: str, pool_name: str | None, until: datetime | None) -> Message:
    """`pool_name` None: all pools. `until` None: until somebody resumes."""
    end: Phrase = (" until ", When(until)) if until else ()
    return _notice(
        Person(by_user_id),
        f" paused accepting in {_pool(pool_name)}",
        *end,
        ". ",
        Code(shorten_name(words.resume_command(pool_name and name(pool_name, "")).strip(), limits.HEADER)),
        " ends it" + (" early." if until else "."),
    )


def render_resumed(by_user_id: str, pool_name: str | None, still_paused: str | None = None) -> Message:
    """`still_paused`: what other pauses hold back there."""
    head = f" ended the pause in {_pool(pool_name)}"
    if still_paused is None:
        return _notice(Person(by_user_id), f"{head}: recommendations can be accepted again.")
    return _notice(Person(by_user_id), f"{head}. Paused still: {_sentence(still_paused)}")


def render_other_moves(view: CardView, by_user_id: str) -> Message:
    """For the thread of a card, right after its accept ran other moves than it showed."""
    story = content(view)
    head: Phrase = (
        WARNING,
        " ",
        Strong("The TGC runs other moves than the ones shown when "),
        Person(by_user_id),
        Strong(f" accepted this for {_pool(view.pool_name)}."),
        " Check them, and press Cancel on the card if they are wrong. What has moved by then stays.",
    )
    return _message(head, moves_block(story, with_status=True, with_details=bool(view.offer_id)))


def render_accepted_first(pool_name: str, by_user_id: str) -> Message:
    """For the thread of a card that two people must accept."""
    return _notice(
        Person(by_user_id),
        f" accepted this for {_pool(pool_name)}. Another approver must accept it too before anything moves: ",
        "press Accept on the card.",
    )


def render_lapsed(pool_name: str, by_user_id: str, at: datetime) -> Message:
    """For the same thread, when nobody did."""
    return _notice(
        "What ",
        Person(by_user_id),
        f" accepted for {_pool(pool_name)} ",
        When(at),
        " has lapsed, because nobody else accepted it in time. Two people can accept it anew.",
    )


def render_plan_came(by_user_id: str, due_at: datetime, told: str) -> Message:
    """For the thread of a card, when a plan was due. `told`: what its person is told of it, in the second person."""
    planned = " was to accept this " if is_policy_id(by_user_id) else ", you planned to accept this "
    return _notice(Person(by_user_id), planned, When(due_at), ". ", _sentence(told))


def render_plan_held(pool_name: str, by_user_id: str, due_at: datetime, until: datetime) -> Message:
    return _notice(
        Person(by_user_id),
        f" planned to accept this for {_pool(pool_name)} ",
        When(due_at),
        ", but accepting is paused. It is accepted as soon as the pause ends, if that is by ",
        When(until, time_only=True),
        "; otherwise the plan is over.",
    )


def render_plan_changed(by_user_id: str, due_at: datetime) -> Message:
    then = "The new ones are judged anew." if is_policy_id(by_user_id) else "Look at the card, and plan it anew."
    return _notice(*_plan(by_user_id, due_at), f" is over, because its moves have changed. {then}")


def render_plan_overtaken(by_user_id: str, due_at: datetime, who_id: str, what: Action) -> Message:
    return _notice(*_plan(by_user_id, due_at), " is over, because ", Person(who_id), f" {_OVERTAKEN[what]}.")


def render_plan_cancelled(by_user_id: str, due_at: datetime, who_id: str) -> Message:
    return _notice(Person(who_id), " cancelled the plan of ", Person(by_user_id), " to accept this ", When(due_at), ".")


def render_policy_plans(pool_name: str, by_user_id: str, due_at: datetime, *, as_first: bool) -> Message:
    """For the thread of a card, before a policy acts on it. `as_first`: whether another person must accept it too."""
    two = (
        " It counts as the first of two: another approver must accept it too before anything moves." if as_first else ""
    )
    return _notice(
        Person(by_user_id),
        f" accepts this for {_pool(pool_name)} ",
        When(due_at),
        f", unless somebody dismisses it, or presses Cancel the plan on the card.{two}",
    )


def render_policy_withdraws(by_user_id: str, due_at: datetime, why: str) -> Message:
    return _notice(*_plan(by_user_id, due_at), f" is over: {_sentence(why)}")


def render_policy_says(by_user_id: str, said: str) -> Message:
    """What a policy does not do, or would do."""
    return _notice(Person(by_user_id), f" {_sentence(said)}")


def render_written(by_user_id: str, of: Action, note: str) -> Message:
    """For the thread: why it was dismissed, or a note on its accept, in somebody's own words."""
    head = " says why this was dismissed" if of is Action.DISMISS else " notes on this accept"
    return _notice(Person(by_user_id), f"{head}: “{shorten(clean(note), limits.NOTE)}”")


def _plan(by_user_id: str, due_at: datetime) -> Phrase:
    return ("The plan of ", Person(by_user_id), " to accept this ", When(due_at))


def render_replacement_late(by_user_id: str, asked_at: datetime) -> Message:
    """For the thread of a card, when the recommendation that replaces it takes long."""
    what = "The new recommendation that "
    late = " is still being built. I keep looking, and post it when it comes."
    return _notice(WARNING, " ", what, Person(by_user_id), " asked for ", When(asked_at), late)


def render_no_replacement(by_user_id: str, asked_at: datetime, recommendation: Recommendation) -> Message:
    """For the same thread, when the TGC made none."""
    why = recommendation.state_reason
    said = f"{words.stopped(words.reason(why))} {words.remedy(why)}" if why else "it finds nothing to move."
    return _notice(Person(by_user_id), " asked for a new recommendation ", When(asked_at), f", and got none: {said}")


def render_reminder(view: CardView, *, can_be_put_off: bool) -> Message:
    """For the thread of a card that nobody has decided on, some time before it expires."""
    story = content(view)
    expires = view.recommendation.expiration_time
    head: Phrase = (
        Strong(f"{_pool(view.pool_name)}: nobody has decided on this yet"),
        *((", and it expires ", When(expires)) if expires else ()),
        f". {words.stopped(story.finding)}",
    )
    told = [head, *((by_two,) if (by_two := standing.by_two(view)) else ())]
    if view.hindrance:
        told.append((_sentence(view.hindrance),))
    buttons = [blocks.button("Snooze", ids.SNOOZE, view.offer_id)] if can_be_put_off and view.offer_id else []
    return _message(joined(told, " "), *([blocks.actions(buttons)] if buttons else []))


def render_cannot_post(channel_id: str, problem: str, waiting: int) -> Message:
    """For the approvers, as a direct message."""
    waits = words.counted(waiting, "recommendation waits", "recommendations wait")
    return _notice(
        WARNING,
        " I cannot post in ",
        Channel(channel_id),
        f": {_sentence(problem)} {waits} to be shown there. To fix it, type ",
        Code("/invite"),
        " with my name in that channel, or set RECO_CHANNEL (or its route) to another one.",
    )


def _notice(*pieces: Piece) -> Message:
    return _message(pieces)


def _message(phrase: Phrase, *more: Block) -> Message:
    return Message(
        text=mrkdwn(phrase, limits.MESSAGE_TEXT_BYTES),
        blocks=(blocks.paragraph(phrase), *more),
        compact=(blocks.mrkdwn_section(phrase), *(block for block in more if block["type"] == "actions")),
    )


def _tgc(tgc_name: str) -> str:
    return shorten_name(name(tgc_name, "Tintri Global Center"), limits.HEADER)


def _pool(pool_name: str | None) -> str:
    return "all pools" if pool_name is None else shorten_name(name(pool_name, "an unnamed pool"), limits.HEADER)


def _sentence(problem: str) -> str:
    return words.stopped(shorten(clean(problem), limits.PROBLEM) or "it gives no reason")
