"""Work that goes on for as long as the bot runs: a failure is logged, and the work begins anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from bot.clock import Clock

_log = structlog.get_logger(__name__)

_AGAIN_AFTER_S = 5.0


class Loops:
    """A group of such works; leaving the block ends them all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work again and again, as soon as it fails or ends."""
        self._tasks.append(asyncio.create_task(self._forever(name, work), name=name))

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, then wait, again and again."""

        async def turn() -> None:
            await work()
            await self._clock.sleep(seconds)

        self.start(name, turn)

    async def _forever(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001 - the last stop of every surprise: the work goes on all the same
                _log.exception("background work failed; it begins anew", work=name)
                await self._clock.sleep(_AGAIN_AFTER_S)
