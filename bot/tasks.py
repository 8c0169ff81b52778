"""The app's own background work: referenced, logged when it fails, drained at the end.

Bolt keeps no reference to the tasks it starts and cannot wait for them (slack/README 6.2), so listeners hand over here.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import structlog

_log = structlog.get_logger(__name__)


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
        """Wait for all of it; what is not done by then is cancelled."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
        late = list(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - the last stop of every surprise: it must reach the log
            _log.exception("work failed", work=name, error_id=uuid4().hex[:8])
