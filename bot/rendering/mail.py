"""A mail of one recommendation or all: what `plain` says, as text and as HTML that loads nothing and does nothing."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from html import escape
from itertools import chain
from zoneinfo import ZoneInfo

import msgspec

from bot.rendering import answers, standing
from bot.rendering.content import content, name
from bot.rendering.escape import is_link, shorten
from bot.rendering.numbers import NO_BREAK
from bot.rendering.outline import Moves, Note, Part, VmStores, outline
from bot.rendering.phrase import plain
from bot.rendering.plain import plain_recommendation, plain_report, report_head
from bot.rendering.views import CardView, PoolAnswer, Report

SUBJECT = 200

_BODY = "margin:0;padding:12px;font:15px/1.45 sans-serif;overflow-wrap:anywhere"
_TABLE = "border-collapse:collapse"
_CELL = "padding:3px 12px 3px 0;text-align:left;vertical-align:top"
_QUIET = "margin:6px 0"
_LOUD = "margin:6px 0;color:#b3261e;font-weight:bold"
_SMALL = "font-size:13px"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    """One line."""
    text: str
    html: str


def render_mail(view: CardView, *, zone: ZoneInfo, people: Mapping[str, str]) -> Mail:
    """Dates in `zone`, which it names. `people`: names by Slack's ids."""
    story = content(view)
    told = plain(standing.told(view, story), zone, people)
    where = view.tgc_url if is_link(view.tgc_url) else name(view.tgc_name, "Tintri Global Center")
    ending = f"Decisions are made on its card in Slack. Times are those of {zone.key}."
    return Mail(
        subject=shorten(told.replace(NO_BREAK, " "), SUBJECT),
        text=f"{plain_recommendation(view, zone=zone, people=people)}\n{where}\n{ending}\n",
        html=_page(
            (
                *_recommendation(told, outline(view, story, zone)),
                f'<p style="{_SMALL}">{_link(where)}<br>{escape(ending)}</p>',
            )
        ),
    )


def render_report(report: Report, *, zone: tzinfo) -> Mail:
    """All that `plain_report` prints."""
    tgc, headline = name(report.tgc_name, "Tintri Global Center"), answers.headline(report)
    head = f'<p style="{_QUIET}">{_lines((report_head(report, zone), headline, *answers.unread_tgcs(report)))}</p>'
    pools = (_pool(answer, zone) for answer in answers.by_urgency(report.pools))
    return Mail(
        subject=shorten(f"{tgc}: {headline}".replace(NO_BREAK, " "), SUBJECT),
        text=plain_report(report, zone=zone),
        html=_page((head, *chain.from_iterable(pools))),
    )


def _page(body: Iterable[str]) -> str:
    """The lines of the body are HTML already."""
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width"></head>',
            f'<body style="{_BODY}">',
            *body,
            "</body></html>",
        )
    )


def _pool(answer: PoolAnswer, zone: tzinfo) -> Iterable[str]:
    if answer.view is None:
        return _recommendation(answers.pool_line(answer), ())
    story = content(answer.view)
    return _recommendation(plain(standing.told(answer.view, story), zone, {}), outline(answer.view, story, zone))


def _recommendation(told: str, parts: Iterable[Part]) -> Iterable[str]:
    yield f"<h2>{escape(told)}</h2>"
    for part in parts:
        yield from _part(part)


def _part(part: Part) -> Iterable[str]:
    match part:
        case Note(text=text, is_loud=is_loud):
            yield f'<p style="{_LOUD if is_loud else _QUIET}">{escape(text)}</p>'
        case VmStores(title=title, vm_stores=vm_stores):
            yield from _table(title, [(escape(vm_store.name), _lines(vm_store.brief)) for vm_store in vm_stores])
        case Moves(title=title, moves=moves):
            yield from _table(title, [_cells(part.cells(move), move.error) for move in moves])


def _table(title: str, rows: Iterable[Iterable[str]]) -> Iterable[str]:
    """The cells are HTML already."""
    yield f'<h3>{escape(title)}</h3><table style="{_TABLE}">'
    for cells in rows:
        yield "".join(("<tr>", *(f'<td style="{_CELL}">{cell}</td>' for cell in cells), "</tr>"))
    yield "</table>"


def _cells(cells: tuple[str, ...], error: str) -> Iterable[str]:
    *others, last = cells
    return (*map(escape, others), _lines(filter(None, (last, error))))


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(map(escape, texts))


def _link(where: str) -> str:
    return f'<a href="{escape(where)}">{escape(where)}</a>' if is_link(where) else escape(where)
