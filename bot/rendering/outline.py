"""The parts of what plain text, tables and mail tell of a recommendation, in order, before they decide how it looks."""

from collections.abc import Iterator
from datetime import tzinfo

import msgspec

from bot.rendering import standing
from bot.rendering.bars import PROGRESS_CELLS, bar
from bot.rendering.content import Content, Move, VmStoreFacts
from bot.rendering.phrase import Phrase, When, joined, plain
from bot.rendering.views import CardView, Standing

_WITH_MOVES = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED, Standing.RUNNING, Standing.FAILED}
_WITH_FORECAST = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED}


NOT_STARTED = "not started"


class Note(msgspec.Struct, frozen=True):
    text: str
    is_loud: bool = False


class VmStores(msgspec.Struct, frozen=True):
    title: str
    vm_stores: tuple[VmStoreFacts, ...]


class Moves(msgspec.Struct, frozen=True):
    title: str
    moves: tuple[Move, ...]
    report_results: bool
    """Whether the TGC says how far they are; else they tell what they solve."""

    def cells(self, move: Move) -> tuple[str, ...]:
        """Its wave, VM, way, and why or how far."""
        last = (move.stage or NOT_STARTED) if self.report_results else move.issues
        return (str(move.wave), move.vm, f"{move.source} → {move.destination}", last)


Part = Note | VmStores | Moves


def outline(view: CardView, story: Content, zone: tzinfo) -> Iterator[Part]:
    """What follows the line that tells where it stands; nothing where that line is all."""
    if view.standing not in _WITH_MOVES:
        return
    yield from _notes(story)
    if view.standing in _WITH_FORECAST and story.issues:
        yield VmStores("Issues", story.issues)
    if view.standing is Standing.RUNNING and story.moves:
        yield Note(f"{bar(story.moved_percent, PROGRESS_CELLS)} {standing.moved(story)}")
    if story.moves:
        yield Moves(story.moves_title, story.moves, story.reports_results)
    if view.standing is Standing.FAILED:
        yield Note(f"What to do: {' '.join(standing.advice(story))}")
    if view.standing in _WITH_FORECAST and story.outcomes_in_brief:
        yield VmStores("Expected", story.outcomes_in_brief)
    if dates := plain(_dates(view), zone):
        yield Note(dates)


def _notes(story: Content) -> Iterator[Note]:
    if story.losing:
        yield Note(f"! {story.losing_count}: {', '.join(story.losing)}", is_loud=True)
    for warning in (*story.losing_said, *story.warnings):
        yield Note(f"! {warning}", is_loud=True)
    if story.previous:
        yield Note(story.previous)


def _dates(view: CardView) -> Phrase:
    recommendation = view.recommendation
    dates = [("Made ", recommendation.creation_time)]
    if view.standing in _WITH_FORECAST:
        dates.append(("expires ", recommendation.expiration_time))
    return joined([(label, When(at)) for label, at in dates if at], ", ")
