"""What the bot is at, for one person in Slack: what runs, is planned, waits, is paused, or went wrong."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from bot.rendering import limits, standing, words
from bot.rendering.content import content, name
from bot.rendering.escape import clean, shorten, shorten_name
from bot.rendering.lists import Group, cut, render_lists
from bot.rendering.phrase import Person, Phrase, Strong, When, joined
from bot.rendering.views import CardView, Message, Paused, Standing, StatusView, TgcStatus

LINES_SHOWN = 8
READ_SHOWN = 7
TROUBLES_SHOWN = 2
"""TGCs in trouble."""
_TGC, _PROBLEM = 26, 80
"""Names of TGCs and their problems are shorter where there are several."""

_OPEN = {Standing.OFFERED, Standing.DECIDING}
_NOTHING: Phrase = (Strong("Nothing runs, nothing waits."),)
_FAR_AWAY = datetime.max.replace(tzinfo=UTC)


def render_status(status: StatusView) -> Message:
    running = [card for card in status.cards if card.standing is Standing.RUNNING]
    waiting = [card for card in status.cards if card.standing in _OPEN and not card.planned]
    planned = [card for card in status.cards if card.standing in _OPEN and card.planned]
    found = [
        ("Running", _cards(running, _accepted_at, _running)),
        ("Planned", _cards(planned, _due_at, _waiting)),
        ("Waiting for a decision", _cards(waiting, _expires_at, _waiting)),
        ("Paused", list(map(_paused, status.paused))),
        ("Not posted", list(_unposted(status))),
        ("Mail", list(_mail(status))),
        *_in_trouble(status.tgcs),
    ]
    groups: list[Group] = [((Strong(heading),), cut(lines, LINES_SHOWN)) for heading, lines in found if lines]
    return render_lists([*(groups or [(_NOTHING, ())]), _read(status.tgcs)])


def _in_trouble(tgcs: Sequence[TgcStatus]) -> list[tuple[str, list[Phrase]]]:
    if len(tgcs) == 1:
        return [(_name(tgcs[0], limits.NAME), list(_troubles(tgcs[0], limits.PROBLEM)))]
    found = [(_name(tgc, _TGC), lines) for tgc in tgcs if (lines := list(_troubles(tgc, _PROBLEM)))]
    more = len(found) - TROUBLES_SHOWN
    rest: list[Phrase] = [(f"{words.counted(more, 'more TGC is', 'more TGCs are')} in trouble.",)]
    return [*found[:TROUBLES_SHOWN], *([("And", rest)] if more > 0 else [])]


def _read(tgcs: Sequence[TgcStatus]) -> Group:
    """When each was read, and is next."""
    if len(tgcs) == 1:
        return (_readings(tgcs[0]), ())
    lines = [_read_line(tgc) for tgc in tgcs]
    return ((Strong("All pools read"),), cut(lines, READ_SHOWN))


def _read_line(tgc: TgcStatus) -> Phrase:
    """`berlin (tgc.example.com): today at 06:15 · next today at 18:15`."""
    head: Phrase = (_name(tgc, _TGC), ": ")
    parts: list[Phrase] = [(When(tgc.swept_at),) if tgc.swept_at else ("not by this replica",)]
    parts += [("next ", When(at)) for at in tgc.next_sweeps[:1]]
    return (*head, *joined(parts, " · "))


def _name(tgc: TgcStatus, limit: int) -> str:
    return shorten_name(name(tgc.name, "Tintri Global Center"), limit)


def _cards(
    cards: Iterable[CardView], moment: Callable[[CardView], datetime | None], line: Callable[[CardView], Phrase]
) -> list[Phrase]:
    """A line for each, the earliest first."""
    return [line(card) for card in sorted(cards, key=lambda card: (moment(card) or _FAR_AWAY, card.pool_name))]


def _running(card: CardView) -> Phrase:
    """`Production: 7 of 9 VMs moved, running · accepted by @alice today at 07:12`."""
    told = content(card)
    stalled = words.counted(len(told.stalled), "move is", "moves are") if told.stalled else ""
    return (*_pool(card), *standing.became(card, told), f" · {stalled} stalled" if stalled else "")


def _waiting(card: CardView) -> Phrase:
    """`Production: 4 VMs to move · expires today at 18:00`."""
    moves = words.counted(len(content(card).moves), "VM", "VMs")
    return (*_pool(card), f"{moves} to move · ", *standing.waiting(card))


def _paused(paused: Paused) -> Phrase:
    where = "Every pool" if paused.pool_name is None else name(paused.pool_name, "Unnamed pool")
    until: Phrase = (" until ", When(paused.until)) if paused.until else (" until somebody resumes",)
    return (Strong(shorten_name(where, limits.NAME)), ": ", Person(paused.user_id), " paused accepting", *until)


def _unposted(status: StatusView) -> Iterable[Phrase]:
    """`2 cards, 1 message since today at 07:12: it is archived`."""
    unposted = status.unposted
    if unposted is None:
        return
    counts = (
        words.counted(unposted.cards, "card", "cards") if unposted.cards else "",
        words.counted(unposted.messages, "message", "messages") if unposted.messages else "",
    )
    yield (f"{', '.join(filter(None, counts))} since ", When(unposted.since), f": {_sentence(unposted.problem)}")


def _mail(status: StatusView) -> Iterable[Phrase]:
    if status.mail is not None:
        yield ("has not gone out since ", When(status.mail.since), f": {_sentence(status.mail.problem)}")


def _troubles(tgc: TgcStatus, limit: int) -> Iterable[Phrase]:
    if tgc.outage is not None:
        yield ("No answers since ", When(tgc.outage.since), f": {_sentence(tgc.outage.problem, limit)}")
    if tgc.login_refused_at is not None:
        yield ("It refused the bot's login ", When(tgc.login_refused_at), ".")


def _readings(tgc: TgcStatus) -> Phrase:
    """`All pools read today at 06:15 · next today at 18:15, tomorrow at 06:15`."""
    read: Phrase = ("All pools read ", When(tgc.swept_at), " · ") if tgc.swept_at else ("All pools read ",)
    return (*read, "next ", *joined([(When(at),) for at in tgc.next_sweeps], ", "))


def _pool(card: CardView) -> Phrase:
    return (Strong(shorten_name(name(card.pool_name, "Unnamed pool"), limits.NAME)), ": ")


def _accepted_at(card: CardView) -> datetime | None:
    return card.recommendation.accepted_time


def _due_at(card: CardView) -> datetime | None:
    return card.planned.due_at if card.planned else None


def _expires_at(card: CardView) -> datetime | None:
    return card.recommendation.expiration_time


def _sentence(problem: str, limit: int = limits.PROBLEM) -> str:
    return words.stopped(shorten(clean(problem), limit) or "no reason is known")
