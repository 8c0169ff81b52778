"""Outside text made harmless: what it may hold, how long it may be, how it is written in mrkdwn."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.rendering import limits

ELLIPSIS = "…"
SYSTEM_USER = "cli:"
POLICY = "policy:"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands where a character was that nobody can see: two names that differ still look different."""

# Blank or invisible although Unicode calls them letters, marks or symbols.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Control, format (bidi, zero-width, tags), lone surrogates; code points without a character.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
_LINE_ENDS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_CLUSTER = 16
"""So many marks are kept with their letter; a longer pile is cut like anything else."""
_NAME_END = 12
_MOST = 5
"""What one character can come to once escaped, in UTF-16 units or UTF-8 bytes: `&amp;`."""
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def clean(text: str) -> str:
    """One visible line: no control, bidi, zero-width or unpaired surrogate characters, no blanks around."""
    harmless = text.isprintable() and _BLANKS.isdisjoint(text)
    return (text if harmless else "".join(map(_seen, text))).strip()


def _seen(character: str) -> str:
    if character in _LINE_ENDS:
        return " "
    if character in _BLANKS or unicodedata.category(character) in _UNSEEN:
        return REPLACEMENT
    return character


def escape(text: str) -> str:
    """For mrkdwn: the three control characters as entities (slack: Formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def units(text: str) -> int:
    """Length of `text` once escaped, in UTF-16 units."""
    return len(escape(text).encode("utf-16-le", "surrogatepass")) // 2


def size_bytes(text: str) -> int:
    """Length of `text` once escaped, in UTF-8 bytes."""
    return len(escape(text).encode())


def shorten(text: str, limit: int) -> str:
    """At most `limit` escaped UTF-16 units; a cut shows as `…` and never parts a letter from its marks."""
    return _shorten(text, limit, units)


def shorten_bytes(text: str, limit: int) -> str:
    """At most `limit` escaped UTF-8 bytes, cut as by `shorten`."""
    return _shorten(text, limit, size_bytes)


def shorten_name(name: str, limit: int) -> str:
    """Like `shorten`, but keeps the end: there the names of VMs differ."""
    if _MOST * len(name) <= limit or units(name) <= limit:  # most names are short, and there are thousands
        return name
    end = name[-_NAME_END:]
    return shorten(name[:-_NAME_END] + ELLIPSIS, limit - units(end)) + end


def _shorten(text: str, limit: int, size: Callable[[str], int]) -> str:
    if _MOST * len(text) <= limit or size(text) <= limit:
        return text
    room = limit - size(ELLIPSIS)
    if room < 0:
        return ""
    kept = 0
    while (needed := size(text[kept])) <= room:
        room -= needed
        kept += 1
    return text[: _cluster_start(text, kept)].rstrip() + ELLIPSIS


def _cluster_start(text: str, index: int) -> int:
    """The last place at or before `index` where a cut parts nothing."""
    for place in range(index, max(index - _LONGEST_CLUSTER, 0), -1):
        if not _joins(text[place]):
            return place
    return index


def _joins(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or ord(character) in _SKIN_TONES


def is_user_id(user_id: str) -> bool:
    return re.fullmatch(r"[UW][A-Z0-9]{1,30}", user_id) is not None


def is_group_id(group_id: str) -> bool:
    return re.fullmatch(r"S[A-Z0-9]{1,30}", group_id) is not None


def is_system_user_id(user_id: str) -> bool:
    """Whether it is somebody at the command line (bot.system_user). No id of Slack's looks like it."""
    return user_id.startswith(SYSTEM_USER)


def is_policy_id(user_id: str) -> bool:
    """Whether it is a policy (bot.policies). No id of Slack's looks like it."""
    return user_id.startswith(POLICY)


def is_channel_id(channel_id: str) -> bool:
    return re.fullmatch(r"[CGD][A-Z0-9]{1,30}", channel_id) is not None


def is_link(url: str) -> bool:
    harmless = url.isascii() and url.isprintable() and units(url) <= limits.URL
    return harmless and re.fullmatch(r"https?://[^ <>|]+", url) is not None


def timestamp_s(at: datetime) -> int | None:
    """Seconds since 1970, or None where Slack's date tokens do not reach."""
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    return seconds if 0 < seconds < 10**10 else None


def utc(at: datetime) -> str:
    """What a reader sees whose client knows no date tokens."""
    try:
        return f"{_to_the_minute(at.astimezone(UTC))} UTC"
    except OverflowError:  # the first and the last day that datetime knows
        return _to_the_minute(at)


def _to_the_minute(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "minutes")
