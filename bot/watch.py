"""When the TGC is read: all pools at start and on schedule, pools with something open in between.

A sweep that failed is tried again at every refresh until it succeeds, so an outage at 06:15 costs minutes, not half a
day. Only the replica that leads reads on schedule (bot/leader.py).
"""

import asyncio
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.batches import Batches
from bot.clock import Clock, uptime
from bot.loops import CameRound
from bot.metrics import SWEEPS, TGC_UP
from bot.outbox import Outbox
from bot.readings import PoolReading, Readings, read_again
from bot.recommendations import is_building, is_expired, is_open, is_running
from bot.reconcile import Reconciler
from bot.rendering.notices import render_outage, render_outage_over
from bot.rendering.views import Message
from bot.routes import Routes
from bot.settings import TgcSettings
from bot.storage import pools as stored_pools
from bot.storage import recommendations, tgcs
from bot.storage.database import Database
from bot.storage.recommendations import Current, Stored
from bot.storage.tgcs import Outage
from bot.tasks import together
from tgc.errors import TGCError, TGCNotFoundError, TGCStatusError
from tgc.models import Pool

_log = structlog.get_logger(__name__)

FAILURES_BEFORE_NOTICE = 2
READING_AT_MOST = timedelta(minutes=20)
"""Until the next sign of life. A read is given up after 75 s, but 200 names of VMs are looked up 16 at a time."""
_VANISHED_CODE = "ERR-API-7102"


