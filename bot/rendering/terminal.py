"""The report as tables for a terminal, from 80 columns on, and what is asked there. Nothing in it is rich's markup."""

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.rendering import answers, standing, words
from bot.rendering.content import Content, Move, VmStoreFacts, content, name
from bot.rendering.numbers import NO_BREAK
from bot.rendering.outline import WITH_FORECAST, WITH_MOVES, made_and_expires
from bot.rendering.phrase import DAY_AND_TIME, local, plain
from bot.rendering.views import CardView, PoolAnswer, Report, Standing

_LINE, _TABLE = (0, 0, 0, 2), (0, 0, 1, 2)
"""How parts of a pool are set in, and what is left free below."""


def report_tables(report: Report, *, zone: tzinfo) -> Iterable[RenderableType]:
    head = f"{name(report.tgc_name, 'Tintri Global Center')}, read {local(report.read_at, zone, f'{DAY_AND_TIME} %Z')}"
    yield _text(head, "dim")
    yield _text(answers.headline(report))
    for answer in answers.by_urgency(report.pools):
        yield Text()
        yield from _pool(answer, zone)


def accept_question(view: CardView) -> str:
    """`Accept Production: 4 VMs will move, 1 would lose replication?`."""
    story = content(view)
    told = [f"{words.counted(len(story.moves), 'VM', 'VMs')} will move"]
    if story.losing:
        told.append(f"{len(story.losing):,} would lose replication")
    elif story.losing_said:
        told.append("the TGC warns of lost replication")
    if story.unread:
        told.append("part of the TGC's answer could not be read")
    if story.previous:
        told.append("a previous recommendation still runs")
    if view.second is not None and view.approval is None:
        told.append("once a second person accepts it, too")
    return f"Accept {story.pool}: {', '.join(told)}?"


def nothing_to_accept(view: CardView) -> str:
    """`Lab: nothing to accept: balanced, nothing to move.`."""
    story = content(view)
    return f"{story.pool}: nothing to accept: {words.stopped(standing.gist(view, story))}".replace(NO_BREAK, " ")


def _pool(answer: PoolAnswer, zone: tzinfo) -> Iterable[RenderableType]:
    if answer.view is None:
        yield _text(answers.pool_line(answer), "yellow")
        return
    view = answer.view
    story = content(view)
    yield _text(plain(standing.told(view, story), zone), "bold")
    if view.standing in WITH_MOVES:
        for part in _open(view, story, zone):
            yield Padding(part, _TABLE if isinstance(part, Table) else _LINE)


def _open(view: CardView, story: Content, zone: tzinfo) -> Iterable[RenderableType]:
    if story.losing:
        yield _text(f"! {story.losing_count}: {', '.join(story.losing)}", "bold red")
    for warning in (*story.losing_said, *story.warnings):
        yield _text(f"! {warning}", "bold red")
    if story.previous:
        yield _text(story.previous, "yellow")
    if by_two := standing.by_two(view):
        yield _text(plain(by_two, zone), "yellow")
    if view.standing in WITH_FORECAST and story.issues:
        yield _vm_stores("Issues", story.issues)
    if story.moves:
        yield _moves(story)
    if view.standing is Standing.FAILED:
        yield _text(f"What to do: {' '.join(standing.advice(story))}")
    if view.standing in WITH_FORECAST and story.outcomes_in_brief:
        yield _vm_stores("Expected", story.outcomes_in_brief)
    if dates := plain(made_and_expires(view), zone):
        yield _text(dates, "dim")


def _vm_stores(title: str, vm_stores: Sequence[VmStoreFacts]) -> Table:
    table = _table("VMstore", title)
    for vm_store in vm_stores:
        table.add_row(_text(vm_store.name), _text("\n".join(vm_store.brief)))
    return table


def _moves(story: Content) -> Table:
    table = _table("Wave", "VM", "From", "To", "State" if story.reports_results else "Solves")
    for move in story.moves:
        vm = _text(move.vm, "bold red" if move.loses_replication else "")
        cells = (move.source, move.destination, _last(move, with_stage=story.reports_results))
        table.add_row(_text(str(move.wave)), vm, *map(_text, cells))
    return table


def _last(move: Move, *, with_stage: bool) -> str:
    return (move.status or "not started") if with_stage else move.issues


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _text(text: str, style: str = "") -> Text:
    return Text(text.replace(NO_BREAK, " "), style)
