"""The parts of what plain text and mail tell of a recommendation, in order, before either decides how they look."""

from collections.abc import Iterator
from datetime import tzinfo

import msgspec

from bot.rendering import standing
from bot.rendering.bars import PROGRESS_CELLS, bar
from bot.rendering.content import Content, Move, VmStoreFacts
from bot.rendering.phrase import Phrase, When, joined, plain
from bot.rendering.views import CardView, Standing

WITH_MOVES = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED, Standing.RUNNING, Standing.FAILED}
WITH_FORECAST = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED}


class Note(msgspec.Struct, frozen=True):
    text: str
    is_loud: bool = False


class VmStores(msgspec.Struct, frozen=True):
    title: str
    vm_stores: tuple[VmStoreFacts, ...]


class Row(msgspec.Struct, frozen=True):
    """One move: its wave, VM, way, and why or how far."""

    cells: tuple[str, ...]
    error: str


class Moves(msgspec.Struct, frozen=True):
    title: str
    rows: tuple[Row, ...]


Part = Note | VmStores | Moves


def outline(view: CardView, story: Content, zone: tzinfo) -> Iterator[Part]:
    """What follows the line that tells where it stands; nothing where that line is all."""
    if view.standing not in WITH_MOVES:
        return
    yield from _notes(story)
    if view.standing in WITH_FORECAST and story.issues:
        yield VmStores("Issues", story.issues)
    if view.standing is Standing.RUNNING and story.moves:
        yield Note(f"{bar(story.moved_percent, PROGRESS_CELLS)} {standing.moved(story)}")
    if story.moves:
        yield Moves(story.moves_title, tuple(_row(move, with_stage=story.reports_results) for move in story.moves))
    if view.standing is Standing.FAILED:
        yield Note(f"What to do: {' '.join(standing.advice(story))}")
    if view.standing in WITH_FORECAST and story.outcomes_in_brief:
        yield VmStores("Expected", story.outcomes_in_brief)
    if dates := plain(made_and_expires(view), zone):
        yield Note(dates)


def _notes(story: Content) -> Iterator[Note]:
    if story.losing:
        yield Note(f"! {story.losing_count}: {', '.join(story.losing)}", is_loud=True)
    for warning in (*story.losing_said, *story.warnings):
        yield Note(f"! {warning}", is_loud=True)
    if story.previous:
        yield Note(story.previous)


def _row(move: Move, *, with_stage: bool) -> Row:
    last = (move.stage or "not started") if with_stage else move.issues
    return Row((str(move.wave), move.vm, f"{move.source} → {move.destination}", last), move.error)


def made_and_expires(view: CardView) -> Phrase:
    recommendation = view.recommendation
    dates = [("Made ", recommendation.creation_time)]
    if view.standing in WITH_FORECAST:
        dates.append(("expires ", recommendation.expiration_time))
    return joined([(label, When(at)) for label, at in dates if at], ", ")
