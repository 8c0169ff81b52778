"""The pools that somebody means by what they typed."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from bot.readings import pool_name
from tgc.models import Pool


class UnknownPoolError(Exception):
    """No pool is called that."""

    def __init__(self, typed: str, close: Sequence[str]) -> None:
        super().__init__(f"No pool is called “{typed}”.")
        self.typed = typed
        self.close = close
        """Names it may have been meant for; all of them where there are few."""


def find_pools(pools: Sequence[Pool], typed: str) -> list[Pool]:
    """Return the pool of that name, else those whose names begin so; case does not count, nothing typed is all.

    Raises UnknownPoolError.
    """
    names = find_names([pool_name(pool) for pool in pools], typed)
    return [pool for pool in pools if pool_name(pool) in names]


def find_names(names: Iterable[str], typed: str) -> frozenset[str]:
    """The same for names alone. Raises UnknownPoolError."""
    known, wanted = frozenset(names), typed.strip().casefold()
    exact = frozenset(name for name in known if name.casefold() == wanted)
    found = exact or frozenset(name for name in known if name.casefold().startswith(wanted))
    if not found and wanted:
        raise UnknownPoolError(typed, _close(known, wanted))
    return found


_MANY = 10


def _close(known: Iterable[str], wanted: str) -> list[str]:
    names = {name.casefold(): name for name in known}
    if len(names) <= _MANY:
        return sorted(names.values())
    return [names[name] for name in get_close_matches(wanted, names, n=_MANY, cutoff=0.4)]
