"""The configuration file (TOML): what holds for single pools, and what the environment has no good form for.

It is read like the environment: every mistake at once, each with its line and what to give instead.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from bot.policies import FORMS, Policy, read_policies
from bot.pool_rules import Approvers, SecondApprover, TicketRule, parse_approvers, parse_ticket_rule
from bot.routes import ROUTE, Route
from bot.tgc_sections import TGC_FORMS, TgcSection, tgc_sections

_MAX_LAPSE_HOURS = 7 * 24
_MAX_STALL_MINUTES = 24 * 60
_MAX_REMINDER_HOURS = 24
_MIN_RETENTION_DAYS = 31
"""The TGC itself remembers 30."""
_MAX_RETENTION_DAYS = 36_500
_MAX_LIMIT = 1_000_000_000


class ConfigError(Exception):
    """Everything that is wrong with the file, one sentence each."""

    def __init__(self, mistakes: tuple[str, ...], *, names_tgcs: bool = False) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
        self.names_tgcs = names_tgcs
        """Whether it has TGCs, so that the environment needs none."""


class PoolConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A section `[pools."NAME"]`."""

    approvers: Approvers | None = None
    """None: those of RECO_APPROVERS."""
    second_approver: SecondApprover = SecondApprover()
    ticket: TicketRule | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file; without one, what holds without one."""

    file: str = ""
    """Its name, for sentences."""
    pools: tuple[tuple[str, PoolConfig], ...] = ()
    """By a pool's name or a glob, in the order of the file."""
    tgcs: tuple[TgcSection, ...] = ()
    """Those beside the one in the environment."""
    routes: tuple[Route, ...] = ()
    """In the order of the file."""
    policies: tuple[Policy, ...] = ()
    """In the order of the file."""
    approval_lapse: timedelta = timedelta(hours=12)
    """How long a first approval waits for the second."""
    audit_retention: timedelta | None = None
    """None: the audit trail is kept for ever."""
    stall_after: timedelta = timedelta(minutes=30)
    """Without progress for so long, a move is called stalled."""
    reminder_before: timedelta = timedelta(hours=2)
    """How long before it expires an undecided recommendation is reminded of."""


