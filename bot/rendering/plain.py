"""The report as plain text: for a terminal, for cron; and one recommendation for a mail."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from textwrap import wrap

from bot.rendering import answers, standing
from bot.rendering.content import content, name
from bot.rendering.numbers import NO_BREAK
from bot.rendering.outline import Moves, Note, Part, VmStores, outline
from bot.rendering.phrase import DAY_AND_TIME, local, plain
from bot.rendering.views import CardView, PoolAnswer, Report

WIDTH = 80


def plain_report(report: Report, *, zone: tzinfo) -> str:
    """Lines of at most 80 columns where names allow; dates in `zone`."""
    pools = ["\n".join(_pool(answer, zone)) for answer in answers.by_urgency(report.pools)]
    unread = ["\n".join(_wrapped(sentence)) for sentence in answers.unread_tgcs(report)]
    text = "\n\n".join(["\n".join([report_head(report, zone), answers.headline(report), *unread]), *pools]) + "\n"
    return text.replace(NO_BREAK, " ")  # lines are wrapped, and people search for what they read


def report_head(report: Report, zone: tzinfo) -> str:
    """Which TGC was read when."""
    return f"{name(report.tgc_name, 'Tintri Global Center')}, read {local(report.read_at, zone, f'{DAY_AND_TIME} %Z')}"


def plain_recommendation(view: CardView, *, zone: tzinfo, people: Mapping[str, str]) -> str:
    """The same of one recommendation; `people`: names by Slack's ids."""
    return "\n".join(_recommendation(view, zone, people)).replace(NO_BREAK, " ") + "\n"


def _pool(answer: PoolAnswer, zone: tzinfo) -> Iterable[str]:
    if answer.view is None:
        return _wrapped(answers.pool_line(answer))
    return _recommendation(answer.view, zone, {})


def _recommendation(view: CardView, zone: tzinfo, people: Mapping[str, str]) -> Iterable[str]:
    story = content(view)
    yield from _wrapped(plain(standing.told(view, story), zone, people))
    for part in outline(view, story, zone):
        yield from _lines(part)


def _lines(part: Part) -> Iterable[str]:
    match part:
        case Note(text=text):
            return _wrapped(text, indent=2)
        case VmStores():
            return _vm_stores(part)
        case Moves():
            return _moves(part)


def _vm_stores(part: VmStores) -> Iterable[str]:
    """A fact a line, the names in a column of their own."""
    yield f"  {part.title}"
    column = max(len(vm_store.name) for vm_store in part.vm_stores)
    for vm_store in part.vm_stores:
        label = vm_store.name
        for fact in vm_store.brief:
            yield from _wrapped(f"{label:<{column}}  {fact}", indent=4, hanging=column + 2)
            label = ""


def _moves(part: Moves) -> Iterable[str]:
    yield f"  {part.title}"
    rows = [part.cells(move) for move in part.moves]
    columns = [max(len(row[cell]) for row in rows) for cell in range(len(rows[0]) - 1)]
    for move, row in zip(part.moves, rows, strict=True):
        padded = [f"{cell:<{column}}" for cell, column in zip(row, columns, strict=False)]
        yield f"    {'  '.join((*padded, row[-1]))}".rstrip()
        if move.error:
            yield from _wrapped(move.error, indent=4 + columns[0] + 2)


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
