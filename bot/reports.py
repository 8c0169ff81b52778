"""What `/tintri reco` and `tintri-bot reco` tell: every pool asked for, as the TGC has it now."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.clock import Clock
from bot.pools import find_pools
from bot.readings import PoolReading, Readings
from bot.rendering.views import CardView, PoolAnswer, Report

ViewOf = Callable[[PoolReading], Awaitable[CardView]]


class Reports:
    """Reads pools and puts their views together."""

    def __init__(self, readings: Readings, view_of: ViewOf, clock: Clock) -> None:
        self._readings = readings
        self._view_of = view_of
        self._clock = clock

    async def report(self, typed: str) -> Report:
        """Read the pools that `typed` means, all where it is empty. Raises TGCError and UnknownPoolError."""
        read_at = self._clock.now()
        pools = find_pools(await self._readings.pools(), typed)
        readings = await asyncio.gather(*(self._readings.current(pool) for pool in pools))
        answers = await asyncio.gather(*(self._answer(reading) for reading in readings))
        return Report(tgc_name=self._readings.tgc.name, read_at=read_at, pools=tuple(answers))

    async def _answer(self, reading: PoolReading) -> PoolAnswer:
        if reading.error is not None:
            return PoolAnswer(pool_name=reading.pool_name, problem=str(reading.error))
        return PoolAnswer(pool_name=reading.pool_name, view=await self._view_of(reading))
