"""An event loop that knows when all is quiet, so that a clock moves on when work is done, however long that takes.

The bot and both far ends share one loop, and what one of them sends the other can read at once. So nobody can go on
before the clock does where no callback is ready, no socket brings anything, and nobody works out of the loop's sight:
a thread, or the database.
"""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar, TypeVarTuple, Unpack

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.database import Database

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MOMENT_S = 0.001
"""The kernel hands most data over while it is sent, and the rest soon after."""


class QuietLoop(asyncio.SelectorEventLoop):
    """The ordinary loop, and `quiet`."""

    def __init__(self) -> None:
        self._attentive = _AttentiveSelector()
        super().__init__(self._attentive)

    async def quiet(self) -> None:
        """Wait until all that can be done is done. Timers of the loop's own time are not waited for."""
        waiter = self.create_future()
        self._attentive.waiters.append(waiter)
        await waiter

    @contextmanager
    def work(self) -> Iterator[None]:
        """It is not quiet during the block, whatever the loop sees."""
        self._attentive.works += 1
        try:
            yield
        finally:
            self._attentive.works -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._attentive.works += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _future: asyncio.Future[Any]) -> None:
        self._attentive.works -= 1


class _AttentiveSelector(selectors.DefaultSelector):
    """Notices that the loop has nothing to run, and gets nothing for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.works = 0
        self.waiters: list[asyncio.Future[None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        is_busy = timeout is not None and timeout < _MOMENT_S  # callbacks are ready, or a timer is about to be
        if is_busy or self.works or not self.waiters:
            return super().select(timeout)
        found = super().select(_MOMENT_S)
        if not found:
            waiters, self.waiters = self.waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
        return found


def quiet_loop() -> QuietLoop:
    """The loop of every scenario, see conftest.py."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, QuietLoop)
    return loop


Transaction = Callable[[Database], AbstractAsyncContextManager[AsyncConnection]]


def as_work(transaction: Transaction) -> Transaction:
    """Database.read or Database.write: from before it connects until it is back in the pool."""

    @asynccontextmanager
    async def counted(database: Database) -> AsyncIterator[AsyncConnection]:
        with quiet_loop().work():
            async with transaction(database) as connection:
                yield connection

    return counted
