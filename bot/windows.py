"""Windows of time in which something may be done by itself, by the clock on the wall of a time zone. Pure.

Of a window by weekday and hour the wall clock decides at both ends: on the day on which clocks are set, it is open as
long as a clock there shows such a time. A window by cron opens as cron does (a time that the clock skips comes right
after the gap) and lasts as long as it says, whatever is done to clocks meanwhile.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim

from bot.rendering.escape import clean, shorten
from bot.setting_forms import parse_schedule

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 24 * 60
_MAX_HOURS = 7 * 24
_SHOWN = 40
_HOURS = re.compile(r"(?P<days>[a-z,-]+)\s+(?P<start>\d\d:\d\d)\s*-\s*(?P<end>\d\d:\d\d)", re.IGNORECASE)
_MOST_JOINED = 8
"""So many windows, each within the one before, are looked through for the last end."""
_EXAMPLES = 'give windows such as "sat,sun 00:00-06:00" or { cron = "0 22 * * 1-5", hours = 6 }'


class WeeklyWindow(msgspec.Struct, frozen=True, kw_only=True):
    """`sat,sun 00:00-06:00`. One that ends the next morning belongs to the day on which it begins."""

    days: frozenset[int]
    """0 is Monday."""
    start: int
    """Minutes since midnight."""
    end: int
    """The same, after `start`; past 1440 it ends the next day."""

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        return self._begun_on(now, zone) is not None

    def opens_at(self, after: datetime, zone: ZoneInfo) -> datetime:
        days = ",".join(str((day + 1) % 7) for day in sorted(self.days))
        hour, minute = divmod(self.start, 60)
        return next(CronSim(f"{minute} {hour} * * {days}", after.astimezone(zone))).astimezone(UTC)

    def closes_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Of one that is open."""
        begun = self._begun_on(now, zone) or now.astimezone(zone).date()
        midnight = datetime(begun.year, begun.month, begun.day, tzinfo=zone)
        return max((midnight + timedelta(minutes=self.end)).astimezone(UTC), now)

    def _begun_on(self, now: datetime, zone: ZoneInfo) -> date | None:
        local = now.astimezone(zone)
        minutes = local.hour * 60 + local.minute
        for begun, passed in ((local, minutes), (local - timedelta(days=1), minutes + _DAY_MINUTES)):
            if begun.weekday() in self.days and self.start <= passed < self.end:
                return begun.date()
        return None


class CronWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Opens at each time of a cron expression, and lasts so long."""

    cron: str
    lasts: timedelta

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        return self._opened_at(now, zone) <= now

    def opens_at(self, after: datetime, zone: ZoneInfo) -> datetime:
        return next(CronSim(self.cron, after.astimezone(zone))).astimezone(UTC)

    def closes_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Of one that is open."""
        return self._opened_at(now, zone) + self.lasts

    def _opened_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Where it is not open, when it opens next. In UTC, as elsewhere a sum is one of wall clocks."""
        return self.opens_at(now.astimezone(UTC) - self.lasts, zone)


Window: TypeAlias = WeeklyWindow | CronWindow


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """When one of some windows is open: now, or next."""

    since: datetime
    """Not after now where it is open."""
    until: datetime


def is_open(windows: Sequence[Window], now: datetime, zone: ZoneInfo) -> bool:
    return any(window.is_open(now, zone) for window in windows)


def next_open(windows: Sequence[Window], now: datetime, zone: ZoneInfo) -> Open | None:
    """When one of them is open, now or next; None without windows."""
    if not windows:
        return None
    since = now if is_open(windows, now, zone) else min(window.opens_at(now, zone) for window in windows)
    return Open(since=since, until=_last_end(windows, since, zone))


def _last_end(windows: Sequence[Window], at: datetime, zone: ZoneInfo) -> datetime:
    """When the last of those closes that follow on one another."""
    for _ in range(_MOST_JOINED):
        end = max((window.closes_at(at, zone) for window in windows if window.is_open(at, zone)), default=at)
        if end == at:
            break
        at = end
    return at


# What a value must be. Each raises a ValueError that says what to give instead.


def parse_windows(value: object) -> tuple[Window, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"give a list with one window or more; {_EXAMPLES}")
    return tuple(map(_parse_window, value))


def _parse_window(value: object) -> Window:
    match value:
        case str():
            return _parse_weekly(value)
        case {"cron": str(cron), "hours": hours, **more} if not more:
            return CronWindow(cron=_parse_cron(cron), lasts=_parse_hours(hours))
        case _:
            raise ValueError(_EXAMPLES)


def _parse_weekly(text: str) -> WeeklyWindow:
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{_EXAMPLES}, which “{_shown(text)}” is not")
    start, end = _minutes(found["start"]), _minutes(found["end"])
    if start in {end, _DAY_MINUTES}:
        raise ValueError(f"“{_shown(text)}” lasts no time: for a whole day give 00:00-24:00")
    return WeeklyWindow(
        days=_parse_days(found["days"].casefold()), start=start, end=end if end > start else end + _DAY_MINUTES
    )


def _parse_days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, is_range, last = part.partition("-")
        if first not in _DAYS or (is_range and last not in _DAYS):
            raise ValueError(f"give days as mon, tue, wed, thu, fri, sat, sun, or mon-fri; “{_shown(part)}” is none")
        begin = _DAYS.index(first)
        count = (_DAYS.index(last) - begin) % len(_DAYS) if is_range else 0
        days |= {(begin + step) % len(_DAYS) for step in range(count + 1)}
    return frozenset(days)


def _minutes(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    minutes = hour * 60 + minute
    if minute > 59 or minutes > _DAY_MINUTES:  # noqa: PLR2004
        raise ValueError(f"give hours from 00:00 to 24:00; “{_shown(text)}” is none")
    return minutes


def _parse_cron(text: str) -> str:
    try:
        return parse_schedule(text)
    except ValueError:
        raise ValueError(
            f"for cron give five fields whose time comes, such as 0 22 * * 1-5; “{_shown(text)}” is none"
        ) from None


def _parse_hours(hours: object) -> timedelta:
    if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= _MAX_HOURS:
        raise ValueError(f"for hours give a number above 0 and up to {_MAX_HOURS}")
    return timedelta(hours=hours)


def _shown(text: str) -> str:
    return shorten(clean(text), _SHOWN)
