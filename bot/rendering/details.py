"""The details modal: all there is to know, turned page by page."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from bot.rendering import blocks, ids, limits, standing, words
from bot.rendering.content import Content, Move, VmStoreFacts, content, name
from bot.rendering.escape import clean, shorten
from bot.rendering.forms import modal
from bot.rendering.phrase import WARNING, Phrase, Strong, When
from bot.rendering.views import Action, Block, CardView, Standing, View

LINES_PER_PAGE = 30


class _Line(msgspec.Struct, frozen=True):
    heading: str
    phrase: Phrase


def render_details(view: CardView, page: int = 0, *, problem: str | None = None, first: Sequence[Block] = ()) -> View:
    """A page beyond the last shows the last. First comes why this may be out of date, or what came of a form."""
    story = content(view)
    lines = list(_lines(view, story))
    last = (len(lines) - 1) // LINES_PER_PAGE
    page = min(max(page, 0), last)
    start = page * LINES_PER_PAGE
    drawn = [
        blocks.bullets([((Strong(heading),), [line.phrase for line in same])])
        for heading, same in groupby(lines[start : start + LINES_PER_PAGE], key=attrgetter("heading"))
    ]
    warned = [blocks.section(problem)] if problem else list(first)
    foot = [*_page_turner(page, last), *_forms(view), *_note_button(view)]
    return _modal(story.pool, [*warned, *drawn, *foot], offer_id=view.offer_id)


def render_details_problem(pool_name: str, sentence: str) -> View:
    return _modal(name(pool_name, "Details"), [blocks.section(sentence)], offer_id=None)


def _modal(title: str, drawn: list[Block], *, offer_id: str | None) -> View:
    return modal(title, drawn) | {"callback_id": ids.DETAILS_VIEW, "private_metadata": offer_id or ""}


def _page_turner(page: int, last: int) -> Iterable[Block]:
    if last == 0:
        return
    yield blocks.plain_context(f"Page {page + 1:,} of {last + 1:,}")
    buttons = []
    if page > 0:
        buttons.append(blocks.button("Previous", ids.DETAILS_PREVIOUS, str(page - 1)))
    if page < last:
        buttons.append(blocks.button("Next", ids.DETAILS_NEXT, str(page + 1)))
    yield blocks.actions(buttons)


def _forms(view: CardView) -> Iterable[Block]:
    """Where the card has Accept: what more one can do before it. One who planned it is asked no more."""
    if not view.offer_id or not can_be_shaped(view):
        return
    plan = [] if view.planned else [blocks.button("Accept at…", ids.PLAN, view.offer_id)]
    shape = [
        blocks.button("Choose issues…", ids.CHOOSE_ISSUES, view.offer_id),
        blocks.button("Leave VMs out…", ids.LEAVE_OUT, view.offer_id),
        blocks.button("Never move…", ids.SET_RULE, view.offer_id),
    ]
    yield blocks.actions([*plan, *shape])


def can_be_shaped(view: CardView) -> bool:
    return view.can_act and view.can_accept and view.standing is Standing.OFFERED


def _note_button(view: CardView) -> Iterable[Block]:
    """While moves run that somebody here accepted: a card that is final is not drawn anew."""
    is_ours = view.act is not None and view.act.action is Action.ACCEPT
    if view.offer_id and view.can_act and view.standing is Standing.RUNNING and is_ours:
        yield blocks.actions([blocks.button("Add a note", ids.ADD_NOTE, view.offer_id)])


def _lines(view: CardView, story: Content) -> Iterable[_Line]:
    for phrase in _overview(view, story):
        yield _Line("Recommendation", phrase)
    for vm in story.losing:
        yield _Line(f"{story.losing_count}", (WARNING, " ", vm))
    for said in story.losing_said:
        yield _Line("Replication", (WARNING, " ", said))
    for issue in story.issues:
        yield _Line("Issues, forecast for 7 days", _vm_store(issue))
    for outcome in story.outcomes:
        yield _Line("Expected", _vm_store(outcome))
    for move in story.moves:
        yield _Line(story.moves_title, _move(move, story))


def _overview(view: CardView, story: Content) -> Iterable[Phrase]:
    yield standing.told(view, story)
    if view.standing not in {Standing.OFFERED, Standing.DECIDING}:  # there the first line says it
        yield (story.finding,)
    for warning in filter(None, (*story.warnings, story.previous, view.hindrance and clean(view.hindrance))):
        yield (WARNING, " ", Strong(warning))
    if by_two := standing.by_two(view):
        yield by_two
    if planned := standing.planned(view):
        yield planned
    yield from _state(view)
    yield from _dates(view)
    yield from _numbers(view)


def _state(view: CardView) -> Iterable[Phrase]:
    recommendation = view.recommendation
    if recommendation.state:
        yield (f"State: {words.state(recommendation.state)}",)
    if recommendation.state_reason:
        reason, remedy = words.reason(recommendation.state_reason), words.remedy(recommendation.state_reason)
        yield (f"Reason: {reason}. {remedy}",)
    if recommendation.execution_state:
        yield (f"Moves: {words.execution_state(recommendation.execution_state)}",)


def _dates(view: CardView) -> Iterable[Phrase]:
    recommendation = view.recommendation
    dates = (
        ("Made", recommendation.creation_time),
        ("Expires", recommendation.expiration_time),
        ("Seen first", recommendation.acknowledged_time),
        ("Accepted", recommendation.accepted_time),
        ("Ended", recommendation.completion_time),
        ("Changed last", recommendation.last_updated_time),
    )
    for label, at in dates:
        if at:
            yield (f"{label}: ", When(at))


def _numbers(view: CardView) -> Iterable[Phrase]:
    recommendation = view.recommendation
    not_now = len(recommendation.vm_affinity_not_now_tintri_uuids)
    if not_now:
        yield (f"{words.counted(not_now, 'VM', 'VMs')} set to “not now”",)
    for label, identity in (("Recommendation id", recommendation.id), ("Pool id", recommendation.vmstore_pool_id)):
        if identity:
            yield (f"{label}: {name(identity, '-')}",)
    yield (f"TGC: {name(view.tgc_name, '-')}",)
    if recommendation.unreadable:
        pointers = clean(" ".join(recommendation.unreadable[:20]))
        count = words.counted(len(recommendation.unreadable), "part", "parts")
        yield (shorten(f"{count} of the TGC's answer could not be read: {pointers}", limits.DETAILS_LINE),)


def _vm_store(vm_store: VmStoreFacts) -> Phrase:
    facts = " · ".join(vm_store.full or vm_store.brief)
    return (Strong(vm_store.name), f"  {shorten(facts, limits.DETAILS_LINE)}")


def _move(move: Move, story: Content) -> Phrase:
    wave = f"{move.wave:,}  " if story.waves > 1 else ""
    facts = [f"{move.source} → {move.destination}", move.issues, move.status, move.error_detail]
    if move.loses_replication:
        facts.append("loses replication")
    told = " · ".join(dict.fromkeys(fact for fact in facts if fact))
    return (wave, Strong(move.vm), f"  {shorten(told, limits.DETAILS_LINE)}", *standing.stalled(move))
