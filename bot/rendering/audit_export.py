"""The journal for a terminal, for programs (JSON) and for spreadsheets (CSV). docs/audit.md describes the last two."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from rich.table import Table
from rich.text import Text

from bot.rendering.audit import person, pool, way, what, written
from bot.rendering.escape import clean, utc
from bot.rendering.views import AuditEntry, SeenMove

_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet run a cell that begins with it, full-width forms too (OWASP: CSV injection)."""
_QUOTE = "'"
_BETWEEN = " | "


def as_json(entries: Iterable[AuditEntry]) -> str:
    document = {"entries": list(entries)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def as_csv(entries: Iterable[AuditEntry]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(AuditEntry.__struct_fields__)
    writer.writerows([_cell(value) for value in _values(entry)] for entry in entries)
    return lines.getvalue()


def as_table(entries: Iterable[AuditEntry]) -> Table:
    """Readable at 80 columns; nothing in it is rich's markup."""
    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 1, 0))
    for heading, width in (("When (UTC), who", 18), ("What", 13), ("Pool, moves and answers", None)):
        table.add_column(heading, width=width, overflow="fold")
    for entry in entries:
        who = f"{utc(entry.decided_at).removesuffix(' UTC')}\n{person(entry)}"
        table.add_row(Text(who), Text(what(entry)), Text("\n".join(_told(entry))))
    return table


def _values(entry: AuditEntry) -> Iterator[str]:
    """Each as one text, empty where there is none."""
    for field in AuditEntry.__struct_fields__:
        match getattr(entry, field):
            case None:
                yield ""
            case datetime() as at:
                yield msgspec.to_builtins(at)
            case tuple() as several:
                yield _BETWEEN.join(
                    f"{part.vm} {way(part)}" if isinstance(part, SeenMove) else part for part in several
                )
            case value:
                yield str(value)


def _cell(text: str) -> str:
    """One harmless line. What a spreadsheet would run gets a quote in front, and so does what begins with a quote."""
    line = clean(text)
    return f"{_QUOTE}{line}" if line.startswith((*_FORMULA, _QUOTE)) else line


def _told(entry: AuditEntry) -> Iterator[str]:
    if where := pool(entry):
        yield where
    if entry.typed is not None:
        yield f"Typed: /tintri {entry.action} {clean(entry.typed)}".rstrip()
    for move in entry.moves or ():
        yield f"{clean(move.vm)} {way(move)}"
    if entry.loses_replication:
        yield f"Would lose replication: {', '.join(map(clean, entry.loses_replication))}"
    yield from written(entry)
    if entry.told:
        yield f"Told: {clean(entry.told)}"
    if entry.tgc_answer:
        yield f"The TGC: {clean(entry.tgc_answer)}"
