"""What `/tintri reco` and `tintri-bot reco` tell: every pool asked for, as the TGC has it now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bot.clock import Clock
from bot.pools import find_pools
from bot.readings import PoolReading, Readings, pool_name
from bot.rendering.views import CardView, PoolAnswer, Report
from tgc.errors import TGCConnectionError
from tgc.models import Pool

ViewOf = Callable[[PoolReading], Awaitable[CardView]]
Choose = Callable[[Sequence[Pool]], list[Pool]]


class Reports:
    """Reads pools and puts their views together."""

    def __init__(self, readings: Readings, view_of: ViewOf, clock: Clock, *, patience_s: float | None = None) -> None:
        """`patience_s`: for how long the TGC may keep an answer waiting; None where nobody can ask again."""
        self._readings = readings
        self._view_of = view_of
        self._clock = clock
        self._patience_s = patience_s

    async def report(self, typed: str) -> Report:
        """Read the pools that `typed` means, all where it is empty. Raises TGCError and UnknownPoolError."""
        return await self.report_of(lambda pools: find_pools(pools, typed))

    async def report_of(self, choose: Choose) -> Report:
        """Read the pools that `choose` picks, which may raise. Raises TGCError."""
        read_at = self._clock.now()
        due = None if self._patience_s is None else asyncio.get_running_loop().time() + self._patience_s
        pools = choose(await self._pools(due))
        answers = await asyncio.gather(*(self._answer(pool, due) for pool in pools))
        return Report(tgc_name=self._readings.tgc.name, read_at=read_at, pools=tuple(answers))

    async def _pools(self, due: float | None) -> list[Pool]:
        try:
            async with asyncio.timeout_at(due):
                return await self._readings.pools()
        except TimeoutError as error:
            raise TGCConnectionError(
                f"{self._readings.tgc.name} has not told its pools yet; ask again in a minute."
            ) from error

    async def _answer(self, pool: Pool, due: float | None) -> PoolAnswer:
        try:
            async with asyncio.timeout_at(due):
                reading = await self._readings.current(pool)
        except TimeoutError:
            return PoolAnswer(pool_name=pool_name(pool), pool_uuid=pool.uuid, is_late=True)
        if reading.error is not None:
            return PoolAnswer(pool_name=reading.pool_name, pool_uuid=pool.uuid, problem=str(reading.error))
        view = await self._readings.view(reading, self._view_of)
        return PoolAnswer(pool_name=reading.pool_name, pool_uuid=pool.uuid, view=view)
