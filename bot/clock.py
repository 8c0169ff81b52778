"""Time as a parameter: tests move it, nothing waits for it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The moment, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, whatever is done to the time of day."""
        ...

    async def sleep(self, seconds: float) -> None: ...


def uptime(clock: Clock) -> timedelta:
    """What passed since some moment: what is waited for must not depend on who sets the time of day."""
    return timedelta(seconds=clock.monotonic())


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
