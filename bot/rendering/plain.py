"""The report as plain text: for a terminal, for cron, for a mail."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from textwrap import wrap

from bot.rendering import answers, standing
from bot.rendering.content import Content, Move, VmStoreFacts, content, name
from bot.rendering.numbers import NO_BREAK
from bot.rendering.phrase import DAY_AND_TIME, Phrase, When, joined, local, plain
from bot.rendering.views import CardView, PoolAnswer, Report, Standing

WIDTH = 80

WITH_MOVES = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED, Standing.RUNNING, Standing.FAILED}
WITH_FORECAST = {Standing.OFFERED, Standing.DECIDING, Standing.DISMISSED}


def plain_report(report: Report, *, zone: tzinfo) -> str:
    """Lines of at most 80 columns where names allow; dates in `zone`."""
    head = f"{name(report.tgc_name, 'Tintri Global Center')}, read {local(report.read_at, zone, f'{DAY_AND_TIME} %Z')}"
    pools = ["\n".join(_pool(answer, zone)) for answer in answers.by_urgency(report.pools)]
    text = "\n\n".join([f"{head}\n{answers.headline(report)}", *pools]) + "\n"
    return text.replace(NO_BREAK, " ")  # lines are wrapped, and people search for what they read


def _pool(answer: PoolAnswer, zone: tzinfo) -> Iterable[str]:
    if answer.view is None:
        yield from _wrapped(answers.pool_line(answer))
        return
    view = answer.view
    story = content(view)
    yield from _wrapped(plain(standing.told(view, story), zone))
    if view.standing in WITH_MOVES:
        yield from _open(view, story, zone)


def _open(view: CardView, story: Content, zone: tzinfo) -> Iterable[str]:
    if story.losing:
        yield from _wrapped(f"! {story.losing_count}: {', '.join(story.losing)}", indent=2)
    for warning in (*story.losing_said, *story.warnings):
        yield from _wrapped(f"! {warning}", indent=2)
    if story.previous:
        yield from _wrapped(story.previous, indent=2)
    if view.standing in WITH_FORECAST and story.issues:
        yield from _vm_stores("Issues", story.issues)
    if story.moves:
        yield f"  {story.moves_title}"
        yield from _moves(story)
    if view.standing is Standing.FAILED:
        yield from _wrapped(f"What to do: {' '.join(standing.advice(story))}", indent=2)
    if view.standing in WITH_FORECAST and story.outcomes_in_brief:
        yield from _vm_stores("Expected", story.outcomes_in_brief)
    dates = plain(made_and_expires(view), zone)
    if dates:
        yield f"  {dates}"


def _vm_stores(title: str, vm_stores: Sequence[VmStoreFacts]) -> Iterable[str]:
    """A fact a line, the names in a column of their own."""
    yield f"  {title}"
    column = max(len(vm_store.name) for vm_store in vm_stores)
    for vm_store in vm_stores:
        label = vm_store.name
        for fact in vm_store.brief:
            yield from _wrapped(f"{label:<{column}}  {fact}", indent=4, hanging=column + 2)
            label = ""


def _moves(story: Content) -> Iterable[str]:
    rows = [_cells(move, with_stage=story.reports_results) for move in story.moves]
    columns = [max(len(row[cell]) for row in rows) for cell in range(len(rows[0]) - 1)]
    for move, row in zip(story.moves, rows, strict=True):
        padded = [f"{cell:<{column}}" for cell, column in zip(row, columns, strict=False)]
        yield f"    {'  '.join((*padded, row[-1]))}".rstrip()
        if move.error:
            yield from _wrapped(move.error, indent=4 + columns[0] + 2)


def _cells(move: Move, *, with_stage: bool) -> tuple[str, ...]:
    last = (move.stage or "not started") if with_stage else move.issues
    return (str(move.wave), move.vm, f"{move.source} → {move.destination}", last)


def made_and_expires(view: CardView) -> Phrase:
    recommendation = view.recommendation
    dates = [("Made ", recommendation.creation_time)]
    if view.standing in WITH_FORECAST:
        dates.append(("expires ", recommendation.expiration_time))
    return joined([(label, When(at)) for label, at in dates if at], ", ")


def _wrapped(text: str, *, indent: int = 0, hanging: int = 2) -> list[str]:
    return wrap(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
