"""Whose turn it is to write, in the order in which they asked. Many may wait long; nobody waits for one that hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal


class Turns:
    """`patience_s`: how long one turn may last before those behind it give up."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = asyncio.Lock()
        self._taken = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Raises TimeoutError where the one whose turn it is does not get on."""
        await (self._wait() if self._lock.locked() else self._lock.acquire())
        self._taken += 1
        try:
            yield
        finally:
            self._lock.release()

    async def _wait(self) -> None:
        waiting = asyncio.ensure_future(self._lock.acquire())
        try:
            while not waiting.done():
                await self._wait_for_one(waiting)
        except BaseException:
            if waiting.done() and not waiting.cancelled():
                self._lock.release()  # it came in the moment in which we gave up
            waiting.cancel()
            raise

    async def _wait_for_one(self, waiting: asyncio.Future[Literal[True]]) -> None:
        taken = self._taken
        await asyncio.wait({waiting}, timeout=self._patience_s)
        if taken == self._taken and not waiting.done():
            raise TimeoutError("The database does not get on with what was to be written before.")
