"""Where a recommendation stands, in a line: with who and when for cards, without for lists."""

from bot.rendering import limits, words
from bot.rendering.content import Content, Move
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.phrase import Person, Phrase, Strong, When, joined
from bot.rendering.views import Act, Action, CardView, Standing
from tgc.models import ExecutionState

_DAY_S = 86_400
_ALWAYS = {
    Standing.DISMISSED: "dismissed",
    Standing.EXPIRED: "expired",
    Standing.INVALIDATED: "no longer valid",
    Standing.GONE: "Tintri Global Center no longer knows this recommendation",
    Standing.BUILDING: "a recommendation is being built, look again in a few minutes",
    Standing.BALANCED: "balanced, nothing to move",
    Standing.UNAVAILABLE: "no recommendation",
}
_WITHDRAWN = {Standing.INVALIDATED, Standing.BUILDING, Standing.GONE}
_REPLACED = "replaced by a new recommendation, asked for"
_ONGOING = {
    Action.ACCEPT: "is accepting this…",
    Action.DISMISS: "is dismissing this…",
    Action.REOPEN: "is reopening this…",
    Action.CANCEL: "is cancelling this…",
    Action.FEEDBACK: "is sending feedback about this…",
    Action.LEAVE_OUT: "is leaving VMs out of this…",
    Action.CHOOSE_ISSUES: "is having this built anew…",
    Action.SET_RULE: "is setting rules for VMs of this…",
}


def gist(view: CardView, content: Content) -> str:
    """One clause without people and dates: `4 of 4 VMs moved`."""
    match view.standing:
        case Standing.OFFERED | Standing.DECIDING:
            return content.finding
        case Standing.RUNNING:
            return f"{moved(content)}, {running(view)}"
        case Standing.DONE:
            return moved(content)
        case Standing.FAILED:
            return f"{moved(content)}, {_failure(content)}"
        case Standing.CANCELLED:
            return f"cancelled, {_left_behind(content)}"
        case Standing.INVALIDATED | Standing.UNAVAILABLE:
            return f"{_ALWAYS[view.standing]}, {_why(view)}"
        case Standing.DISMISSED:
            return f"{_ALWAYS[view.standing]}: {content.finding}"
        case _:
            return _ALWAYS[view.standing]


def told(view: CardView, content: Content) -> Phrase:
    """The line of a folded card: pool, what became of it, when and by whom."""
    return (Strong(shorten_name(content.pool, limits.HEADER)), ": ", *became(view, content))


def moved(content: Content) -> str:
    """`3 of 4 VMs moved`."""
    total = len(content.moves)
    if not total:
        return "all moves are done" if content.standing is Standing.DONE else "the TGC names no moves"
    if content.standing is Standing.DONE and not content.reports_results:
        return f"{words.counted(total, 'VM', 'VMs')} moved"
    return f"{content.moved:,} of {words.counted(total, 'VM', 'VMs')} moved"


def running(view: CardView) -> str:
    """What the TGC says of the whole while it runs."""
    state = view.recommendation.execution_state
    return words.execution_state(ExecutionState.RUNNING if state is None else state)


def stalled(move: Move) -> Phrase:
    """` · stalled, no progress since today at 07:12`; empty where it gets on."""
    return (" · stalled, no progress since ", When(move.stalled_since)) if move.stalled_since else ()


def ongoing(pending: Act | None) -> Phrase:
    """`@alice is accepting this…`."""
    if pending is None:
        return ("Somebody is deciding on this…",)
    return (Person(pending.user_id), f" {_ONGOING[pending.action]}")


def accepted(view: CardView) -> Phrase:
    """`accepted by @alice`, ticket and note; empty where nobody is known to have accepted."""
    return (*_accepted_by(view), *_written(_acceptance(view)))


def _accepted_by(view: CardView) -> Phrase:
    by_us = _acceptance(view)
    if by_us:
        first: Phrase = (Person(by_us.first_user_id), " and ") if by_us.first_user_id else ()
        return ("accepted by ", *first, Person(by_us.user_id))
    return ("accepted in Tintri Global Center",) if view.recommendation.accepted_time else ()


def accepted_when(view: CardView) -> Phrase:
    """`accepted by @alice today at 07:12`."""
    by_us = _acceptance(view)
    at = by_us.at if by_us else view.recommendation.accepted_time
    who = _accepted_by(view)
    return (*who, " ", When(at), *_written(by_us)) if who and at else who


def _acceptance(view: CardView) -> Act | None:
    """The accept that people here made."""
    return view.act if view.act and view.act.action is Action.ACCEPT else view.cancelled


def by_two(view: CardView) -> Phrase:
    """Why one is not enough, and who was the first; empty where one is enough or it is decided."""
    if view.second is None or view.standing not in {Standing.OFFERED, Standing.DECIDING}:
        return ()
    if view.approval is None:
        return (f"Two people must accept this, because {view.second}.",)
    first = (Person(view.approval.user_id), " accepted this ", When(view.approval.at))
    return (*first, f". A second person must accept it too, because {view.second}.")


def planned(view: CardView) -> Phrase:
    """`@alice accepts it today at 22:00, unless that changes`; empty where nobody planned it or it is decided."""
    plan = view.planned
    if plan is None or view.standing not in {Standing.OFFERED, Standing.DECIDING}:
        return ()
    if plan.is_held:
        return (Person(plan.user_id), " planned to accept it ", When(plan.due_at), ", and the pause holds that back.")
    return (Person(plan.user_id), " accepts it ", When(plan.due_at), ", unless that changes.")


