"""Where the cards of a recommendation go, and who is mentioned on them: the first route that matches it. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

import msgspec

from bot.pool_names import PoolName, fits, is_meant
from bot.recommendations import types_of_moves
from bot.rendering.escape import is_group_id, is_user_id
from bot.rendering.phrase import HERE
from bot.setting_forms import parse_zone
from tgc.models import IssueType, Recommendation

_MAX_CHANNELS = 10
_MAX_MENTIONS = 10
_QUIET = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]) ?- ?([01][0-9]|2[0-3]):([0-5][0-9])")


class QuietHours(msgspec.Struct, frozen=True):
    """Hours of each day, by the clock on the wall."""

    start: time
    end: time
    """Not among them; before `start` where they go over midnight."""

    def cover(self, wall: time) -> bool:
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A section `[[routes]]`; what it does not ask for, any recommendation has."""

    channels: tuple[str, ...]
    pools: tuple[str, ...] | None = None
    """Names or globs, as `pool` or `tgc/pool`."""
    tgc: str | None = None
    """A key of a TGC, or a glob."""
    issue_types: frozenset[IssueType] | None = None
    mentions: tuple[str, ...] = ()
    """Ids of people and user groups, and `here`."""
    quiet: QuietHours | None = None
    zone: ZoneInfo | None = None
    """Of the quiet hours; None: RECO_TIMEZONE."""

    def takes_tgc(self, tgc_key: str) -> bool:
        return self.tgc is None or fits(tgc_key, self.tgc)

    def takes_pool(self, tgc_key: str, pool_name: str, tgc_keys: Collection[str]) -> bool:
        """`tgc_keys`: of all TGCs."""
        name = PoolName(tgc_key, pool_name)
        named = self.pools is None or any(is_meant(name, pattern, tgc_keys) for pattern in self.pools)
        return named and self.takes_tgc(tgc_key)

    def solves(self, recommendation: Recommendation) -> bool:
        return self.issue_types is None or not self.issue_types.isdisjoint(_issue_types(recommendation))

    @property
    def takes_all(self) -> bool:
        """Of its TGCs."""
        return self.issue_types is None and (self.pools is None or "*" in self.pools)

    def mentions_at(self, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
        """Who is mentioned on a card that is posted now. `zone`: that of quiet hours without their own."""
        if self.quiet is not None and self.quiet.cover(now.astimezone(self.zone or zone).time()):
            return ()
        return self.mentions


class Routes(msgspec.Struct, kw_only=True):
    """All of them, in the order of the configuration file, and RECO_CHANNEL for what none of them takes.

    Shared by all who ask it: a reload of the settings changes it in place (bot/reload.py).
    """

    default: Route
    """Without channels where RECO_CHANNEL is not given."""
    by_match: tuple[Route, ...] = ()
    zone: ZoneInfo
    tgc_keys: frozenset[str] = frozenset()
    """What may stand before the `/` of `tgc/pool` in a route."""

    def of(self, tgc_key: str, pool_name: str, recommendation: Recommendation) -> Route:
        taking = (route for route in self._of_pool(tgc_key, pool_name) if route.solves(recommendation))
        return next(taking, self.default)

    @property
    def main(self) -> str:
        """RECO_CHANNEL; empty where that is not given."""
        return next(iter(self.default.channels), "")

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that cards may go to."""
        return _channels((self.default, *self.by_match))

    def channels_of_tgc(self, tgc_key: str) -> tuple[str, ...]:
        """Those that its cards may go to: up to the first route that takes all of them."""
        taking = [route for route in self.by_match if route.takes_tgc(tgc_key)]
        return self._channels_until(taking, lambda route: route.takes_all)

    def channels_of_pool(self, tgc_key: str, pool_name: str) -> tuple[str, ...]:
        """Those that its cards may go to, whatever their issues are."""
        taking = self._of_pool(tgc_key, pool_name)
        return self._channels_until(taking, lambda route: route.issue_types is None)

    def _of_pool(self, tgc_key: str, pool_name: str) -> list[Route]:
        return [route for route in self.by_match if route.takes_pool(tgc_key, pool_name, self.tgc_keys)]

    def _channels_until(self, taking: Sequence[Route], takes_all: Callable[[Route], bool]) -> tuple[str, ...]:
        """Of all up to the first that leaves nothing to those after it."""
        last = next((number for number, route in enumerate(taking, 1) if takes_all(route)), None)
        return _channels((*taking, self.default) if last is None else taking[:last])

    def mentions_at(self, route: Route, posted_at: datetime) -> tuple[str, ...]:
        return route.mentions_at(posted_at, self.zone)

    def idle(self, pools: Iterable[tuple[str, str]]) -> list[int]:
        """Which sections, counted from 1, take none of these pools (key of the TGC, name): maybe misspelt."""
        known = list(pools)
        return [
            number
            for number, route in enumerate(self.by_match, 1)
            if not any(route.takes_pool(tgc_key, pool_name, self.tgc_keys) for tgc_key, pool_name in known)
        ]


def _issue_types(recommendation: Recommendation) -> frozenset[IssueType]:
    """What its moves are to solve; where the TGC leaves that out, what it found on the VMstores."""
    found = frozenset(issue_type for analysis in recommendation.issues for issue_type in analysis.found)
    return types_of_moves(recommendation) or found


def _channels(routes: Iterable[Route]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel_id for route in routes for channel_id in route.channels))


# What a value of a section must be. Each raises a ValueError that says what to give instead.


def parse_channel(text: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]+", text):
        raise ValueError(
            "give the channel's id (C… or G…), which Slack shows at the end of the channel's details,"
            " opened by a click on its name"
        )
    return text


def _texts(value: object, example: str, at_most: int | None = None) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(text, str) and text for text in value):
        raise ValueError(f"give a list such as {example}")
    if at_most is not None and len(value) > at_most:
        raise ValueError(f"give {at_most} at most")
    return tuple(dict.fromkeys(value))


def _parse_channels(value: object) -> tuple[str, ...]:
    return tuple(map(parse_channel, _texts(value, '["C0STORAGE"]', _MAX_CHANNELS)))


def _parse_pools(value: object) -> tuple[str, ...]:
    return _texts(value, '["Production", "Test*"], of names and patterns')


def _parse_tgc(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('give the name of a TGC or a pattern, such as "berlin*"')
    return value


def _parse_issue_types(value: object) -> frozenset[IssueType]:
    known = [issue_type.value for issue_type in IssueType]
    given = _texts(value, '["SPACE", "IOPS"]')
    if not set(given) <= set(known):
        raise ValueError(f"give some of {', '.join(known)}")
    return frozenset(map(IssueType, given))


def _parse_mentions(value: object) -> tuple[str, ...]:
    given = _texts(value, '["S0STORAGE"]', _MAX_MENTIONS)
    if not all(name == HERE or is_user_id(name) or is_group_id(name) for name in given):
        raise ValueError(
            "give ids of people (U… or W…) and of user groups (S…), or here; Slack shows an id in the menu of a profile"
            " or group as Copy member ID or Copy group ID"
        )
    return given


def _parse_quiet(value: object) -> QuietHours:
    found = _QUIET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('give two times of the day such as "22:00-06:00"')
    hours = QuietHours(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if hours.start == hours.end:
        raise ValueError("give two different times; who is never to be mentioned stands in no mentions")
    return hours


ROUTE: Mapping[str, Callable[[object], object]] = {
    "channels": _parse_channels,
    "pools": _parse_pools,
    "tgc": _parse_tgc,
    "issue_types": _parse_issue_types,
    "mentions": _parse_mentions,
    "quiet": _parse_quiet,
    "zone": parse_zone,
}
"""By the names of a section's values."""
