"""What goes wrong on the way to Slack and back, when a test wants it to."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from playground.slack_workspace import Clock

Hook = Callable[[dict[str, Any]], Awaitable[None]]
"""Awaited with the arguments of the call."""


class Way(Enum):
    ANSWER = "answer"
    """With an error instead of the result."""
    DROP = "drop"
    """Close the connection without an answer."""
    HANG = "hang"
    """Never answer; the connection stays open."""
    PASS = "pass"
    """Nothing goes wrong; for hooks."""


@dataclass(frozen=True)
class Fault:
    method: re.Pattern[str]
    way: Way
    done: bool = False
    """Whether the method does its work before the answer goes wrong."""
    error: str | None = None
    status: int = 200
    retry_after_s: int | None = None
    body: str | None = None
    before: Hook | None = None
    after: Hook | None = None


@dataclass
class _Planned:
    fault: Fault
    times: int | None


class Faults:
    """Faults are met in the order they were planned; each is used up after its `times` (None: never).

    `method` is a regular expression matched against the whole method name; uses of a response_url are the
    method `response_url`.
    """

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._released = asyncio.Event()

    def fail(
        self,
        method: str,
        error: str | None = None,
        *,
        status: int = 200,
        retry_after_s: int | None = None,
        done: bool = False,
        times: int | None = 1,
    ) -> None:
        """Answer with this error, or with a bare HTTP status; `retry_after_s` alone makes a 429."""
        if retry_after_s is not None:
            error, status = error or "ratelimited", 429
        body = f"<html><body>{status}</body></html>" if error is None else None
        fault = Fault(re.compile(method), Way.ANSWER, done, error, status, retry_after_s, body)
        self._planned.append(_Planned(fault, times))

    def garbage(
        self, method: str, body: str = "<html>Bad gateway</html>", *, status: int = 200, times: int | None = 1
    ) -> None:
        self._planned.append(_Planned(Fault(re.compile(method), Way.ANSWER, status=status, body=body), times))

    def drop_before(self, method: str, *, times: int | None = 1) -> None:
        self._plan(method, Way.DROP, done=False, times=times)

    def drop_after(self, method: str, *, times: int | None = 1) -> None:
        self._plan(method, Way.DROP, done=True, times=times)

    def hang(self, method: str, *, times: int | None = 1) -> None:
        self._plan(method, Way.HANG, done=False, times=times)

    def hang_after(self, method: str, *, times: int | None = 1) -> None:
        self._plan(method, Way.HANG, done=True, times=times)

    def hook(
        self, method: str, *, before: Hook | None = None, after: Hook | None = None, times: int | None = 1
    ) -> None:
        """Await something before the method does its work, or between the work and its answer."""
        fault = Fault(re.compile(method), Way.PASS, done=True, before=before, after=after)
        self._planned.append(_Planned(fault, times))

    def _plan(self, method: str, way: Way, *, done: bool, times: int | None) -> None:
        self._planned.append(_Planned(Fault(re.compile(method), way, done), times))

    def next(self, method: str) -> Fault | None:
        for planned in self._planned:
            if planned.fault.method.fullmatch(method):
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times <= 0:
                        self._planned.remove(planned)
                return planned.fault
        return None

    def clear(self) -> None:
        """Forget all plans, and drop the connections that hang."""
        self._planned.clear()
        self.release()

    def release(self) -> None:
        """Drop the connections that hang."""
        released, self._released = self._released, asyncio.Event()
        released.set()

    async def released(self) -> None:
        """Wait as long as a hanging call hangs."""
        await self._released.wait()


TIERS_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
SPECIAL_PER_MINUTE = 300
"""Slack says "several hundred" for methods without a tier."""
BURST_SHARE = 0.25
POSTS_PER_SECOND = 1.0
POST_BURST = 3


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class RateLimits:
    """Slack's tiers as token buckets; off until `enforced` is set."""

    def __init__(self, clock: Clock) -> None:
        self.enforced = False
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def call(self, method: str, tier: int | None) -> int | None:
        """Seconds to wait before this method may be called, or None when it may be called now."""
        per_minute = TIERS_PER_MINUTE[tier] if tier is not None else SPECIAL_PER_MINUTE
        return self._take(method, per_minute / 60, max(1, round(per_minute * BURST_SHARE)))

    def post(self, channel_id: str) -> int | None:
        """The same for one more message in a channel."""
        return self._take(f"post {channel_id}", POSTS_PER_SECOND, POST_BURST)

    def _take(self, key: str, per_second: float, burst: int) -> int | None:
        if not self.enforced:
            return None
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.tokens < 1:
            return max(1, math.ceil((1 - bucket.tokens) / per_second))
        bucket.tokens -= 1
        return None
