"""What the TGC says now, read once for all who ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from bot.clock import Clock, uptime
from bot.pool_names import PoolName, TgcPool, shown_name
from bot.recommendations import standing_of
from bot.rendering.views import CardView
from tgc.client import TGCClient
from tgc.errors import TGCError
from tgc.models import Pool, Recommendation, RecommendationState

_log = structlog.get_logger(__name__)

DRAWN_AT_ONCE = 8
"""Views, each with a connection to the database or two: the others are for those who decide."""
SHARED_FOR = timedelta(seconds=5)
"""For how long after its end a reading serves others."""

T = TypeVar("T")


class Tgc(msgspec.Struct, frozen=True, kw_only=True):
    """One TGC, as we know it."""

    key: str
    """The configured name; `default` for the one in the environment. Never its URL."""
    name: str
    """The host name, to show; after the key, where the bot reads several TGCs."""
    url: str
    client: TGCClient
    is_one_of_many: bool = False
    """Whether the bot reads several, so that its pools are called `tgc/pool`."""


class PoolReading(msgspec.Struct, frozen=True, kw_only=True):
    """A pool's current recommendation, or why it could not be read."""

    tgc_key: str
    pool: Pool
    read_at: datetime
    """When the reading began: what it says is at least that fresh."""
    recommendation: Recommendation | None = None
    error: TGCError | None = None

    @property
    def pool_name(self) -> str:
        return pool_name(self.pool)

    @property
    def named(self) -> PoolName:
        return PoolName(self.tgc_key, self.pool_name)


def pool_name(pool: Pool) -> str:
    return pool.name or pool.uuid


async def read_again(tgc: Tgc, clock: Clock, pool: Pool, recommendation_id: str) -> PoolReading:
    """Read one recommendation by its id, current or not. Raises TGCError."""
    read_at = clock.now()
    recommendation = await tgc.client.recommendation(pool.uuid, recommendation_id)
    if recommendation.id is None:
        recommendation = msgspec.structs.replace(recommendation, id=recommendation_id)
    elif recommendation.id != recommendation_id:  # another one stands in its place
        recommendation = Recommendation(id=recommendation_id, state=RecommendationState.INVALIDATED)
    return PoolReading(tgc_key=tgc.key, pool=pool, read_at=read_at, recommendation=recommendation)


def view_of_reading(
    tgc: Tgc, reading: PoolReading, now: datetime, vm_names: Mapping[str, str] | None = None
) -> CardView:
    """What the TGC alone says of a pool: without people's decisions, without buttons."""
    recommendation = reading.recommendation or Recommendation()
    return CardView(
        tgc_key=tgc.key,
        tgc_name=tgc.name,
        tgc_url=tgc.url,
        pool_name=reading.pool_name,
        recommendation=recommendation,
        standing=standing_of(recommendation, now=now, deciding=False, dismissed=False, accepted=False),
        vm_names=vm_names or {},
    )


class Readings:
    """Readings of one TGC, shared while under way and for 5 seconds after."""

    def __init__(self, tgc: Tgc, clock: Clock) -> None:
        self.tgc = tgc
        self._clock = clock
        self._pools: Shared[list[Pool]] = Shared(clock)
        self._current: Shared[PoolReading] = Shared(clock)
        self._views: Shared[CardView] = Shared(clock)
        self._drawing = asyncio.Semaphore(DRAWN_AT_ONCE)

    async def pools(self) -> list[Pool]:
        """All pools, by the names that people see. Raises TGCError."""
        return await self._pools.get("", self._list)

    def of_tgc(self, pool: Pool) -> TgcPool:
        return TgcPool(self.tgc.key, pool)

    async def current(self, pool: Pool) -> PoolReading:
        """The pool's current recommendation; a failure is told in the reading."""
        return await self._current.get(pool.uuid, lambda: self._read(pool))

    async def view(self, reading: PoolReading, view_of: Callable[[PoolReading], Awaitable[CardView]]) -> CardView:
        """What the reading shows: one view for all who ask before it is begun, so it is never older than a question."""
        name = f"{reading.pool.uuid} {reading.read_at}"

        async def draw() -> CardView:
            async with self._drawing:
                self._views.drop(name)
                return await view_of(reading)

        return await self._views.get(name, draw)

    def drop(self, pool_uuid: str) -> None:
        """Share no reading of this pool that began before now."""
        self._current.drop(pool_uuid)

    async def close(self) -> None:
        """Give up what is under way: at the end nothing of it may stand between us and the TGC's logout."""
        await self._views.close()
        await self._current.close()
        await self._pools.close()

    async def _list(self) -> list[Pool]:
        listed = await self.tgc.client.pools()
        return [msgspec.structs.replace(pool, name=self._shown_name(pool)) for pool in listed]

    def _shown_name(self, pool: Pool) -> str:
        return shown_name(self.tgc.key, pool_name(pool), is_one_of_many=self.tgc.is_one_of_many)

    async def _read(self, pool: Pool) -> PoolReading:
        read_at = self._clock.now()
        try:
            recommendation = await self.tgc.client.current_recommendation(pool.uuid)
        except TGCError as error:
            _log.warning("a pool could not be read", pool=pool_name(pool), reason=str(error), request=error.where)
            return PoolReading(tgc_key=self.tgc.key, pool=pool, read_at=read_at, error=error)
        return PoolReading(tgc_key=self.tgc.key, pool=pool, read_at=read_at, recommendation=recommendation)


class _Reading(Generic[T]):
    """One piece of work, and from when on its result is too old for others."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], clock: Clock) -> None:
        self._clock = clock
        self._fresh_until: timedelta | None = None
        self.task = asyncio.create_task(work())
        self.task.add_done_callback(self._done)

    def is_fresh(self) -> bool:
        return self._fresh_until is None or uptime(self._clock) < self._fresh_until

    async def result(self) -> T:
        """Wait for it; whoever stops waiting leaves the work to the others."""
        return await asyncio.shield(self.task)

    def _done(self, task: asyncio.Task[T]) -> None:
        self._fresh_until = uptime(self._clock) + SHARED_FOR
        if not task.cancelled():
            task.exception()  # those who wait are told; with nobody left it is no surprise


class Shared(Generic[T]):
    """Work done once for all who ask for it until shortly after its end; a failure is shared like a result."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readings: dict[str, _Reading[T]] = {}
        self._under_way: set[asyncio.Task[T]] = set()

    async def get(self, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        reading = self._readings.get(name)
        if reading is None or not reading.is_fresh():
            reading = self._readings[name] = _Reading(work, self._clock)
            self._under_way.add(reading.task)
            reading.task.add_done_callback(self._under_way.discard)
        return await reading.result()

    def drop(self, name: str) -> None:
        self._readings.pop(name, None)

    async def close(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