def waiting(view: CardView) -> Phrase:
    """`expires today at 18:00`, and who is deciding, accepts it when, or accepted it as the first of two."""
    end = view.recommendation.expiration_time
    expires: Phrase = ("expires ", When(end)) if end else ("waits for a decision",)
    if view.standing is Standing.DECIDING:
        return (*expires, *_after(ongoing(view.pending)))
    return (*expires, *_after(planned(view) or (by_two(view) if view.approval else ())))


def shaped(view: CardView) -> Phrase:
    """`@alice left VMs out of this today at 07:12.`; empty where nobody did, or it is decided."""
    if view.act is None or view.standing not in {Standing.OFFERED, Standing.DECIDING}:
        return ()
    if view.act.action is Action.LEAVE_OUT:
        return (Person(view.act.user_id), " left VMs out of this ", When(view.act.at), ".")
    if view.act.action is Action.SET_RULE:
        return (Person(view.act.user_id), " set rules for VMs of this ", When(view.act.at), ".")
    return ()


def failures(content: Content) -> tuple[Phrase, ...]:
    """A line for each VM that failed: `erp-db-04 failed: Storage migration failed (hypervisor)`."""
    return tuple(
        (Strong(shorten_name(move.vm, limits.NAME)), " failed", f": {move.error}" if move.error else "")
        for move in content.failed
    )


def advice(content: Content) -> tuple[str, ...]:
    """What to do about what failed, each only once."""
    return tuple(dict.fromkeys(move.advice for move in content.failed)) or (words.advice(None),)


def became(view: CardView, content: Content) -> Phrase:
    """What became of it, when and by whom: `expired today at 18:00, nobody decided`."""
    said = gist(view, content)
    recommendation = view.recommendation
    match view.standing:
        case Standing.DECIDING:
            return (f"{said} · ", *ongoing(view.pending))
        case Standing.DISMISSED:
            return _by(view, Action.DISMISS, "dismissed") or (_ALWAYS[view.standing],)
        case Standing.CANCELLED:
            cancelled = _by(view, Action.CANCEL, "cancelled") or _at_tgc("cancelled", view)
            return (*cancelled, f", {_left_behind(content)}", *_after(accepted(view)))
        case Standing.EXPIRED:
            at = recommendation.expiration_time
            expired: Phrase = (said, " ", When(at)) if at else (said,)
            decided = _by(view, Action.DISMISS, "dismissed") or accepted_when(view)
            return (*expired, " · ", *decided) if decided else (*expired, ", nobody decided")
        case Standing.DONE if _span(view):
            return (f"{said}, ", *_span(view), *_after(accepted(view)))
        case Standing.FAILED:
            return (said, *_after(_span(view)), *_after(accepted(view)))
        case Standing.BALANCED:
            looked = recommendation.last_updated_time or recommendation.creation_time
            return (f"{said}, looked at ", When(looked)) if looked else (said,)
        case gone if gone in _WITHDRAWN and (replaced := _by(view, Action.CHOOSE_ISSUES, _REPLACED)):
            return replaced
        case Standing.INVALIDATED | Standing.UNAVAILABLE if recommendation.state_reason:
            return (f"{said}. {words.remedy(recommendation.state_reason)}", *_after(accepted_when(view)))
        case _:
            return (said, *_after(accepted_when(view)))


def _by(view: CardView, action: Action, verb: str) -> Phrase:
    """`dismissed by @bob today at 06:40`; empty where nobody here did it."""
    if view.act is None or view.act.action is not action:
        return ()
    return (f"{verb} by ", Person(view.act.user_id), " ", When(view.act.at), *_written(view.act))


def _written(act: Act | None) -> Phrase:
    """` (CHG0012345, “after the release”)`; whose words they are where another one than who decided wrote them."""
    if act is None or not (act.ticket or act.note):
        return ()
    told: list[Phrase] = []
    if act.ticket:
        told.append((shorten(clean(act.ticket), limits.TICKET),))
    if act.note:
        by_another: Phrase = (" by ", Person(act.note.user_id)) if act.note.user_id != act.user_id else ()
        told.append((f"“{shorten(clean(act.note.text), limits.NOTE)}”", *by_another))
    return (" (", *joined(told, ", "), ")")


def _at_tgc(verb: str, view: CardView) -> Phrase:
    at = view.recommendation.completion_time or view.recommendation.last_updated_time
    there = f"{verb} in Tintri Global Center"
    return (f"{there} ", When(at)) if at else (there,)


def _after(phrase: Phrase) -> Phrase:
    return (" · ", *phrase) if phrase else ()


def _span(view: CardView) -> Phrase:
    """`today at 07:12 to 09:40`; within a day the second date says nothing."""
    start, end = view.recommendation.accepted_time, view.recommendation.completion_time
    if start and end:
        within_a_day = 0 <= (end - start).total_seconds() < _DAY_S
        return (When(start), " to ", When(end, time_only=within_a_day))
    return ("ended ", When(end)) if end else ()


def _failure(content: Content) -> str:
    """`erp-db-04 failed: Storage migration failed (hypervisor)`, or how many failed."""
    if not content.failed:
        return "the TGC reports a failure and names no VM"
    if len(content.failed) > 1:
        return f"{len(content.failed):,} failed"
    move = content.failed[0]
    return f"{shorten_name(move.vm, limits.NAME)} failed" + (f": {move.error}" if move.error else "")


def _left_behind(content: Content) -> str:
    if not content.reports_results:
        return "what was moved until then stays"
    if not content.moved:
        return "no VM was moved"
    return f"{moved(content)} and {'stays' if content.moved == 1 else 'stay'} there"


def _why(view: CardView) -> str:
    recommendation = view.recommendation
    if recommendation.state_reason:
        return words.reason(recommendation.state_reason)
    if recommendation.state and not words.is_documented(recommendation.state):
        return f"the TGC reports the state {words.undocumented(recommendation.state)}, which this bot does not know"
    return "the TGC gives no reason"
