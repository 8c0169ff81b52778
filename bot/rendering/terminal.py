"""The report as tables for a terminal, from 80 columns on, and what is asked there. Nothing in it is rich's markup."""

from collections.abc import Iterable
from datetime import tzinfo

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.rendering import answers, standing, words
from bot.rendering.content import content
from bot.rendering.numbers import NO_BREAK
from bot.rendering.outline import NOT_STARTED, Moves, Note, Part, VmStores, outline
from bot.rendering.phrase import plain
from bot.rendering.plain import report_head
from bot.rendering.views import CardView, PoolAnswer, Report

_LINE, _TABLE = (0, 0, 0, 2), (0, 0, 1, 2)
"""How parts of a pool are set in, and what is left free below."""


def report_tables(report: Report, *, zone: tzinfo) -> Iterable[RenderableType]:
    yield _text(report_head(report, zone), "dim")
    yield _text(answers.headline(report))
    for sentence in answers.unread_tgcs(report):
        yield _text(sentence, "yellow")
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
    for part in outline(view, story, zone):
        drawn = _drawn(part)
        yield Padding(drawn, _TABLE if isinstance(drawn, Table) else _LINE)
    if by_two := standing.by_two(view):
        yield Padding(_text(plain(by_two, zone), "yellow"), _LINE)


def _drawn(part: Part) -> Text | Table:
    match part:
        case Note(text=text, is_loud=is_loud):
            return _text(text, "bold red" if is_loud else "")
        case VmStores():
            return _vm_stores(part)
        case Moves():
            return _moves(part)


def _vm_stores(part: VmStores) -> Table:
    table = _table("VMstore", part.title)
    for vm_store in part.vm_stores:
        table.add_row(_text(vm_store.name), _text("\n".join(vm_store.brief)))
    return table


def _moves(part: Moves) -> Table:
    table = _table("Wave", "VM", "From", "To", "State" if part.report_results else "Solves")
    for move in part.moves:
        vm = _text(move.vm, "bold red" if move.loses_replication else "")
        last = (move.status or NOT_STARTED) if part.report_results else move.issues
        table.add_row(_text(str(move.wave)), vm, *map(_text, (move.source, move.destination, last)))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _text(text: str, style: str = "") -> Text:
    return Text(text.replace(NO_BREAK, " "), style)
