"""The pools that somebody means by what they typed: `pool`, or `tgc/pool` where the bot reads several TGCs."""

from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches

from bot.pool_names import PoolName, TgcPool, fits

_NAMED = 5


class UnknownPoolError(Exception):
    """No pool is called that."""

    def __init__(self, typed: str, close: Sequence[str], *, are_all: bool) -> None:
        super().__init__(f"No pool is called “{typed}”.")
        self.typed = typed
        self.close = close
        """Names it may have been meant for, best first; by the alphabet where `are_all`."""
        self.are_all = are_all
        """Whether there are no other pools than those in `close`, as where there are few."""


class AmbiguousPoolError(Exception):
    """Pools of several TGCs are called that, or may be; `str()` is one sentence that says what to type."""


def find_pools(pools: Sequence[TgcPool], typed: str, *, unread: Collection[str] = ()) -> list[TgcPool]:
    """Return the pool of that name, else those whose names begin so; case does not count, nothing typed is all.

    Raises UnknownPoolError and AmbiguousPoolError. `unread`: as for `find_names`.
    """
    names = find_names([pool.name for pool in pools], typed, unread=unread)
    return [pool for pool in pools if pool.name in names]


def matching_pools(pools: Sequence[TgcPool], patterns: Iterable[str], *, unread: Collection[str] = ()) -> list[TgcPool]:
    """Return the pools of these whole names or globs, for what may change something: a beginning is not enough.

    Case does not count; without patterns all. Raises UnknownPoolError for one that matches none, and
    AmbiguousPoolError.
    """
    given = list(patterns)
    known = frozenset(pool.name for pool in pools)
    names = frozenset().union(*(_matching(known, pattern, unread) for pattern in given))
    return [pool for pool in pools if pool.name in names or not given]


def _matching(known: frozenset[PoolName], pattern: str, unread: Collection[str]) -> frozenset[PoolName]:
    wanted = pattern.strip().casefold()
    found = _called(known, pattern, unread) or _whose_name(known, wanted, lambda name: fits(name, wanted))
    if not found:
        raise _unknown(known, pattern, wanted)
    return found


def find_names(names: Iterable[PoolName], typed: str, *, unread: Collection[str] = ()) -> frozenset[PoolName]:
    """The same for names alone. Raises UnknownPoolError and AmbiguousPoolError.

    `unread`: names of TGCs whose pools are not known now. A pool's own name may be that of one of theirs, too, or begin
    as one does, so where one pool is to be meant, and no other, it is not enough then.
    """
    known, wanted = frozenset(names), typed.strip().casefold()
    called = _called(known, typed, unread)
    if called or not wanted:
        return called or known
    begun = _whose_name(known, wanted, lambda name: name.startswith(wanted))
    if not begun:
        raise _unknown(known, typed, wanted)
    if unread and not _names_tgc(begun, wanted):
        raise _may_be_unread(begun, typed, unread)
    return begun


def is_name(pools: Iterable[TgcPool], typed: str) -> bool:
    """Whether a pool is called that, whole."""
    wanted = typed.strip().casefold()
    return any(wanted in {pool.name.full.casefold(), pool.name.own.casefold()} for pool in pools)


def _called(known: Collection[PoolName], typed: str, unread: Collection[str]) -> frozenset[PoolName]:
    """Those of that very name. Raises AmbiguousPoolError."""
    typed = typed.strip()
    wanted = typed.casefold()
    by_full_name = frozenset(name for name in known if name.full.casefold() == wanted)
    found = by_full_name or frozenset(name for name in known if name.own.casefold() == wanted)
    if len({name.tgc_key for name in found}) > 1:
        full = ", ".join(sorted(name.full for name in found)[:_NAMED])
        raise AmbiguousPoolError(f"“{typed}” is a pool of several TGCs: type one of {full}.")
    if found and not by_full_name and unread:
        raise _may_be_unread(found, typed, unread)
    return found


def _names_tgc(found: Iterable[PoolName], wanted: str) -> bool:
    """Whether what was typed begins with the name of the TGC of these."""
    return all(wanted.startswith(f"{name.tgc_key}/") for name in found)


def _may_be_unread(found: Iterable[PoolName], typed: str, unread: Collection[str]) -> AmbiguousPoolError:
    names = sorted(name.full for name in found)[:_NAMED]
    which = f"{names[0]} if you mean that" if len(names) == 1 else f"one of {', '.join(names)} if you mean that"
    return AmbiguousPoolError(
        f"“{typed.strip()}” may be a pool of {' or '.join(sorted(unread))}, too, of which the pools are not known now: "
        f"type {which}."
    )


def _whose_name(known: Collection[PoolName], wanted: str, is_so: Callable[[str], bool]) -> frozenset[PoolName]:
    """A TGC's name is part of what is looked at only where a `/` was typed: `b` is no beginning of `b/Production`."""
    return frozenset(
        name for name in known if is_so(name.own.casefold()) or ("/" in wanted and is_so(name.full.casefold()))
    )


def _unknown(known: Iterable[PoolName], typed: str, wanted: str) -> UnknownPoolError:
    names = {name.shown.casefold(): name.shown for name in known}
    if len(names) <= _NAMED:
        return UnknownPoolError(typed, sorted(names.values()), are_all=True)
    close = get_close_matches(wanted, names, n=_NAMED, cutoff=0.4)
    return UnknownPoolError(typed, [names[name] for name in close], are_all=False)
