"""Work that goes on for as long as the bot runs: a failure is logged, and the work begins anew.

Each work tells when it comes round. One that has not for longer than it may is stuck: it hangs, or fails each time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self

import structlog

from bot.bell import Bell
from bot.clock import Clock
from bot.metrics import LOOP_STUCK

_log = structlog.get_logger(__name__)

_AGAIN_AFTER_S = 5.0
_LOOK_EVERY = timedelta(seconds=5)

CameRound = Callable[[], None]
"""Called by a work whenever it is known to get on."""


class _Loop:
    def __init__(self, name: str, patience: timedelta | None) -> None:
        self.name = name
        self._patience = patience
        self._idle = timedelta(0)
        """Added up look by look, and not by the clock: that may be set, or sleep with the machine."""

    @property
    def is_stuck(self) -> bool:
        return self._patience is not None and self._idle > self._patience

    def came_round(self) -> None:
        if self.is_stuck:
            _log.info("background work goes on", work=self.name)
        self._idle = timedelta(0)

    def look(self) -> None:
        was_stuck = self.is_stuck
        self._idle += _LOOK_EVERY
        if self.is_stuck and not was_stuck:
            _log.error("background work is stuck: if that lasts, restart the bot", work=self.name, limit=self._patience)
        LOOP_STUCK.labels(loop=self.name).set(self.is_stuck)


class Loops:
    """A group of such works; leaving the block ends them all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loops: list[_Loop] = []
        self._groups: list[Loops] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._watch(), name="watchdog"))
        return self

    async def __aexit__(self, *_exception: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def stuck(self) -> list[str]:
        """The names of those that have not come round for longer than they may."""
        ours = [loop.name for loop in self._loops if loop.is_stuck]
        return [*ours, *(name for group in self._groups for name in group.stuck)]

    @asynccontextmanager
    async def group(self) -> AsyncIterator["Loops"]:
        """More of them, which end with the block."""
        async with Loops(self._clock) as group:
            self._groups.append(group)
            try:
                yield group
            finally:
                self._groups.remove(group)

    def start(self, name: str, work: Callable[[CameRound], Awaitable[None]], *, patience: timedelta | None) -> None:
        """Do the work again and again, as soon as it fails or ends.

        `patience`: how long one round of it may take; None where it waits for what may never come.
        """
        loop = _Loop(name, patience)
        self._loops.append(loop)
        self._tasks.append(asyncio.create_task(self._forever(loop, work), name=name))

    def every(
        self,
        name: str,
        seconds: float,
        work: Callable[[], Awaitable[object]],
        *,
        patience: timedelta,
        bell: Bell | None = None,
    ) -> None:
        """Do the work, then wait or hear the bell, again and again. `patience`: how long the work may take."""

        async def turn(came_round: CameRound) -> None:
            await work()
            came_round()
            await (bell.wait(seconds) if bell else self._clock.sleep(seconds))

        self.start(name, turn, patience=timedelta(seconds=seconds) + patience)

    async def _forever(self, loop: _Loop, work: Callable[[CameRound], Awaitable[None]]) -> None:
        while True:
            try:
                await work(loop.came_round)
            except Exception:  # noqa: BLE001 - the last stop of every surprise: the work goes on all the same
                _log.exception("background work failed; it begins anew", work=loop.name)
                await self._clock.sleep(_AGAIN_AFTER_S)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_EVERY.total_seconds())
            for loop in self._loops:
                loop.look()
