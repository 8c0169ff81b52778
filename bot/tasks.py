"""The app's own background work: referenced, logged when it fails, drained at the end.

Bolt keeps no reference to the tasks it starts and cannot wait for them (slack/README 6.2), so listeners hand over here.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar
from uuid import uuid4

import structlog

_log = structlog.get_logger(__name__)

T = TypeVar("T")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at once and leave none behind, as gather does when one of them fails or all are cancelled.

    What is left behind works on a database that is being closed, and the process never ends.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


class Tasks:
    """Everything under way that somebody waits for."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(self._watched(work, name), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, within_s: float) -> None:
        """Wait for all of it, with what it starts meanwhile; what is not done by then is cancelled."""
        deadline = time.monotonic() + within_s
        while self._running and (left_s := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._running, timeout=left_s)
        late = list(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - the last stop of every surprise: it must reach the log
            _log.exception("work failed", work=name, error_id=uuid4().hex[:8])