def next_run(schedule: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the next scheduled moment, in UTC. Like cron, a time that the clock skips runs right after the gap."""
    return next(CronSim(schedule, after.astimezone(zone))).astimezone(UTC)


class Watch:
    """Reads one TGC and hands what it finds to `reconcile`."""

    def __init__(
        self,
        *,
        database: Database,
        readings: Readings,
        reconciler: Reconciler,
        outbox: Outbox,
        clock: Clock,
        routes: Routes,
        tgc: TgcSettings,
        refresh_s: int,
        follow_s: int,
        patience_s: float,
    ) -> None:
        self._database = database
        self._readings = readings
        self.tgc = readings.tgc
        self._reconciler = reconciler
        self._outbox = outbox
        self._clock = clock
        self._routes = routes
        self._schedule = tgc.schedule
        self._zone = tgc.zone
        self._zone_setting = tgc.named("RECO_TIMEZONE")
        self._refresh_every = timedelta(seconds=refresh_s)
        self._follow_every = timedelta(seconds=follow_s)
        self._patience_s = patience_s
        self._sweep_at = self._next_sweep()
        self.swept_at: datetime | None = None
        """When all pools were read last, by this process."""
        self._warned_of_zone = False
        self._is_behind = False
        """Whether the newest sweep failed, so that the next refresh is a sweep again."""
        self._restless: set[str] = set()
        """Pools to look at again, whether or not a card of theirs is open by then."""
        self._before = Batches(self._look_up_before)
        self.came_round: CameRound = lambda: None
        """Called after each reading: to wait for a TGC that is slow is not to be stuck."""

    @property
    def patience(self) -> timedelta:
        """How long either work may stay silent: it sleeps, and then reads."""
        return max(self._refresh_every, self._follow_every) + READING_AT_MOST

    async def keep_sweeping(self) -> None:
        """Read on schedule, for as long as the bot runs. The first sweep is the caller's."""
        refresh_at = uptime(self._clock) + self._refresh_every
        while True:
            self.came_round()
            next_in = min(self._next_sweep_in(), refresh_at - uptime(self._clock))
            await self._clock.sleep(next_in.total_seconds())
            now = uptime(self._clock)
            if self._clock.now() >= self._sweep_at or (now >= refresh_at and self._is_behind):
                refresh_at = now + self._refresh_every
                await self.sweep()
            elif now >= refresh_at:
                refresh_at = now + self._refresh_every
                await self.refresh()

    async def keep_following(self, came_round: CameRound) -> None:
        """Beside the sweeps: one that waits for a slow pool does not stop what runs in another from being followed."""
        while True:
            came_round()
            await self._clock.sleep(self._follow_every.total_seconds())
            await self.follow()

    def _next_sweep_in(self) -> timedelta:
        """The schedule goes by the time of day. Where that was set back, another run may come before the one known."""
        self._sweep_at = min(self._sweep_at, self._next_sweep())
        return self._sweep_at - self._clock.now()

    def next_sweeps(self) -> tuple[datetime, ...]:
        """The next two, by the schedule."""
        first = self._next_sweep()
        return (first, next_run(self._schedule, self._zone, first))

    def _next_sweep(self) -> datetime:
        return next_run(self._schedule, self._zone, self._clock.now())

    # Reading

    async def sweep(self) -> None:
        """Read every pool and bring every card up to what was read."""
        self._sweep_at = self._next_sweep()  # before it begins: one that takes long must not swallow the next
        await self._show_expired(await self._read_all())

    async def refresh(self) -> None:
        """Read again the pools with an open card, and those where something else was to come at the last look."""
        await self._show_expired(await self._read_again({*self._restless, *(await self._open_rows()).values()}))

    async def follow(self) -> None:
        """Read again the recommendations that run."""
        await together(self._follow_up(stored) for stored in await self._open() if is_running(stored.recommendation))

    async def _open(self) -> list[Stored]:
        async with self._database.read() as connection:
            return await recommendations.with_open_cards(connection, self.tgc.key)

    async def _open_rows(self) -> dict[int, str]:
        async with self._database.read() as connection:
            return await recommendations.rows_with_open_cards(connection, self.tgc.key)

    async def _look_up_before(self, current: Collection[Current]) -> dict[Current, list[Stored]]:
        async with self._database.read() as connection:
            return await recommendations.with_open_cards_but(connection, self.tgc.key, current)

    async def _read_all(self) -> set[str]:
        """Returns which pools were read."""
        try:
            pools = await self._list_pools()
        except TGCError as error:
            await self._failed(str(error), error)
            return set()
        readings = await self._read_pools(pools)
        errors = [reading.error for reading in readings if reading.error]
        if len(readings) > 1 and len(errors) == len(readings):
            await self._failed(f"None of its {len(readings)} pools could be read: {errors[0]}", errors[0])
            return set()
        self.swept_at = self._clock.now()
        await self._succeeded()
        await self._end_deleted_pools({pool.uuid for pool in pools})
        return _pools_of(readings)

    async def _read_again(self, pool_uuids: set[str]) -> set[str]:
        """Returns which pools were read."""
        if not pool_uuids:
            return set()
        try:
            pools = await self._list_pools()
        except TGCError as error:
            await self._failed(str(error), error)
            return set()
        await self._succeeded()
        readings = await self._read_pools([pool for pool in pools if pool.uuid in pool_uuids])
        await self._end_deleted_pools({pool.uuid for pool in pools})
        return _pools_of(readings)

    async def _list_pools(self) -> list[Pool]:
        """All pools; what the list says of them is kept for homes. Raises TGCError."""
        read_at = self._clock.now()
        listed = await self._readings.pools()
        await stored_pools.keep(self._database, self.tgc.key, listed, read_at)
        return listed

    async def _read_pools(self, pools: Iterable[Pool]) -> list[PoolReading]:
        """Read them all at once. Cards come in the order of names, but wait for a slow pool only so long."""
        self.came_round()
        await self._keep_role()
        readings: list[PoolReading] = []
        async with asyncio.TaskGroup() as group:
            under_way = {group.create_task(self._read_pool(pool)) for pool in pools}
            while under_way:
                done, under_way = await asyncio.wait(under_way, timeout=self._patience_s)
                read = sorted((task.result() for task in done), key=lambda one: one[0].pool_name.casefold())
                readings += [reading for reading, _ in read]
                if any(reading.error is None for reading, _ in read):
                    await self._end_outage()  # said before the cards that come with it
                await self._reconciler.bring_up([stored for _, stored in read if stored is not None])
        self._compare_zones(readings)
        return readings

    async def _read_pool(self, pool: Pool) -> tuple[PoolReading, Stored | None]:
        """Read and keep what one pool has now, and bring the cards up to date of what it had before."""
        reading = await self._readings.current(pool)
        self.came_round()
        (self._restless.add if self._is_restless(reading) else self._restless.discard)(pool.uuid)
        if reading.error is not None:
            return reading, None
        # Those before first: a card of a pool says whether an earlier recommendation still runs.
        current_id = reading.recommendation.id if reading.recommendation else None
        for stored in await self._before.get((pool.uuid, current_id)):
            await self._follow_up(stored, pool)
            self.came_round()
        stored_now = await self._reconciler.remember(reading)  # which may look up names at the TGC
        self.came_round()
        return reading, stored_now

    def _is_restless(self, reading: PoolReading) -> bool:
        """Whether the pool shows something that is not the last word.

        Whoever else finds that a recommendation has ended (a press, the following, another replica) ends its card, but
        does not look at what came after it.
        """
        recommendation = reading.recommendation
        if reading.error is not None or recommendation is None:
            return reading.error is not None
        undecided = is_open(recommendation) and not is_expired(recommendation, self._clock.now())
        return undecided or is_building(recommendation) or is_running(recommendation)

    async def _follow_up(self, stored: Stored, pool: Pool | None = None, *, pool_is_gone: bool = False) -> None:
        """Read one recommendation by its id, and bring its card up to it."""
        key = stored.key
        try:
            reading = await read_again(self.tgc, self._clock, pool or stored.pool, key.recommendation_id)
        except TGCError as error:
            if _is_vanished(error, still_runs=is_running(stored.recommendation) and not pool_is_gone):
                await self._reconciler.forget(key)
            else:
                _log.warning(
                    "a recommendation could not be read",
                    pool=stored.pool_name,
                    reason=str(error),
                    request=error.where,
                )
                await self._reconciler.reconcile(key)  # its time may be over
            return
        await self._reconciler.observe(reading)

    async def _end_deleted_pools(self, known: set[str]) -> None:
        self._restless &= known
        for row_id, pool_uuid in (await self._open_rows()).items():
            if pool_uuid not in known:
                async with self._database.read() as connection:
                    stored = await recommendations.by_row_id(connection, row_id)
                await self._follow_up(stored, pool_is_gone=True)

    async def _show_expired(self, read: Collection[str]) -> None:
        """Buttons that time has overtaken go also where the TGC cannot be read."""
        unread = set((await self._open_rows()).values()).difference(read)
        for of_pool in await self._before.get_all([(pool_uuid, None) for pool_uuid in unread]):
            for stored in of_pool:
                if is_open(stored.recommendation) and is_expired(stored.recommendation, self._clock.now()):
                    await self._reconciler.reconcile(stored.key)

    def _compare_zones(self, readings: list[PoolReading]) -> None:
        """Warn once where RECO_TIMEZONE is not the TGC's zone: the schedule would miss its analyses."""
        made = (reading.recommendation.creation_time for reading in readings if reading.recommendation)
        for moment in filter(None, made):
            if not self._warned_of_zone and moment.utcoffset() != moment.astimezone(self._zone).utcoffset():
                self._warned_of_zone = True
                _log.warning(
                    f"the TGC's clock has another offset than {self._zone_setting}: set it to the TGC's zone, "
                    "or the schedule misses its analyses",
                    tgc=f"{moment:%z}",
                    reco_timezone=f"{self._zone.key} ({moment.astimezone(self._zone):%z})",
                )

    async def _keep_role(self) -> None:
        role = self.tgc.client.role
        if role is None:
            return
        async with self._database.read() as connection:
            known = await tgcs.role(connection, self.tgc.key)
        if role != known:
            async with self._database.write() as connection:
                await tgcs.set_role(connection, self.tgc.key, role)

    # Outages

    async def _failed(self, problem: str, error: TGCError) -> None:
        _log.error("the TGC could not be read", tgc=self.tgc.name, reason=problem, request=error.where)
        self._is_behind = True
        SWEEPS.labels(tgc=self.tgc.key, result="failed").inc()
        TGC_UP.labels(tgc=self.tgc.key).set(0)
        async with self._database.write() as connection:
            outage = await tgcs.count_failure(connection, self.tgc.key, problem, self._clock.now())
            if outage.failures >= FAILURES_BEFORE_NOTICE and not outage.noticed:
                await tgcs.notice_outage(connection, self.tgc.key)
                await self._announce(connection, "outage", outage, render_outage(self.tgc.name, outage.since, problem))

    async def _succeeded(self) -> None:
        self._is_behind = False
        SWEEPS.labels(tgc=self.tgc.key, result="succeeded").inc()
        TGC_UP.labels(tgc=self.tgc.key).set(1)
        await self._end_outage()

    async def _end_outage(self) -> None:
        async with self._database.read() as connection:
            outage = await tgcs.outage(connection, self.tgc.key)
        if outage is None:
            return
        async with self._database.write() as connection:
            await tgcs.end_outage(connection, self.tgc.key)
            if outage.noticed:
                over = render_outage_over(self.tgc.name, outage.since, self._clock.now())
                await self._announce(connection, "outage_over", outage, over)

    async def _announce(self, connection: AsyncConnection, kind: str, outage: Outage, message: Message) -> None:
        key = f"{kind}/{self.tgc.key}/{outage.since.timestamp():.6f}"
        channel_ids = self._routes.channels_of_tgc(self.tgc.key)
        await self._outbox.announce(connection, key=key, kind=kind, channel_ids=channel_ids, message=message)


def _is_vanished(error: TGCError, *, still_runs: bool) -> bool:
    """404, or 500 with 7102; but the TGC says 7102 also when reading one fails, and what runs does not vanish."""
    if isinstance(error, TGCStatusError) and error.code == _VANISHED_CODE:
        return not still_runs
    return isinstance(error, TGCNotFoundError)


def _pools_of(readings: Iterable[PoolReading]) -> set[str]:
    """Those of the readings that did not fail."""
    return {reading.pool.uuid for reading in readings if reading.error is None}