def read_config(path: Path) -> Config:
    """Raises FileNotFoundError, and ConfigError with all mistakes at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, ValueError):
        raise ConfigError((f"{path} cannot be read: make it a readable text file in UTF-8.",)) from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((f"{path.name} is no TOML: {str(error)[:1].lower()}{str(error)[1:]}.",)) from None
    reading = _Reading(path.name, text)
    config = reading.config(table)
    if reading.mistakes:
        raise ConfigError(tuple(reading.mistakes), names_tgcs="tgc" in table)
    return config


# What a value must be. Each raises a ValueError that says what to give instead.


def _whole(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"give a whole number from {low} to {high}")
    return value


def _limit(name: str, value: object) -> int:
    try:
        return _whole(value, 1, _MAX_LIMIT)
    except ValueError as error:
        raise ValueError(f"for {name} {error}") from None


def _hours(value: object) -> timedelta:
    return timedelta(hours=_whole(value, 1, _MAX_LAPSE_HOURS))


def _days(value: object) -> timedelta:
    return timedelta(days=_whole(value, _MIN_RETENTION_DAYS, _MAX_RETENTION_DAYS))


def _stall_minutes(value: object) -> timedelta:
    return timedelta(minutes=_whole(value, 1, _MAX_STALL_MINUTES))


def _reminder_hours(value: object) -> timedelta:
    return timedelta(hours=_whole(value, 1, _MAX_REMINDER_HOURS))


def _approvers(value: object) -> Approvers:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError('give a list such as ["U0ALICE", "S0STORAGE"], or ["*"] for everybody')
    return parse_approvers(value)


def _second_approver(value: object) -> SecondApprover:
    match value:
        case "always":
            return SecondApprover(always=True)
        case "protection_loss":
            return SecondApprover(protection_loss=True)
        case dict() if value and value.keys() <= {"moves", "gib"}:
            limits = {name: _limit(name, limit) for name, limit in value.items()}
            return SecondApprover(moves=limits.get("moves"), gib=limits.get("gib"))
        case _:
            raise ValueError(
                'give "always", "protection_loss", or { moves = 20, gib = 5000 } with one of these or both'
            )


def _ticket(value: object) -> TicketRule:
    match value:
        case str():
            return parse_ticket_rule(value)
        case _:
            raise ValueError('give "required", or a regular expression such as "CHG[0-9]{7}"')


_TOP: Mapping[str, Callable[[object], object]] = {
    "approval_lapse_hours": _hours,
    "audit_retention_days": _days,
    "stall_minutes": _stall_minutes,
    "reminder_hours": _reminder_hours,
}
_POOL: Mapping[str, Callable[[object], object]] = {
    "approvers": _approvers,
    "second_approver": _second_approver,
    "ticket": _ticket,
}
_SECTIONS = ["pools", "policies", "routes", "tgc"]
FIELDS = {
    "approval_lapse_hours": "approval_lapse",
    "audit_retention_days": "audit_retention",
    "stall_minutes": "stall_after",
    "reminder_hours": "reminder_before",
}
MEANINGS: Mapping[str, str] = {
    "approval_lapse_hours": "for how many hours a first approver waits for the second",
    "audit_retention_days": "for how many days the journal of decisions is kept; for ever without it",
    "stall_minutes": "after how many minutes without progress a move is called stalled",
    "reminder_hours": "how many hours before a recommendation expires the undecided is reminded of",
    "approvers": "who may act in this pool: ids of people and user groups; without it those of RECO_APPROVERS",
    "second_approver": "when two different people must accept; without it one is enough",
    "ticket": "the form of the ticket that each accept needs; without it none is asked for",
}
"""What each key holds: the line in docs/settings.md."""


class _Reading:
    """One file being read; what is wrong with it gathers in `mistakes`."""

    def __init__(self, name: str, text: str) -> None:
        self.mistakes: list[str] = []
        self._name = name
        self._lines = _lines(text)

    def config(self, table: Mapping[str, Any]) -> Config:
        sections = table.get("pools", {})
        top = {key: value for key, value in table.items() if key not in _SECTIONS}
        values = self._values(top, _TOP, (), _SECTIONS)
        if not isinstance(sections, dict):
            self._mistake(("pools",), 'pools is no section: write [pools."NAME"] for each pool')
            sections = {}
        pools = tuple((pattern, self._pool(pattern, section)) for pattern, section in sections.items())
        return Config(
            file=self._name,
            pools=pools,
            tgcs=self._tgcs(table),
            policies=self._policies(table),
            routes=self._routes(table),
            **{FIELDS[key]: value for key, value in values.items()},
        )

    def _tgcs(self, table: Mapping[str, Any]) -> tuple[TgcSection, ...]:
        def mistake(number: int, key: str, sentence: str) -> None:
            self._mistake(("tgc", str(number), key), sentence)

        tables = self._tables(table, "tgc", TGC_FORMS)
        return tgc_sections(tables, table["tgc"] if tables else [], mistake)

    def _pool(self, pattern: str, section: object) -> PoolConfig:
        if not isinstance(section, dict):
            self._mistake(("pools", pattern), f'{pattern} is no section: write [pools."{pattern}"] above its settings')
            return PoolConfig()
        return PoolConfig(**self._values(section, _POOL, ("pools", pattern)))

    def _routes(self, table: Mapping[str, Any]) -> tuple[Route, ...]:
        sections = self._tables(table, "routes", ROUTE)
        for number, section in enumerate(table["routes"] if sections else [], 1):
            if "channels" not in section:
                self._mistake(("routes", str(number)), "channels is missing: give the ids of one or more")
        return tuple(Route(**section) for section in sections if "channels" in section)

    def _policies(self, table: Mapping[str, Any]) -> tuple[Policy, ...]:
        sections = self._tables(table, "policies", FORMS)
        given = table["policies"] if sections else []
        return read_policies(sections, given, lambda path, sentence: self._mistake(("policies", *path), sentence))

    def _tables(
        self, table: Mapping[str, Any], name: str, forms: Mapping[str, Callable[[object], object]]
    ) -> list[dict[str, Any]]:
        """The values of each section `[[name]]`; one that is none is told, and left out."""
        sections = table.get(name, [])
        if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
            self._mistake((name,), f"{name} is no list of sections: write [[{name}]] above each")
            return []
        return [self._values(section, forms, (name, str(number))) for number, section in enumerate(sections, 1)]

    def _values(
        self,
        table: Mapping[str, Any],
        forms: Mapping[str, Callable[[object], object]],
        path: tuple[str, ...],
        sections: list[str] | None = None,
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        known = [*forms, *(sections or [])]
        for key, value in table.items():
            form = forms.get(key)
            if form is None:
                self._mistake((*path, key), f"{key} is not known: {_instead(key, known)}")
                continue
            try:
                values[key] = form(value)
            except ValueError as error:
                self._mistake((*path, key), f"{key} is not usable: {error}")
        return values

    def _mistake(self, path: tuple[str, ...], sentence: str) -> None:
        lines = (self._lines.get(path[:length]) for length in range(len(path), 0, -1))
        line = next(filter(None, lines), None)
        self.mistakes.append(f"{self._name}{f' line {line}' if line else ''}: {sentence}.")


def _instead(key: str, known: list[str]) -> str:
    nearest = get_close_matches(key, known, n=1, cutoff=0.6)
    return f"maybe {nearest[0]} is meant" if nearest else f"take it out, for there are {', '.join(known)} only"


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each section and key. Parsers of TOML do not tell, so each line is asked for its own names."""
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    sections: Counter[tuple[str, ...]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("[[") and (names := _names(line)):
            sections[names] += 1
            path = section = (*names, str(sections[names]))
        elif line.lstrip().startswith("["):
            path = section = _names(line) or section
        else:
            path = (*section, *_names(f"{line.partition('=')[0]} = 0"))
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _names(line: str) -> tuple[str, ...]:
    """`[a."b c"]` names a and b c; a line that is no TOML by itself, as within a longer value, names nothing."""
    try:
        table: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    names: list[str] = []
    while isinstance(table, dict) and table:
        [(name, table)] = table.items()
        names.append(name)
    return tuple(names)
