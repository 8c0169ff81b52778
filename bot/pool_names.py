"""What pools are called: by their own name, or as `tgc/pool` where the bot reads several TGCs. Pure."""

from collections.abc import Collection
from fnmatch import fnmatchcase

import msgspec

from tgc.models import Pool


class PoolName(msgspec.Struct, frozen=True):
    """A pool's name, and at which TGC it is called so."""

    tgc_key: str
    shown: str
    """As people see it: with the TGC's name before it where the bot reads several."""

    @property
    def own(self) -> str:
        """What the TGC itself calls it. What was kept while there was one TGC has no other name."""
        return self.shown.removeprefix(f"{self.tgc_key}/")

    @property
    def full(self) -> str:
        return f"{self.tgc_key}/{self.own}"


def shown_name(tgc_key: str, own: str, *, is_one_of_many: bool) -> str:
    """What people see. Where a pool's own name begins with its TGC's, `PoolName.own` would take that off."""
    needs_tgc = is_one_of_many or own.startswith(f"{tgc_key}/")
    return f"{tgc_key}/{own}" if needs_tgc else own


class TgcPool(msgspec.Struct, frozen=True):
    """A pool, and whose it is. Its name is the one that people see."""

    tgc_key: str
    pool: Pool

    @property
    def name(self) -> PoolName:
        return PoolName(self.tgc_key, self.pool.name or self.pool.uuid)

    @property
    def shown(self) -> str:
        return self.name.shown


class PoolPattern(msgspec.Struct, frozen=True):
    """A name or a glob of the configuration file: `pool`, or `tgc/pool`, which counts at that TGC only."""

    tgc_key: str | None
    """None: at every TGC."""
    name: str

    def is_at(self, pool: PoolName) -> bool:
        return self.tgc_key in {None, pool.tgc_key}

    def is_name_of(self, pool: PoolName) -> bool:
        return self.is_at(pool) and self.name == pool.own

    def matches(self, pool: PoolName) -> bool:
        return self.is_at(pool) and fits(pool.own, self.name)


def fits(name: str, glob: str) -> bool:
    """`*` is any text, `?` any character, and all else is itself: `Lab [2]` is a name as others are."""
    return fnmatchcase(name, glob.replace("[", "[[]"))


def is_meant(pool: PoolName, pattern: str, tgc_keys: Collection[str]) -> bool:
    """Whether a name or glob means this pool: by its own name, or after the name of its TGC and a `/`.

    `tgc_keys`: of all TGCs. A pool may be called as one of another TGC is with that one's name before it.
    """
    return pool_pattern(pattern, {pool.tgc_key, *tgc_keys}).matches(pool)


def pool_pattern(text: str, tgc_keys: Collection[str]) -> PoolPattern:
    """What stands before the first `/` is a TGC only where one of `tgc_keys`: names of pools may hold a `/`, too."""
    before, slash, rest = text.partition("/")
    return PoolPattern(before, rest) if slash and before in tgc_keys else PoolPattern(None, text)
