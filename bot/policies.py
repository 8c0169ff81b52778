"""Policies: what may be accepted without anybody pressing, judged from the recommendation, the file and the time. Pure.

Whatever a policy does not allow, or the TGC does not say, makes it not match.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bot.pool_names import PoolName, fits, is_meant
from bot.pool_rules import PoolRule, loses_replication
from bot.recommendations import Key, is_expired, is_open, plan_of, types_of_moves
from bot.rendering.escape import POLICY
from bot.rendering.words import counted, issue_type, listed
from bot.setting_forms import parse_zone
from bot.windows import Open, Window, next_open, parse_windows
from tgc.models import IssueType, Recommendation

MISSING = {
    "name": "a name of its own",
    "pools": 'names of pools or patterns, such as ["Production", "Test*"]',
    "issue_types": 'what it may solve, such as ["SPACE"]',
    "max_moves": "how many VMs it may move at most",
    "windows": 'when it may act, such as ["sat,sun 00:00-06:00"]',
}
"""What every policy must say: what one leaves out must not widen it."""

_SOLVED = (IssueType.SPACE, IssueType.IOPS, IssueType.FLASH)
_MAX_NAME = 40
_MAX_MOVES = 10_000
_MAX_SEVERITY = 1_000
_TYPES_NAMED = 5


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A section `[[policies]]`."""

    name: str
    pools: tuple[str, ...]
    """By a pool's name or a glob."""
    issue_types: frozenset[IssueType]
    """All that a recommendation may be about."""
    max_moves: int
    windows: tuple[Window, ...]
    tgc: str = "*"
    """By a TGC's name or a glob."""
    min_severity: int | None = None
    """Of the worst issue; None where any will do."""
    zone: ZoneInfo | None = None
    """Of its windows; None: RECO_TIMEZONE."""
    dry_run: bool = True
    """Say what it would do, and do nothing."""

    @property
    def user_id(self) -> str:
        """Who acts, as the journal names it; no id of Slack's looks like it."""
        return f"{POLICY}{self.name}"

    @property
    def actor_name(self) -> str:
        return f"policy {self.name}"

    def names(self, key: Key, pool_name: str, tgc_keys: Collection[str]) -> bool:
        """Whether it is about this pool. `tgc_keys`: of all TGCs."""
        name = PoolName(key.tgc_key, pool_name)
        return fits(key.tgc_key, self.tgc) and any(is_meant(name, pattern, tgc_keys) for pattern in self.pools)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy makes of a recommendation."""

    policy: Policy
    names_pool: bool
    why_not: tuple[str, ...] = ()
    """Clauses to follow "because"; empty where it matches."""
    asks_for_ticket: bool = False
    """Whether it would match if the pool did not ask for a ticket, which no policy has."""
    window: Open | None = None
    """When one of its windows is open, now or next; None where it does not match."""

    @property
    def matches(self) -> bool:
        return not self.why_not

    def is_due(self, now: datetime) -> bool:
        return self.window is not None and self.window.since <= now


class Policies(msgspec.Struct, kw_only=True):
    """All of them, in the order of the file.

    Shared by all who ask it: a reload of the settings changes it in place (bot/reload.py).
    """

    all: tuple[Policy, ...] = ()
    file: str = ""
    """For sentences."""
    zone: ZoneInfo
    """Of those windows that name none."""
    tgc_keys: frozenset[str] = frozenset()
    """What may stand before the `/` of `tgc/pool` in a policy."""

    def judge(
        self, policy: Policy, key: Key, pool_name: str, recommendation: Recommendation, rule: PoolRule, now: datetime
    ) -> Verdict:
        """By all that does not change with what people do. `rule`: the pool's."""
        if not policy.names(key, pool_name, self.tgc_keys):
            return Verdict(policy=policy, names_pool=False, why_not=("it is for other pools",))
        window = next_open(policy.windows, now, policy.zone or self.zone)
        why_not = [*_unfit(policy, recommendation, now), *_too_late(window, recommendation)]
        asks_for_ticket = rule.ticket is not None and not why_not
        if rule.ticket is not None:
            why_not.append("the pool asks for a ticket with each accept, which a policy does not have")
        return Verdict(
            policy=policy,
            names_pool=True,
            why_not=tuple(why_not),
            asks_for_ticket=asks_for_ticket,
            window=None if why_not else window,
        )

    def judge_all(
        self, key: Key, pool_name: str, recommendation: Recommendation, rule: PoolRule, now: datetime
    ) -> list[Verdict]:
        return [self.judge(policy, key, pool_name, recommendation, rule, now) for policy in self.all]

    def refusal(
        self, user_id: str, key: Key, pool_name: str, recommendation: Recommendation, rule: PoolRule, now: datetime
    ) -> str | None:
        """Why this policy may not accept this now, in a sentence."""
        policy = self.active(user_id)
        if policy is None:
            return self._not_active(user_id)
        verdict = self.judge(policy, key, pool_name, recommendation, rule, now)
        if not verdict.matches:
            return f"The policy {policy.name} does not allow it, because {because(verdict.why_not)}."
        return None if verdict.is_due(now) else f"No window of the policy {policy.name} is open."

    def active(self, user_id: str) -> Policy | None:
        """The policy that acts under this id; None where there is none any more, or it only says what it would do."""
        return next((policy for policy in self.all if policy.user_id == user_id and not policy.dry_run), None)

    def may_still(self, user_id: str, key: Key, pool_name: str) -> bool:
        """Whether what this policy accepted as the first of two still counts."""
        policy = self.active(user_id)
        return policy is not None and policy.names(key, pool_name, self.tgc_keys)

    def _not_active(self, user_id: str) -> str:
        name = user_id.removeprefix(POLICY)
        return f"{self.file or 'The configuration file'} has no policy {name} any more that may accept."


