"""When the TGC is read: all pools at start and on schedule, pools with something open in between.

A sweep that failed is tried again at every refresh until it succeeds, so an outage at 06:15 costs minutes, not half a
day. One sweep runs at a time over all replicas; the others go without.
"""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.metrics import SWEEPS, TGC_UP
from bot.outbox import Outbox
from bot.readings import PoolReading, Readings
from bot.recommendations import is_building
from bot.reconcile import Reconciler
from bot.rendering.notices import render_outage, render_outage_over
from bot.rendering.views import Message
from bot.storage import recommendations, tgcs
from bot.storage.database import Database
from bot.storage.leases import Leases
from bot.storage.recommendations import Stored
from bot.storage.tgcs import Outage
from tgc.errors import TGCError, TGCNotFoundError, TGCStatusError
from tgc.models import ExecutionState, Pool, RecommendationState

_log = structlog.get_logger(__name__)

FAILURES_BEFORE_NOTICE = 2
_VANISHED_CODE = "ERR-API-7102"
_RUNNING_STATES = frozenset({RecommendationState.ACCEPTED, RecommendationState.CANCELLED})


def next_run(schedule: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the next scheduled moment. Like cron, a time that the clock skips runs right after the gap."""
    return next(CronSim(schedule, after.astimezone(zone)))


class Watch:
    """Reads one TGC and hands what it finds to `reconcile`."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Leases,
        readings: Readings,
        reconciler: Reconciler,
        outbox: Outbox,
        clock: Clock,
        channel_id: str,
        schedule: str,
        zone: ZoneInfo,
        refresh_s: int,
        follow_s: int,
    ) -> None:
        self._database = database
        self._leases = leases
        self._readings = readings
        self._tgc = readings.tgc
        self._reconciler = reconciler
        self._outbox = outbox
        self._clock = clock
        self._channel_id = channel_id
        self._schedule = schedule
        self._zone = zone
        self._refresh_every = timedelta(seconds=refresh_s)
        self._follow_every = timedelta(seconds=follow_s)
        self._is_behind = False
        """Whether the newest sweep failed, so that the next refresh is a sweep again."""
        self._restless: set[str] = set()
        """Pools that are worth another look although no card is open: being built, or not readable."""

    async def run(self) -> None:
        """Read on schedule, for as long as the bot runs."""
        now = self._clock.now()
        sweep_at, refresh_at, follow_at = self._next_sweep(now), now + self._refresh_every, now + self._follow_every
        while True:
            await self._clock.sleep((min(sweep_at, refresh_at, follow_at) - self._clock.now()).total_seconds())
            now = self._clock.now()
            if now >= sweep_at or (now >= refresh_at and self._is_behind):
                await self.sweep()
                sweep_at, refresh_at = self._next_sweep(now), now + self._refresh_every
            elif now >= refresh_at:
                await self.refresh()
                refresh_at = now + self._refresh_every
            elif now >= follow_at:
                await self.follow()
            if now >= follow_at:
                follow_at = now + self._follow_every

    def _next_sweep(self, now: datetime) -> datetime:
        return next_run(self._schedule, self._zone, now)

    # Reading

    async def sweep(self) -> None:
        """Read every pool and bring every card up to what was read."""
        async with self._leases.named(f"sweep/{self._tgc.key}") as is_ours:
            if not is_ours:
                return
            try:
                readings = await self._readings.all()
            except TGCError as error:
                await self._failed(str(error))
                return
            failed = [reading for reading in readings if reading.error]
            if len(readings) > 1 and len(failed) == len(readings):
                await self._failed(f"None of its {len(readings)} pools could be read: {failed[0].error}")
                return
            await self._succeeded()
            await self._take_in(readings)
            await self._end_deleted_pools({reading.pool.uuid for reading in readings})

    async def refresh(self) -> None:
        """Read again the pools with an open card, and those that were being built or could not be read."""
        async with self._leases.named(f"sweep/{self._tgc.key}") as is_ours:
            if is_ours:
                await self._read_again({stored.key.pool_uuid: stored.pool_name for stored in await self._open()})

    async def follow(self) -> None:
        """Read again the pools in which something runs."""
        running = [stored for stored in await self._open() if _runs(stored)]
        if not running:
            return
        async with self._leases.named(f"sweep/{self._tgc.key}") as is_ours:
            if is_ours:
                await asyncio.gather(*(self._follow_up(stored) for stored in running))

    async def _open(self) -> list[Stored]:
        async with self._database.read() as connection:
            return await recommendations.with_open_cards(connection, self._tgc.key)

    async def _read_again(self, pools: dict[str, str]) -> None:
        wanted = {**dict.fromkeys(self._restless, ""), **pools}
        if not wanted:
            return
        try:
            known = {pool.uuid: pool for pool in await self._readings.pools()}
        except TGCError as error:
            await self._failed(str(error))
            return
        await self._succeeded()
        there = [known[uuid] for uuid in wanted if uuid in known]
        await self._take_in(list(await asyncio.gather(*(self._readings.current(pool) for pool in there))))
        await self._end_deleted_pools(set(known))

    async def _take_in(self, readings: list[PoolReading]) -> None:
        await self._keep_role()
        for reading in readings:
            unsettled = reading.error is not None or (reading.recommendation and is_building(reading.recommendation))
            (self._restless.add if unsettled else self._restless.discard)(reading.pool.uuid)
        current = {reading.pool.uuid: reading for reading in readings if reading.error is None}
        # Those before first: a card of a pool says whether an earlier recommendation still runs.
        await asyncio.gather(*(self._follow_up(stored) for stored in await self._left_behind(current)))
        await asyncio.gather(*(self._reconciler.observe(reading) for reading in current.values()))

    async def _left_behind(self, current: dict[str, PoolReading]) -> list[Stored]:
        """Open cards whose recommendation is not their pool's current one any more."""
        return [
            stored
            for stored in await self._open()
            if (reading := current.get(stored.key.pool_uuid))
            and (reading.recommendation is None or reading.recommendation.id != stored.key.recommendation_id)
        ]

    async def _follow_up(self, stored: Stored) -> None:
        """Read one recommendation by its id, and bring its card up to it."""
        key = stored.key
        read_at = self._clock.now()
        try:
            recommendation = await self._tgc.client.recommendation(key.pool_uuid, key.recommendation_id)
        except TGCError as error:
            if _is_vanished(error, stored):
                await self._reconciler.forget(key)
            else:
                _log.warning("a recommendation could not be read", pool=stored.pool_name, reason=str(error))
            return
        pool = Pool(uuid=key.pool_uuid, name=stored.pool_name)
        await self._reconciler.observe(PoolReading(pool=pool, read_at=read_at, recommendation=recommendation))

    async def _end_deleted_pools(self, known: set[str]) -> None:
        self._restless &= known
        for stored in await self._open():
            if stored.key.pool_uuid not in known:
                await self._reconciler.forget(stored.key)

    async def _keep_role(self) -> None:
        role = self._tgc.client.role
        if role is None:
            return
        async with self._database.read() as connection:
            known = await tgcs.role(connection, self._tgc.key)
        if role != known:
            async with self._database.write() as connection:
                await tgcs.set_role(connection, self._tgc.key, role)

    # Outages

    async def _failed(self, problem: str) -> None:
        _log.error("the TGC could not be read", tgc=self._tgc.name, reason=problem)
        self._is_behind = True
        SWEEPS.labels(tgc=self._tgc.key, result="failed").inc()
        TGC_UP.labels(tgc=self._tgc.key).set(0)
        async with self._database.write() as connection:
            outage = await tgcs.count_failure(connection, self._tgc.key, problem, self._clock.now())
            if outage.failures >= FAILURES_BEFORE_NOTICE and not outage.noticed:
                await tgcs.notice_outage(connection, self._tgc.key)
                await self._announce(connection, "outage", outage, render_outage(self._tgc.name, outage.since, problem))

    async def _succeeded(self) -> None:
        self._is_behind = False
        SWEEPS.labels(tgc=self._tgc.key, result="succeeded").inc()
        TGC_UP.labels(tgc=self._tgc.key).set(1)
        async with self._database.read() as connection:
            outage = await tgcs.outage(connection, self._tgc.key)
        if outage is None:
            return
        async with self._database.write() as connection:
            await tgcs.end_outage(connection, self._tgc.key)
            if outage.noticed:
                over = render_outage_over(self._tgc.name, outage.since, self._clock.now())
                await self._announce(connection, "outage_over", outage, over)

    async def _announce(self, connection: AsyncConnection, kind: str, outage: Outage, message: Message) -> None:
        key = f"{kind}/{self._tgc.key}/{outage.since.timestamp():.6f}"
        await self._outbox.add(connection, key=key, kind=kind, channel_id=self._channel_id, message=message)


def _runs(stored: Stored) -> bool:
    state = stored.recommendation.execution_state or ExecutionState.AVAILABLE
    return stored.recommendation.state in _RUNNING_STATES and not state.is_end


def _is_vanished(error: TGCError, stored: Stored) -> bool:
    """For a recommendation that is gone the TGC answers 404, or 500 with 7102, which may also pass by itself."""
    if isinstance(error, TGCNotFoundError):
        return True
    return isinstance(error, TGCStatusError) and error.code == _VANISHED_CODE and not _runs(stored)
