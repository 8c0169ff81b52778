"""The journal for one person in Slack: a page of entries, each with what was seen, told and answered."""

from collections.abc import Iterable
from datetime import UTC

from bot.rendering import blocks, ids, limits, paging, words
from bot.rendering.content import name
from bot.rendering.escape import clean, escape, shorten, shorten_bytes, shorten_name
from bot.rendering.phrase import Code, Phrase, Strong, When, plain
from bot.rendering.views import Action, AuditEntry, AuditPage, Block, Message, SeenMove

ENTRIES_PER_PAGE = 5
MOVES_SHOWN = 3
_NAMES_SHOWN = 3
_NAME = 40
"""Names are shorter here than on a card, for a page holds several entries."""
_SAID = 200
_FORMS = frozenset({*(action for action in Action if action.shapes), "clear_rule"})
"""What was chosen there, and not typed."""


def render_audit(page: AuditPage) -> Message:
    head = _head(page)
    turner = tuple(_page_turner(page))
    text = " ".join((head, *(words.stopped(plain(_heading(entry), UTC)) for entry in page.entries)))
    return Message(
        text=escape(shorten_bytes(clean(text), limits.MESSAGE_TEXT_BYTES)),
        blocks=(
            blocks.paragraph((Strong(head),)),
            *(blocks.bullets([(_heading(entry), list(_lines(entry)))]) for entry in page.entries),
            *turner,
        ),
        compact=(blocks.section(text), *turner),
    )


def person(entry: AuditEntry) -> str:
    """By the name then, which may be somebody else's now, and the id. Never a mention."""
    if entry.user_name == entry.user_id:
        return shorten_name(clean(entry.user_id), _NAME)
    return f"{shorten_name(name(entry.user_name, 'somebody'), _NAME)} ({shorten_name(clean(entry.user_id), _NAME)})"


def what(entry: AuditEntry) -> str:
    """`accept: done`, `cancel plan: not allowed`."""
    return f"{clean(entry.action).replace('_', ' ')}: {entry.outcome.replace('_', ' ')}"


def pool(entry: AuditEntry) -> str:
    """Empty where none was meant, or all were."""
    return name(entry.pool_name or entry.pool_uuid, "unnamed pool") if entry.pool_uuid else ""


def way(move: SeenMove) -> str:
    """`from vmstore01 to vmstore03`."""
    return f"from {clean(move.source)} to {clean(move.destination)}"


def written(entry: AuditEntry) -> Iterable[str]:
    """What the person gave with it, or wrote of it."""
    if entry.ticket:
        yield f"Ticket: {clean(entry.ticket)}"
    if entry.feedback:
        yield f"Feedback: {clean(entry.feedback)}"
    if entry.note:
        yield f"Wrote: {clean(entry.note)}"


def _head(page: AuditPage) -> str:
    about = f" about “{shorten_name(clean(page.typed), limits.NAME)}”" if page.typed else ""
    if not page.total:
        return f"There are no entries{about}."
    newest = ", newest first" if page.total > 1 else ""
    return f"{words.counted(page.total, 'entry', 'entries')}{about}{newest}."


def _heading(entry: AuditEntry) -> Phrase:
    where = pool(entry)
    return (
        Strong(person(entry)),
        f" · {shorten(what(entry), _NAME)}",
        f" · {shorten_name(where, _NAME)}" if where else "",
        " · ",
        When(entry.decided_at),
    )


def _lines(entry: AuditEntry) -> Iterable[Phrase]:
    if entry.typed is not None and entry.action in _FORMS:
        yield (f"Asked for: {shorten(clean(entry.typed), _SAID)}",)
    elif entry.typed is not None:
        yield ("Typed: ", Code(shorten(f"/tintri {entry.action} {clean(entry.typed)}".rstrip(), _SAID)))
    yield from _seen(entry)
    if said := " · ".join(written(entry)):
        yield (shorten(said, _SAID),)
    if entry.told:
        yield (f"Told: {shorten(clean(entry.told), _SAID)}",)
    if entry.tgc_answer:
        yield (f"The TGC: {shorten(clean(entry.tgc_answer), _SAID)}",)


def _seen(entry: AuditEntry) -> Iterable[Phrase]:
    moves, losing = entry.moves or (), entry.loses_replication or ()
    for move in moves[:MOVES_SHOWN]:
        source, destination = (shorten_name(clean(end), _NAME) for end in (move.source, move.destination))
        yield (Strong(shorten_name(clean(move.vm), _NAME)), f" from {source} to {destination}")
    if len(moves) > MOVES_SHOWN:
        yield (f"and {words.counted(len(moves) - MOVES_SHOWN, 'more VM', 'more VMs')}",)
    if losing:
        names = tuple(shorten_name(clean(vm), _NAME) for vm in losing)
        yield (f"Would lose replication: {words.listed(names, _NAMES_SHOWN)}",)


def _page_turner(page: AuditPage) -> Iterable[Block]:
    if page.last == 0:
        return
    yield blocks.plain_context(f"Page {page.page + 1:,} of {page.last + 1:,}")
    newer, older = ("Newer", ids.AUDIT_NEWER), ("Older", ids.AUDIT_OLDER)
    yield from paging.turner(page.page, page.last, page.typed, back=newer, on=older)
