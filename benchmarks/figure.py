"""A measured figure, what it is held against, and what we want it to be."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    TIMES_AT_MOST = "times_at_most"
    """The ratio to the peer."""
    TIMES_AT_LEAST = "times_at_least"
    FASTER = "faster"
    """So many times as fast as the peer, or more."""


class Goal(msgspec.Struct, frozen=True):
    kind: Kind
    bound: float

    def __str__(self) -> str:
        match self.kind:
            case Kind.AT_MOST:
                return f"at most {self.bound:,.4g}"
            case Kind.AT_LEAST:
                return f"at least {self.bound:,.4g}"
            case Kind.TIMES_AT_MOST:
                return f"at most {self.bound:g} x"
            case Kind.TIMES_AT_LEAST:
                return f"at least {self.bound:g} x"
            case Kind.FASTER:
                return f"{self.bound:g} x faster"


def at_most(bound: float) -> Goal:
    return Goal(Kind.AT_MOST, bound)


def at_least(bound: float) -> Goal:
    return Goal(Kind.AT_LEAST, bound)


def times_at_most(bound: float) -> Goal:
    return Goal(Kind.TIMES_AT_MOST, bound)


def times_at_least(bound: float) -> Goal:
    return Goal(Kind.TIMES_AT_LEAST, bound)


def faster(bound: float) -> Goal:
    return Goal(Kind.FASTER, bound)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: float
    unit: str
    peer: str = ""
    """What it is held against, measured in the same run or computed as a limit."""
    peer_value: float | None = None
    goal: Goal | None = None
    """None for what is only told."""

    @property
    def ratio(self) -> float | None:
        """To the peer; for what should be faster, how many times as fast."""
        if not self.peer_value or not self.value:
            return None
        if self.goal is not None and self.goal.kind is Kind.FASTER:
            return self.peer_value / self.value
        return self.value / self.peer_value

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        is_relative = self.goal.kind not in {Kind.AT_MOST, Kind.AT_LEAST}
        measured = self.ratio if is_relative else self.value
        if measured is None:
            return False
        is_upper = self.goal.kind in {Kind.AT_MOST, Kind.TIMES_AT_MOST}
        return measured <= self.goal.bound if is_upper else measured >= self.goal.bound
