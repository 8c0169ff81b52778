"""A line of text made of pieces, written once and shown three ways: rich_text, mrkdwn, plain.

A plain `str` is literal, whoever wrote it; what Slack should act on (a date, a person) is a piece of its own, so that
outside text can never become one.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

import msgspec

from bot.rendering import escape

DAY_AND_TIME = "%Y-%m-%d %H:%M"
NOBODY_KNOWN = "somebody"
HERE = "here"


class Strong(msgspec.Struct, frozen=True):
    """Text in bold."""

    text: str


class Code(msgspec.Struct, frozen=True):
    """Text to type."""

    text: str


class When(msgspec.Struct, frozen=True):
    """A moment, in the reader's own time zone."""

    at: datetime
    time_only: bool = False

    @property
    def tokens(self) -> str:
        return "{time}" if self.time_only else "{date_short_pretty} at {time}"


class Person(msgspec.Struct, frozen=True):
    user_id: str
    """Slack's, or that of a user of the operating system or a policy, who have no account there: shown as text."""


class Called(msgspec.Struct, frozen=True):
    """Somebody whom a new message is to notify: by the id of a person or a user group, or `HERE`."""

    name: str


class Channel(msgspec.Struct, frozen=True):
    channel_id: str


class Link(msgspec.Struct, frozen=True):
    url: str
    label: str


class Sign(msgspec.Struct, frozen=True):
    """An emoji by Slack's name, which screen readers read out, and what stands for it in plain text."""

    name: str
    plain: str


WARNING = Sign("warning", "!")

Piece = str | Strong | Code | When | Person | Called | Channel | Link | Sign
Phrase = tuple[Piece, ...]


def joined(phrases: Iterable[Phrase], separator: str) -> Phrase:
    pieces: list[Piece] = []
    for phrase in phrases:
        pieces += [separator, *phrase] if pieces else phrase
    return tuple(pieces)


def rich_text(phrase: Phrase) -> list[dict[str, Any]]:
    """The leaves of a rich_text_section (slack: Rich text block)."""
    return [leaf for piece in phrase if (leaf := _leaf(piece)) is not None]


def mrkdwn(phrase: Phrase, limit_bytes: int) -> str:
    """Escaped mrkdwn of at most `limit_bytes`. A text is cut where it must be, a date or a person never."""
    return "".join(_within(phrase, limit_bytes))


def plain(phrase: Phrase, zone: tzinfo, people: Mapping[str, str] = MappingProxyType({})) -> str:
    """`people`: names by Slack's ids; who is not there is shown by the id."""
    return "".join(_plain(piece, zone, people) for piece in phrase)


def _leaf(piece: Piece) -> dict[str, Any] | None:
    match piece:
        case When(at=at):
            seconds = escape.timestamp_s(at)
            if seconds is None:
                return _text(escape.utc(at))
            return {
                "type": "date",
                "timestamp": seconds,
                "format": piece.tokens,
                "fallback": escape.utc(at),
            }
        case Person(user_id=user_id) if escape.is_user_id(user_id):
            return {"type": "user", "user_id": user_id}
        case Called(name=name) if name == HERE or escape.is_group_id(name) or escape.is_user_id(name):
            return _calling(name)
        case Channel(channel_id=channel_id) if escape.is_channel_id(channel_id):
            return {"type": "channel", "channel_id": channel_id}
        case Link(url=url, label=label) if label and escape.is_link(url):
            return {"type": "link", "url": url, "text": label}
        case Sign(name=name):
            return {"type": "emoji", "name": name}
        case Strong(text=text):
            return _text(text, {"bold": True})
        case Code(text=text):
            return _text(text, {"code": True})
        case _:
            return _text(_words(piece))


def _calling(name: str) -> dict[str, Any]:
    if name == HERE:
        return {"type": "broadcast", "range": name}
    is_group = escape.is_group_id(name)
    return {"type": "usergroup", "usergroup_id": name} if is_group else {"type": "user", "user_id": name}


def _text(text: str, style: dict[str, bool] | None = None) -> dict[str, Any] | None:
    """Slack refuses an empty leaf."""
    if not text:
        return None
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def _within(phrase: Phrase, limit_bytes: int) -> Iterator[str]:
    left = limit_bytes
    for piece in phrase:
        whole = _mrkdwn(piece)
        if len(whole.encode()) > left:
            yield escape.escape(escape.shorten_bytes(_words(piece), left)) if _is_text(piece) else ""
            return
        left -= len(whole.encode())
        yield whole


def _is_text(piece: Piece) -> bool:
    return isinstance(piece, str | Strong | Code)


def _mrkdwn(piece: Piece) -> str:
    match piece:
        case When(at=at):
            seconds = escape.timestamp_s(at)
            return escape.utc(at) if seconds is None else f"<!date^{seconds}^{piece.tokens}|{escape.utc(at)}>"
        case Person(user_id=user_id) | Called(name=user_id) if escape.is_user_id(user_id):
            return f"<@{user_id}>"
        case Called(name=name) if name == HERE or escape.is_group_id(name):
            return f"<!{name}>" if name == HERE else f"<!subteam^{name}>"
        case Channel(channel_id=channel_id) if escape.is_channel_id(channel_id):
            return f"<#{channel_id}>"
        case Link(url=url, label=label) if label and escape.is_link(url):
            return f"<{escape.escape(url)}|{escape.escape(label.replace('|', ' '))}>"
        case Sign(name=name):
            return f":{name}:"
        case _:
            return escape.escape(_words(piece))


def _words(piece: Piece) -> str:
    """What there is to read in a piece that Slack is to do nothing with."""
    match piece:
        case str():
            return piece
        case Strong(text=text) | Code(text=text):
            return text
        case Link(label=label):
            return label
        case Channel():
            return "the channel"
        case Sign(plain=sign):
            return sign
        case When(at=at):
            return escape.utc(at)
        case Person(user_id=user_id) if escape.is_system_user_id(user_id):
            return escape.clean(user_id)
        case Person(user_id=user_id) if escape.is_policy_id(user_id):
            return escape.clean(f"policy {user_id.removeprefix(escape.POLICY)}")
        case Person() | Called():
            return NOBODY_KNOWN


def _plain(piece: Piece, zone: tzinfo, people: Mapping[str, str]) -> str:
    match piece:
        case When(at=at):
            return local(at, zone, "%H:%M" if piece.time_only else DAY_AND_TIME)
        case Person(user_id=user_id) if escape.is_user_id(user_id):
            return escape.clean(people.get(user_id, "")) or user_id
        case _:
            return _words(piece)


def local(at: datetime, zone: tzinfo, form: str) -> str:
    """`at` in the zone given, as `strftime` writes `form`."""
    try:
        return at.astimezone(zone).strftime(form)
    except OverflowError:  # the first and the last day that datetime knows
        return escape.utc(at)
