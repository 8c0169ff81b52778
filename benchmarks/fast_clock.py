"""A clock on which time passes faster: a thousand cards at one a second would take a quarter of an hour."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

_BEGIN = time.time()


class FastClock:
    """`since` is the Unix time at which it showed the true time; the same in all processes that share it."""

    def __init__(self, speed: float, since: float = _BEGIN) -> None:
        self.speed = speed
        self.since = since

    def timestamp(self) -> float:
        return self.since + (time.time() - self.since) * self.speed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.since, UTC) + timedelta(seconds=(time.time() - self.since) * self.speed)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)
