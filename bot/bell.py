"""Waking whoever waits for work."""

import asyncio
from collections.abc import Iterable

from bot.clock import Clock


class Bell:
    """Rung by whoever leaves work; a ring that comes while the worker is busy ends its next wait at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, at_most_s: float) -> None:
        """Wait for a ring, or for the time to pass: other processes leave work and ring no bell."""
        rung = asyncio.ensure_future(self._rung.wait())
        passed = asyncio.ensure_future(self._clock.sleep(at_most_s))
        try:
            await asyncio.wait({rung, passed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
            passed.cancel()
        self._rung.clear()


class Bells:
    """Several, rung at once."""

    def __init__(self, bells: Iterable[Bell]) -> None:
        self._bells = tuple(bells)

    def ring(self) -> None:
        for bell in self._bells:
            bell.ring()
