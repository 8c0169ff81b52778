"""The TGCs that the bot reads, by their keys: whoever acts on a recommendation takes the one that its key names."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from bot.pool_names import TgcPool
from bot.readings import PoolReading, Readings, Tgc
from tgc.errors import TGCConnectionError, TGCError

NO_TGC = ""
"""The key in the records of what concerns no TGC, or more than one."""


class UnknownTgcError(TGCError):
    """A record names a TGC that is not among the settings any more. Nothing was sent."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The pools of all TGCs that tell theirs now."""

    pools: list[TgcPool]
    unread: Mapping[str, str] = {}
    """Why not those of others, one sentence each, by their keys."""


class Tgcs:
    """All of them."""

    def __init__(self, readings: Iterable[Readings], *, patience_s: float | None) -> None:
        """`patience_s`: how long one of several may keep an answer about the others waiting; None for any time."""
        self._by_key = {one.tgc.key: one for one in readings}
        self._patience_s = patience_s

    def __iter__(self) -> Iterator[Readings]:
        return iter(self._by_key.values())

    @property
    def are_many(self) -> bool:
        return len(self._by_key) > 1

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._by_key)

    @property
    def key_of_all(self) -> str:
        """The key in the records of what concerns no single pool."""
        return NO_TGC if self.are_many else next(iter(self._by_key))

    def of(self, key: str) -> Readings:
        """Raises UnknownTgcError."""
        try:
            return self._by_key[key]
        except KeyError:
            raise UnknownTgcError(not_known(key)) from None

    def get(self, key: str) -> Tgc | None:
        readings = self._by_key.get(key)
        return readings.tgc if readings else None

    def tgc(self, key: str) -> Tgc:
        """Raises UnknownTgcError."""
        return self.of(key).tgc

    def meant(self, typed: str) -> list[Readings]:
        """The TGC that `typed` begins with, before a `/`; else all."""
        before, slash, _ = typed.strip().partition("/")
        one = self._by_key.get(before.casefold()) if slash else None
        return [one] if one else list(self)

    async def pools(self, typed: str = "") -> Listed:
        """All pools of the TGCs that are `meant`.

        A TGC of several that cannot be read hides no other. Raises TGCError where none can be.
        """
        asked = self.meant(typed)
        if not self.are_many:
            [one] = asked
            return Listed(pools=[one.of_tgc(pool) for pool in await one.pools()])
        answers = await asyncio.gather(*map(self._pools_of, asked))
        errors = {
            one.tgc.key: answer for one, answer in zip(asked, answers, strict=True) if isinstance(answer, TGCError)
        }
        if len(errors) == len(asked):
            raise next(iter(errors.values()))
        return Listed(
            pools=[pool for answer in answers if not isinstance(answer, TGCError) for pool in answer],
            unread={key: str(error) for key, error in errors.items()},
        )

    async def current(self, pool: TgcPool) -> PoolReading:
        """Raises UnknownTgcError."""
        return await self.of(pool.tgc_key).current(pool.pool)

    def drop(self, key: str, pool_uuid: str) -> None:
        """Share no reading of this pool that began before now."""
        readings = self._by_key.get(key)
        if readings is not None:
            readings.drop(pool_uuid)

    async def close(self) -> None:
        await asyncio.gather(*(one.close() for one in self))

    async def _pools_of(self, readings: Readings) -> list[TgcPool] | TGCError:
        try:
            async with asyncio.timeout(self._patience_s):
                return [readings.of_tgc(pool) for pool in await readings.pools()]
        except TimeoutError:
            return TGCConnectionError(f"{readings.tgc.name} has not told its pools yet; ask again in a minute.")
        except TGCError as error:
            return error


def not_known(key: str) -> str:
    return f"The Tintri Global Center “{key}” is not among this bot's settings any more, so nothing can be done there."
