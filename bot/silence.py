"""Says when the TGC did not do what it does twice a day: a pool without a new recommendation is no balanced pool.

The TGC analyses every pool at 06:00 and 18:00 of its own time, also where nothing is wrong, within minutes.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim

from bot.clock import Clock
from bot.loops import CameRound
from bot.outbox import Outbox
from bot.readings import PoolReading, Readings
from bot.recommendations import is_building, is_running
from bot.reconcile import Reconciler
from bot.rendering.notices import render_silence
from bot.routes import Routes
from bot.settings import TgcSettings
from bot.storage.database import Database
from bot.tasks import together
from bot.watch import READING_AT_MOST
from tgc.errors import TGCError

_log = structlog.get_logger(__name__)

LATE_AFTER = timedelta(minutes=30)
LOOK_EVERY = timedelta(minutes=5)
_ANALYSES = "0 6,18 * * *"


def newest_due_analysis(zone: ZoneInfo, now: datetime) -> datetime:
    """The newest scheduled analysis whose recommendations should be there by now."""
    return next(CronSim(_ANALYSES, (now - LATE_AFTER + timedelta(seconds=1)).astimezone(zone), reverse=True))


def is_late(reading: PoolReading, analysis: datetime, zone: ZoneInfo) -> bool:
    """Whether the pool shows nothing of that analysis.

    What is not dated, is being built or runs is no sign of that; nor is any date where RECO_TIMEZONE is not the zone
    of the TGC, of which the log warns.
    """
    recommendation = reading.recommendation
    if recommendation is None or is_building(recommendation) or is_running(recommendation):
        return False
    made = recommendation.creation_time
    return made is not None and made < analysis and made.utcoffset() == made.astimezone(zone).utcoffset()


class Silence:
    """Looks half an hour after each scheduled analysis, and on until every pool has what it should have."""

    def __init__(
        self,
        *,
        database: Database,
        readings: Readings,
        reconciler: Reconciler,
        outbox: Outbox,
        clock: Clock,
        tgc: TgcSettings,
        routes: Routes,
    ) -> None:
        self._database = database
        self._readings = readings
        self._reconciler = reconciler
        self._outbox = outbox
        self._clock = clock
        self._zone = tgc.zone
        self._routes = routes
        self._all_there: datetime | None = None
        """The newest analysis whose recommendations were all seen."""

    @property
    def patience(self) -> timedelta:
        return LOOK_EVERY + READING_AT_MOST

    async def keep_looking(self, came_round: CameRound) -> None:
        """As long as the bot runs. What is there at the start is the first sweep's affair."""
        while True:
            came_round()
            await self._clock.sleep(LOOK_EVERY.total_seconds())
            await self.look()

    async def look(self) -> None:
        analysis = newest_due_analysis(self._zone, self._clock.now())
        if self._all_there == analysis:
            return
        try:
            pools = await self._readings.pools()
        except TGCError as error:
            _log.warning("whether the TGC has made its analysis cannot be told yet", reason=str(error))
            return
        readings = await together(self._readings.current(pool) for pool in pools)
        readings.sort(key=lambda reading: reading.pool_name.casefold())
        for reading in readings:
            await self._reconciler.observe(reading)
        late = [reading for reading in readings if is_late(reading, analysis, self._zone)]
        if late:
            await self._tell(analysis, late)
        elif not any(reading.error for reading in readings):
            self._all_there = analysis

    async def _tell(self, analysis: datetime, late: list[PoolReading]) -> None:
        """Once for each analysis, in each channel of those pools."""
        tgc = self._readings.tgc
        key = f"silence/{tgc.key}/{analysis.timestamp():.0f}"
        pools_by_channel: dict[str, list[str]] = {}
        for reading in late:
            for channel_id in self._routes.channels_of_pool(tgc.key, reading.pool_name):
                pools_by_channel.setdefault(channel_id, []).append(reading.pool_name)
        async with self._database.write() as connection:
            for channel_id, pool_names in pools_by_channel.items():
                await self._outbox.add(
                    connection,
                    key=key if channel_id == self._routes.main else f"{key}/{channel_id}",
                    kind="silence",
                    channel_id=channel_id,
                    message=render_silence(tgc.name, analysis, tuple(pool_names)),
                )
