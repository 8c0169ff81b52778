"""What `/tintri reco` and `tintri-bot reco` tell: every pool asked for, as the TGC has it now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bot.clock import Clock
from bot.pool_names import TgcPool
from bot.pools import find_pools
from bot.readings import PoolReading
from bot.rendering.views import CardView, PoolAnswer, Report
from bot.tgcs import Listed, Tgcs
from tgc.errors import TGCConnectionError

ViewOf = Callable[[PoolReading], Awaitable[CardView]]
Choose = Callable[[Listed], Sequence[TgcPool]]


class Reports:
    """Reads pools and puts their views together."""

    def __init__(self, tgcs: Tgcs, view_of: ViewOf, clock: Clock, *, patience_s: float | None = None) -> None:
        """`patience_s`: for how long the TGC may keep an answer waiting; None where nobody can ask again."""
        self._tgcs = tgcs
        self._view_of = view_of
        self._clock = clock
        self._patience_s = patience_s

    async def report(self, typed: str) -> Report:
        """Read the pools that `typed` means, all where it is empty.

        Raises TGCError, UnknownPoolError and AmbiguousPoolError.
        """
        return await self.report_of(lambda listed: find_pools(listed.pools, typed), typed)

    async def report_of(self, choose: Choose, typed: str = "") -> Report:
        """Read the pools that `choose` picks, which may raise. Raises TGCError."""
        read_at = self._clock.now()
        due = self._due()
        listed = await self._pools(typed)
        due = self._due() if self._tgcs.are_many else due  # one that was late has used up what others need
        answers = await asyncio.gather(*(self._answer(pool, due) for pool in choose(listed)))
        return Report(
            tgc_name=", ".join(one.tgc.name for one in self._tgcs),
            are_many=self._tgcs.are_many,
            read_at=read_at,
            pools=tuple(answers),
            unread=listed.unread,
        )

    def _due(self) -> float | None:
        return None if self._patience_s is None else asyncio.get_running_loop().time() + self._patience_s

    async def _pools(self, typed: str) -> Listed:
        """Where there are several TGCs, one that is late is told as such, and hides no other."""
        if self._tgcs.are_many:
            return await self._tgcs.pools(typed)
        [only] = self._tgcs
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._tgcs.pools()
        except TimeoutError as error:
            raise TGCConnectionError(f"{only.tgc.name} has not told its pools yet; ask again in a minute.") from error

    async def _answer(self, pool: TgcPool, due: float | None) -> PoolAnswer:
        which = PoolAnswer(pool_name=pool.shown, pool_uuid=pool.pool.uuid, tgc_key=pool.tgc_key)
        try:
            async with asyncio.timeout_at(due):
                reading = await self._tgcs.current(pool)
        except TimeoutError:
            return msgspec.structs.replace(which, is_late=True)
        if reading.error is not None:
            return msgspec.structs.replace(which, problem=str(reading.error))
        view = await self._tgcs.of(pool.tgc_key).view(reading, self._view_of)
        return msgspec.structs.replace(which, view=view)
