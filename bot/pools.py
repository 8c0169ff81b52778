"""The pools that somebody means by what they typed."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from bot.readings import pool_name
from tgc.models import Pool


class UnknownPoolError(Exception):
    """No pool is called that."""

    def __init__(self, typed: str, close: Sequence[str], *, are_all: bool) -> None:
        super().__init__(f"No pool is called “{typed}”.")
        self.typed = typed
        self.close = close
        """Names it may have been meant for, best first; by the alphabet where `are_all`."""
        self.are_all = are_all
        """Whether there are no other pools than those in `close`, as where there are few."""


def find_pools(pools: Sequence[Pool], typed: str) -> list[Pool]:
    """Return the pool of that name, else those whose names begin so; case does not count, nothing typed is all.

    Raises UnknownPoolError.
    """
    names = find_names([pool_name(pool) for pool in pools], typed)
    return [pool for pool in pools if pool_name(pool) in names]


def matching_pools(pools: Sequence[Pool], patterns: Iterable[str]) -> list[Pool]:
    """Return the pools of these whole names or globs, for what may change something: a beginning is not enough.

    Case does not count; without patterns all. Raises UnknownPoolError for one that matches none.
    """
    given = list(patterns)
    names = frozenset().union(*(_matching(frozenset(map(pool_name, pools)), pattern) for pattern in given))
    return [pool for pool in pools if pool_name(pool) in names or not given]


def _matching(known: frozenset[str], pattern: str) -> frozenset[str]:
    wanted = pattern.strip().casefold()
    exact = frozenset(name for name in known if name.casefold() == wanted)
    found = exact or frozenset(name for name in known if fnmatchcase(name.casefold(), wanted))
    if not found:
        raise _unknown(known, pattern, wanted)
    return found


def find_names(names: Iterable[str], typed: str) -> frozenset[str]:
    """The same for names alone. Raises UnknownPoolError."""
    known, wanted = frozenset(names), typed.strip().casefold()
    exact = frozenset(name for name in known if name.casefold() == wanted)
    found = exact or frozenset(name for name in known if name.casefold().startswith(wanted))
    if not found and wanted:
        raise _unknown(known, typed, wanted)
    return found


_NAMED = 5


def _unknown(known: Iterable[str], typed: str, wanted: str) -> UnknownPoolError:
    names = {name.casefold(): name for name in known}
    if len(names) <= _NAMED:
        return UnknownPoolError(typed, sorted(names.values()), are_all=True)
    close = get_close_matches(wanted, names, n=_NAMED, cutoff=0.4)
    return UnknownPoolError(typed, [names[name] for name in close], are_all=False)
