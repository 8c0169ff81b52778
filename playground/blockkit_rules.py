"""The kinds of rule that the Block Kit tables are made of.

A rule checks one JSON value and yields what is wrong with it, in the words of Slack's own validator where they
are known. Where only the refusal is known, not its words, the sentence is ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

Cross = Callable[[dict[str, Any]], Iterator[tuple[str, str]]]
"""Compares properties of one object; yields (message, pointer relative to the object)."""


class Surface(Enum):
    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


EVERYWHERE = frozenset(Surface)


@dataclass(frozen=True)
class Problem:
    message: str
    pointer: str = ""
    code: str = "invalid_blocks"
    """The `error` a chat.* method answers with; views.* methods have their own."""

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]" if self.pointer else self.message


@dataclass(frozen=True)
class Place:
    """Where in the payload a value stands, and what shows it."""

    pointer: str
    surface: Surface

    def __truediv__(self, step: str | int) -> "Place":
        return Place(f"{self.pointer}/{step}", self.surface)

    def problem(self, message: str) -> Problem:
        return Problem(message, self.pointer)


class Rule(Protocol):
    def check(self, value: Any, place: Place) -> Iterator[Problem]: ...


def utf16_length(text: str) -> int:
    """Slack does not say what a character is; the stricter count keeps a caller below both."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class String:
    low: int = 0
    high: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    length: Callable[[str], int] = utf16_length

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield place.problem("must provide a string")
        elif self.choices and value not in self.choices:
            yield place.problem("must be a valid enum value")
        elif self.length(value) < self.low:
            yield place.problem(f"must be more than {self.low - 1} characters")
        elif self.high is not None and self.length(value) > self.high:
            yield place.problem(f"must be less than {self.high + 1} characters")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield place.problem(f"must match the pattern {self.pattern}")


@dataclass(frozen=True)
class Flag:
    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield place.problem("must provide a boolean")


@dataclass(frozen=True)
class Number:
    low: float | None = None
    high: float | None = None
    above: float | None = None
    whole: bool = True

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            yield place.problem("must provide an integer" if self.whole else "must provide a number")
        elif self.low is not None and value < self.low:
            yield place.problem(f"must be greater than or equal to {self.low:g}")
        elif self.above is not None and value <= self.above:
            yield place.problem(f"must be greater than {self.above:g}")
        elif self.high is not None and value > self.high:
            yield place.problem(f"must be less than or equal to {self.high:g}")


@dataclass(frozen=True)
class Array:
    item: Rule
    low: int = 0
    high: int | None = None

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield place.problem("must provide an array")
            return
        if len(value) < self.low:
            yield place.problem(f"no less than {self.low} items allowed")
        if self.high is not None and len(value) > self.high:
            yield place.problem(f"no more than {self.high} items allowed")
        for number, item in enumerate(value):
            yield from self.item.check(item, place / number)


@dataclass(frozen=True)
class Object:
    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    crosses: tuple[Cross, ...] = ()

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield place.problem("must provide an object")
            return
        missing = [name for name in self.required if name not in value]
        for name in missing:
            yield place.problem(f"missing required field: {name}")
        sound = not missing
        for name, part in value.items():
            rule = self.required.get(name) or self.optional.get(name)
            if rule is None:
                yield place.problem(f"invalid additional property: {name}")
                continue
            for problem in rule.check(part, place / name):
                sound = False
                yield problem
        if sound:  # crosses may rely on each part being what its own rule says
            yield from self._cross(value, place)

    def _cross(self, value: dict[str, Any], place: Place) -> Iterator[Problem]:
        for cross in self.crosses:
            for message, pointer in cross(value):
                yield Problem(message, place.pointer + pointer)

    def having(self, *crosses: Cross, **optional: Rule) -> "Object":
        """The same object with more rules and more optional properties."""
        return Object(self.required, {**self.optional, **optional}, self.crosses + crosses)


@dataclass(frozen=True)
class Kind:
    """One `type` of block or element, and the surfaces that show it."""

    shape: Object
    surfaces: frozenset[Surface] = EVERYWHERE


@dataclass(frozen=True)
class Typed:
    """An object told apart by its `type`. The table may still be filled after this rule was made."""

    kinds: Mapping[str, Kind]
    allowed: frozenset[str] | None = None

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield place.problem("must provide an object")
            return
        if "type" not in value:
            yield place.problem("missing required field: type")
            return
        name = value["type"]
        kind = self.kinds.get(name) if isinstance(name, str) else None
        if kind is None or place.surface not in kind.surfaces or not self._allows(name):
            yield (place / "type").problem(f"unsupported type: {name}")
            return
        yield from kind.shape.check({key: part for key, part in value.items() if key != "type"}, place)

    def _allows(self, name: str) -> bool:
        return self.allowed is None or name in self.allowed


@dataclass(frozen=True)
class Text:
    """A text object; `emoji` belongs to plain_text only, `verbatim` to mrkdwn only."""

    high: int
    types: tuple[str, ...] = ("plain_text", "mrkdwn")
    low: int = 1

    def check(self, value: Any, place: Place) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield place.problem("must provide an object")
            return
        if value.get("type", self.types[0]) not in self.types:
            yield (place / "type").problem("must be a valid enum value")
            return
        own = "verbatim" if value.get("type") == "mrkdwn" else "emoji"
        required: dict[str, Rule] = {"type": String(), "text": String(self.low, self.high)}
        yield from Object(required, {own: Flag()}).check(value, place)


def plain(high: int) -> Text:
    return Text(high, ("plain_text",))


def exactly_one_of(*names: str) -> Cross:
    def cross(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if sum(name in value for name in names) != 1:
            yield f"must provide exactly one of: {', '.join(names)}", ""

    return cross


def at_least_one_of(*names: str) -> Cross:
    def cross(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if not any(name in value for name in names):
            yield f"must provide at least one of: {', '.join(names)}", ""

    return cross


def at_most_one_of(*names: str) -> Cross:
    def cross(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if sum(bool(value.get(name)) for name in names) > 1:
            yield f"must provide at most one of: {', '.join(names)}", ""

    return cross


def not_above(low: str, high: str) -> Cross:
    def cross(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if low in value and high in value and float(value[low]) > float(value[high]):
            yield f"must be less than or equal to {high}", f"/{low}"

    return cross