def first_to_act(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Whose window is open first; of several the first in the file. A dry run never acts."""
    able = [
        (verdict.window.since, number)
        for number, verdict in enumerate(verdicts)
        if verdict.window is not None and not verdict.policy.dry_run
    ]
    return verdicts[min(able)[1]] if able else None


def because(why_not: Sequence[str]) -> str:
    return "; ".join(why_not)


def issue_types_of(recommendation: Recommendation) -> tuple[frozenset[str], int | None]:
    """What it is about, chosen to be solved or not, and how severe the worst is; None where the TGC does not say."""
    found = [issue for analysis in recommendation.issues for issue in analysis.found.items()]
    severities = [info.severity for _, info in found if info.severity is not None]
    kinds = (*types_of_moves(recommendation), *(issue_type for issue_type, _ in found))
    return frozenset(map(str, kinds)), max(severities, default=None)


def _unfit(policy: Policy, recommendation: Recommendation, now: datetime) -> Iterable[str]:
    """Why it does not match, whatever the pool's rule and the time say."""
    if not is_open(recommendation):
        yield "there is nothing to accept"
        return
    if is_expired(recommendation, now):
        yield "it has expired"
        return
    yield from _unsafe(recommendation)
    moves = sum(len(group.actions) for group in recommendation.action_groups)
    if moves > policy.max_moves:
        yield f"{counted(moves, 'VM moves', 'VMs move')}, and it takes {policy.max_moves:,} at most"
    yield from _other_issues(policy, recommendation)


def _unsafe(recommendation: Recommendation) -> Iterable[str]:
    if loses_replication(recommendation):
        yield "VMs would lose replication, which only people may accept"
    if recommendation.unreadable or not plan_of(recommendation).whole:
        yield "not all of the TGC's answer could be read"


def _other_issues(policy: Policy, recommendation: Recommendation) -> Iterable[str]:
    kinds, severity = issue_types_of(recommendation)
    others = sorted(kinds - policy.issue_types)
    if any(analysis.summary and not analysis.found for analysis in recommendation.issues):
        yield "the TGC describes an issue in words only"
    if not kinds:
        yield "the TGC does not say what it is about"
    if others:
        named = listed(tuple(issue_type(IssueType(kind)) for kind in others), _TYPES_NAMED)
        yield f"it is also about {named}"
    if policy.min_severity is not None and severity is None:
        yield "the TGC does not say how severe it is"
    if policy.min_severity is not None and severity is not None and severity < policy.min_severity:
        yield f"its severity is {severity}, and it takes {policy.min_severity} or more"


def _too_late(window: Open | None, recommendation: Recommendation) -> Iterable[str]:
    end = recommendation.expiration_time
    if window is None:
        yield "it has no window"
    elif end is not None and is_open(recommendation) and window.since >= end:
        yield "its next window opens only after this expires"


# Reading the file


def read_policies(
    tables: Sequence[Mapping[str, Any]],
    given: Sequence[Mapping[str, Any]],
    mistake: Callable[[tuple[str, ...], str], None],
) -> tuple[Policy, ...]:
    """Those that say all they must. `tables`: the values that are usable of each section in `given`.

    `mistake` is told where each other one stands, and what to do.
    """
    policies: dict[str, Policy] = {}
    for number, (values, section) in enumerate(zip(tables, given, strict=True), start=1):
        for key, needed in MISSING.items():
            if key not in section:
                mistake((str(number),), f"{key} is missing: give {needed}")
        if values.get("name") in policies:
            mistake((str(number), "name"), f"there are two policies {values['name']}: give each a name of its own")
        elif values.keys() >= MISSING.keys():
            policies[values["name"]] = Policy(**values)
    return tuple(policies.values())


# What a value must be. Each raises a ValueError that says what to give instead.


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(rf"[\w.-]{{1,{_MAX_NAME}}}", value, re.ASCII):
        raise ValueError(f"give 1 to {_MAX_NAME} letters, digits, dots, - and _")
    return value


def _patterns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f"give {MISSING['pools']}")
    return tuple(value)


def _pattern(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('give the name of a TGC or a pattern, such as "default"')
    return value


def _issue_types(value: object) -> frozenset[IssueType]:
    if not isinstance(value, list) or not value or not all(kind in _SOLVED for kind in value):
        raise ValueError(f"give a list of {', '.join(_SOLVED)}")
    return frozenset(map(IssueType, value))


def _whole(most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ValueError(f"give a whole number from 1 to {most}")
        return value

    return parse


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")  # noqa: TRY004 - a mistake in the file, like the others
    return value


FORMS: Mapping[str, Callable[[object], object]] = {
    "name": _name,
    "tgc": _pattern,
    "pools": _patterns,
    "issue_types": _issue_types,
    "max_moves": _whole(_MAX_MOVES),
    "min_severity": _whole(_MAX_SEVERITY),
    "windows": parse_windows,
    "zone": parse_zone,
    "dry_run": _flag,
}
