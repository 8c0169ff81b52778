"""The card of one recommendation: what to decide, what runs, what became of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from bot.rendering import blocks, ids, limits, standing, words
from bot.rendering.bars import PROGRESS_CELLS, bar
from bot.rendering.content import NAMES_IN_A_SENTENCE, Content, Move, VmStoreFacts, content, name
from bot.rendering.escape import clean, shorten, shorten_name, units
from bot.rendering.phrase import WARNING, Called, Channel, Link, Phrase, Sign, Strong, When, joined, mrkdwn
from bot.rendering.views import Action, Block, CardView, Message, Standing
from tgc.models import ExecutionState

MOVES_SHOWN = 10
VM_STORES_SHOWN = 6
FAILURES_SHOWN = 5
ADVICE_SHOWN = 3

_UNFOLDED = {Standing.OFFERED, Standing.DECIDING, Standing.RUNNING}
_UNDECIDED = {Standing.OFFERED, Standing.DECIDING}
_WITH_DETAILS = {*_UNFOLDED, Standing.DISMISSED, Standing.DONE, Standing.FAILED, Standing.CANCELLED}
_SIGNS = {
    ExecutionState.RUNNING: Sign("arrow_forward", "▶"),
    ExecutionState.RUNNING_ERROR: WARNING,
    ExecutionState.COMPLETED_OK: Sign("white_check_mark", "✓"),
    ExecutionState.COMPLETED_FAILED: Sign("x", "✗"),
    ExecutionState.CANCELLED_PENDING: Sign("no_entry_sign", "-"),
    ExecutionState.COMPLETED_CANCELLED: Sign("no_entry_sign", "-"),
}
_BY_TWO = Sign("busts_in_silhouette", "2")
_PLANNED = Sign("alarm_clock", "@")
_SHAPED = Sign("scissors", "-")
_WAITING = Sign("white_circle", "○")
_TROUBLE = 0
# Where not all moves of a running plan are shown, what needs an eye comes before what is over.
_URGENCY = {
    ExecutionState.COMPLETED_FAILED: _TROUBLE,
    ExecutionState.RUNNING_ERROR: _TROUBLE,
    ExecutionState.RUNNING: 1,
    ExecutionState.CANCELLED_PENDING: 1,
    ExecutionState.COMPLETED_CANCELLED: 3,
    ExecutionState.COMPLETED_OK: 3,
}
_WAITS = 2


def render_card(view: CardView, mentions: Sequence[str] = ()) -> Message:
    """`mentions`: whom it calls while nobody has decided, by ids of people and user groups, and `here`."""
    story = content(view)
    calls = _calls(mentions) if view.standing in _UNDECIDED else ()
    called = [blocks.paragraph(calls)] if calls else []
    drawn = _unfolded(view, story) if view.standing in _UNFOLDED else _folded(view, story)
    return Message(
        text=mrkdwn(joined(filter(None, (calls, _notification(view, story))), " "), limits.MESSAGE_TEXT_BYTES),
        blocks=(*called, *drawn),
        compact=(*called, *_compact(view, story)),
    )


def render_moved(view: CardView, channel_id: str, url: str = "") -> Message:
    """What is left of a card where its recommendation is not shown any more. `url`: of the card in its new channel."""
    told: Phrase = (
        Strong(shorten_name(content(view).pool, limits.HEADER)),
        ": this recommendation is shown in ",
        Channel(channel_id),
        " now",
        *((": ", Link(url, "go to its card")) if url else (".",)),
    )
    return Message(
        text=mrkdwn(told, limits.MESSAGE_TEXT_BYTES),
        blocks=(blocks.paragraph(told),),
        compact=(blocks.mrkdwn_section(told),),
    )


def moves_block(story: Content, *, with_status: bool, with_details: bool) -> Block:
    """The moves by wave, up to a readable number."""
    shown, rest = _most_urgent(story.moves) if with_status else (story.moves[:MOVES_SHOWN], story.moves[MOVES_SHOWN:])
    title: Phrase = (Strong(story.moves_title),)
    groups: list[tuple[Phrase, list[Phrase]]] = [(title, [])]
    for wave, moves in groupby(shown, key=attrgetter("wave")):
        if story.waves > 1:
            groups.append(((f"Wave {wave}",), []))
        groups[-1][1].extend(_move(move, with_status=with_status) for move in moves)
    if rest:
        groups.append(((_rest(rest, with_status=with_status, with_details=with_details),), []))
    return blocks.bullets(groups)


def _calls(mentions: Sequence[str]) -> Phrase:
    return joined([(Called(name),) for name in mentions], " ")


def _unfolded(view: CardView, story: Content) -> Iterable[Block]:
    yield blocks.header(story.pool)
    yield blocks.paragraph((Strong(story.finding),))
    yield from map(blocks.paragraph, _notes(view, story))
    if _runs(view):
        yield blocks.paragraph(_run(view, story))
    elif story.issues:
        yield _vm_stores("Issues", story.issues, view)
    if story.moves:
        yield moves_block(story, with_status=_runs(view), with_details=bool(view.offer_id))
    if not _runs(view):
        if story.outcomes_in_brief:
            yield _vm_stores("Expected", story.outcomes_in_brief, view)
        if story.moves and story.silence:
            yield blocks.plain_context(story.silence)
    yield blocks.context(_origin(view))
    yield from footer(view, story)


def _notes(view: CardView, story: Content) -> Iterable[Phrase]:
    """What to know before anything else."""
    for warning in _loud(story):
        yield (WARNING, " ", Strong(warning))
    if story.previous:
        yield (Sign("hourglass_flowing_sand", "…"), f" {story.previous}")
    if by_two := standing.by_two(view):
        yield (_BY_TWO, " ", *by_two)
    if planned := standing.planned(view):
        yield (_PLANNED, " ", *planned)
    if shaped := standing.shaped(view):
        yield (_SHAPED, " ", *shaped)
    if view.standing is Standing.DECIDING:
        yield standing.ongoing(view.pending)


def _folded(view: CardView, story: Content) -> Iterable[Block]:
    yield blocks.paragraph(standing.told(view, story))
    if story.other_moves:
        yield blocks.paragraph((WARNING, " ", Strong(story.other_moves)))
    if view.standing is Standing.FAILED:
        if len(story.failed) > 1:
            yield blocks.bullets([((Strong("Failed"),), _failures(story))])
        yield blocks.paragraph((Strong("What to do: "), " ".join(standing.advice(story)[:ADVICE_SHOWN])))
    yield from footer(view, story)


def _compact(view: CardView, story: Content) -> Iterable[Block]:
    yield blocks.mrkdwn_section(_notification(view, story))
    yield from footer(view, story)


def footer(view: CardView, story: Content) -> Iterable[Block]:
    """Why a button is missing, and those that there are."""
    if view.hindrance and _hinders(view):
        yield blocks.plain_context(shorten(clean(view.hindrance), limits.PROBLEM))
    buttons = list(_buttons(view, story))
    if buttons:
        yield blocks.actions(buttons)


def _hinders(view: CardView) -> bool:
    """Whether a button is missing that would be there otherwise."""
    if view.standing is Standing.OFFERED:
        return True
    return not view.can_act and view.standing in {Standing.DISMISSED, Standing.RUNNING}


def _notification(view: CardView, story: Content) -> Phrase:
    """All that matters in a few sentences: what a phone shows and a screen reader reads."""
    if view.standing in _UNFOLDED:
        pool = shorten_name(story.pool, limits.HEADER)
        first: Phrase = (f"{pool}: {words.stopped(standing.gist(view, story))}",)
    else:
        first = standing.told(view, story)
    said: list[Phrase] = [first]
    if view.standing in _UNFOLDED:
        said += [(words.stopped(warning),) for warning in _loud(story)]
        said += [(story.previous,)] if story.previous else []
        said += [by_two] if (by_two := standing.by_two(view)) else []
        said += [planned] if (planned := standing.planned(view)) else []
    if view.standing is Standing.DECIDING:
        said.append(standing.ongoing(view.pending))
    if view.standing is Standing.RUNNING and (accepted := standing.accepted_when(view)):
        said.append(_capitalised(accepted))
    return joined(said, " ")


def _loud(story: Content) -> tuple[str, ...]:
    losing = story.losing_sentence
    return ((losing,) if losing else ()) + story.warnings


def _capitalised(phrase: Phrase) -> Phrase:
    first, *others = phrase
    return (first[:1].upper() + first[1:] if isinstance(first, str) else first, *others)


def _runs(view: CardView) -> bool:
    cancelling = view.pending is not None and view.pending.action is Action.CANCEL
    return view.standing is Standing.RUNNING or (view.standing is Standing.DECIDING and cancelling)


def _run(view: CardView, story: Content) -> Phrase:
    """`Accepted by @alice today at 07:12 · running`, and a bar."""
    accepted = standing.accepted_when(view)
    state = standing.running(view)
    head: Phrase = (*_capitalised(accepted), f" · {state}") if accepted else (state[:1].upper() + state[1:],)
    return (*head, f"\n{bar(story.moved_percent, PROGRESS_CELLS)}  {standing.moved(story)}") if story.moves else head


def _vm_stores(title: str, vm_stores: tuple[VmStoreFacts, ...], view: CardView) -> Block:
    lines = [_vm_store(vm_store) for vm_store in vm_stores[:VM_STORES_SHOWN]]
    rest = len(vm_stores) - len(lines)
    if rest > 0:
        more = f"and {words.counted(rest, 'more VMstore', 'more VMstores')}"
        lines.append((more + _where(with_details=bool(view.offer_id)),))
    return blocks.bullets([((Strong(title),), lines)])


def _vm_store(vm_store: VmStoreFacts) -> Phrase:
    return (
        Strong(shorten_name(vm_store.name, limits.NAME)),
        f"  {shorten(' · '.join(vm_store.brief), limits.SENTENCE)}",
    )


def _move(move: Move, *, with_status: bool) -> Phrase:
    way = f"  {shorten_name(move.source, limits.NAME)} → {shorten_name(move.destination, limits.NAME)}"
    vm = Strong(shorten_name(move.vm, limits.NAME))
    if not with_status:
        return (vm, f"{way} · {move.issues}" if move.issues else way)
    status = f" · {shorten(move.status, limits.SENTENCE)}" if move.status else ""
    return (_sign(move), " ", vm, way + status, *standing.stalled(move))


def _sign(move: Move) -> Sign:
    if move.stalled_since:
        return WARNING
    return _SIGNS.get(move.state, _WAITING) if move.state else _WAITING


def _most_urgent(moves: tuple[Move, ...]) -> tuple[tuple[Move, ...], tuple[Move, ...]]:
    """Those to show and the rest, both in the order of the plan."""
    by_urgency = sorted(range(len(moves)), key=lambda index: _urgency(moves[index]))
    shown, rest = sorted(by_urgency[:MOVES_SHOWN]), sorted(by_urgency[MOVES_SHOWN:])
    return tuple(moves[index] for index in shown), tuple(moves[index] for index in rest)


def _urgency(move: Move) -> int:
    if move.stalled_since:
        return _TROUBLE
    return _URGENCY.get(move.state, _WAITS) if move.state else _WAITS


def _rest(rest: Sequence[Move], *, with_status: bool, with_details: bool) -> str:
    more = f"and {words.counted(len(rest), 'more VM', 'more VMs')}"
    if with_status:
        states = Counter(move.state or ExecutionState.AVAILABLE for move in rest)
        more += ": " + ", ".join(f"{number:,} {words.move_state(state)}" for state, number in states.items())
    return more + _where(with_details=with_details)


def _where(*, with_details: bool) -> str:
    return ", see Details" if with_details else ""


def _failures(story: Content) -> list[Phrase]:
    failures = standing.failures(story)
    rest = len(failures) - FAILURES_SHOWN
    return [*failures[:FAILURES_SHOWN], *([(f"and {rest:,} more, see Details",)] if rest > 0 else [])]


def _origin(view: CardView) -> Phrase:
    """`Made today at 06:00, expires today at 18:00 · tgc.example.com`."""
    recommendation = view.recommendation
    told: list[Phrase] = []
    if recommendation.creation_time:
        told.append(("Made ", When(recommendation.creation_time)))
    if recommendation.expiration_time and not _runs(view):
        told.append(("expires " if told else "Expires ", When(recommendation.expiration_time)))
    link: Phrase = (Link(view.tgc_url, shorten_name(name(view.tgc_name, "Tintri Global Center"), limits.NAME)),)
    return joined([joined(told, ", "), link] if told else [link], " · ")


def _buttons(view: CardView, story: Content) -> Iterable[Block]:
    if not view.offer_id:
        return
    offer = view.offer_id
    if view.can_act and view.can_accept and view.standing is Standing.OFFERED:
        # Slack's own dialog takes no text: where a ticket is asked for, a form comes in its place.
        action_id, asks = (ids.ACCEPT_IN_FORM, None) if view.ticket else (ids.ACCEPT, _confirm_accept(view, story))
        yield blocks.button("Accept", action_id, offer, style="primary", confirm=asks)
    if view.can_act and view.standing is Standing.OFFERED:
        yield blocks.button("Dismiss", ids.DISMISS, offer)
    if view.can_act and view.planned and view.standing is Standing.OFFERED:
        yield blocks.button("Cancel the plan", ids.CANCEL_PLAN, view.planned.id, confirm=_confirm_cancel_plan(story))
    if view.can_act and view.standing is Standing.RUNNING and not _is_cancelled(view):
        yield blocks.button("Cancel", ids.CANCEL, offer, style="danger", confirm=_confirm_cancel(story))
    if view.can_act and view.standing is Standing.DISMISSED:
        yield blocks.button("Reopen", ids.REOPEN, offer)
        yield blocks.button("Say why", ids.SAY_WHY, offer)
    if view.standing in _WITH_DETAILS:
        yield blocks.button("Details", ids.DETAILS, offer)


def _is_cancelled(view: CardView) -> bool:
    return view.recommendation.execution_state is ExecutionState.CANCELLED_PENDING


def what_accepting_does(view: CardView, story: Content) -> str:
    """For a question before it: what will move, and what will be lost."""
    waits = view.second is not None and view.approval is None
    text = _accepting(story, story.losing_sentence, waits=waits)
    if units(text) > limits.CONFIRM_TEXT:
        losing = story.losing_count if story.losing else "The TGC warns of lost replication"
        text = _accepting(story, losing, waits=waits)
    return text


def _confirm_accept(view: CardView, story: Content) -> Block:
    return blocks.confirm(
        title=f"Accept for {shorten_name(story.pool, limits.NAME)}?",
        text=what_accepting_does(view, story),
        yes="Accept",
        no="Back",
        style="danger" if story.losing_sentence or story.unread else "primary",
    )


def _accepting(story: Content, losing: str | None, *, waits: bool) -> str:
    vms = words.counted(len(story.moves), "VM", "VMs")
    sentences = (
        f"{vms} in {shorten_name(story.pool, limits.NAME)} will move.",
        f"{losing}." if losing else None,
        story.previous,
        "Part of the TGC's answer could not be read." if story.unread else None,
        "It begins once a second person accepts it too." if waits else None,
        "A move cannot be undone.",
    )
    return " ".join(filter(None, sentences))


def _confirm_cancel(story: Content) -> Block:
    text = _cancelling(story, _names_of(story.moved_vms))
    return blocks.confirm(
        title=f"Cancel the moves of {shorten_name(story.pool, limits.NAME)}?",
        text=text if units(text) <= limits.CONFIRM_TEXT else _cancelling(story, ""),
        yes="Cancel the moves",
        no="Let them run",
        style="danger",
    )


def _confirm_cancel_plan(story: Content) -> Block:
    return blocks.confirm(
        title=f"Cancel the plan for {shorten_name(story.pool, limits.NAME)}?",
        text="Nothing is accepted at its time then. Accept, and a new plan, stay possible.",
        yes="Cancel the plan",
        no="Keep it",
        style="danger",
    )


def _cancelling(story: Content, names: str) -> str:
    stays = f"What has moved stays where it is now{names}; what has not begun does not run."
    return f"{standing.moved(story)}. {stays}"


def _names_of(moves: tuple[Move, ...]) -> str:
    """` (erp-db-01, erp-db-02 and 7 more)`; empty where there are none."""
    names = tuple(shorten_name(move.vm, limits.NAME) for move in moves)
    return f" ({words.listed(names, NAMES_IN_A_SENTENCE)})" if names else ""
