"""Watches the pools where somebody had the TGC build another recommendation, until it is there.

Its card comes by the ordinary way. What takes long, or does not come, is said once in the thread of the old card.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_thread import CardThread
from bot.clock import Clock
from bot.readings import PoolReading, Readings, Tgc, read_again
from bot.recommendations import is_building, is_open
from bot.reconcile import Reconciler
from bot.rendering.notices import render_no_replacement, render_replacement_late
from bot.rendering.views import Message
from bot.storage import recommendations, replacements
from bot.storage.database import Database
from bot.storage.recommendations import Stored
from bot.storage.replacements import Replacement
from bot.tasks import together
from tgc.errors import TGCError
from tgc.models import RecommendationState

LATE = timedelta(minutes=5)
GIVEN_UP = timedelta(hours=1)
"""After that the pool is read as often as any other."""
_KIND = "replacement"
_NONE_MADE = frozenset({RecommendationState.NO_RECOMMENDATION_NEEDED, RecommendationState.NO_RECOMMENDATION_AVAILABLE})


class Replacements:
    """Looks at all that is awaited, each time it is run."""

    def __init__(self, *, database: Database, reconciler: Reconciler, thread: CardThread, clock: Clock) -> None:
        self._database = database
        self._reconciler = reconciler
        self._thread = thread
        self._clock = clock

    async def run(self, readings: Readings) -> None:
        """Look at those of one TGC."""
        async with self._database.read() as connection:
            waiting = [
                (one, await recommendations.by_row_id(connection, one.recommendation))
                for one in await replacements.awaited(connection)
            ]
        of_tgc = [(one, old) for one, old in waiting if old.key.tgc_key == readings.tgc.key]
        await together(self._look(readings, one, old) for one, old in of_tgc)

    async def _look(self, readings: Readings, awaited: Replacement, old: Stored) -> None:
        if is_open(old.recommendation):
            await self._read_old(readings.tgc, old)
        reading = await readings.current(old.pool)
        if reading.error is None:
            await self._reconciler.observe(reading)
        async with self._database.write() as connection:
            await self._tell(connection, awaited, old, reading)

    async def _read_old(self, tgc: Tgc, old: Stored) -> None:
        """Its card folds before the new one comes."""
        with suppress(TGCError):
            await self._reconciler.observe(await read_again(tgc, self._clock, old.pool, old.key.recommendation_id))

    async def _tell(self, connection: AsyncConnection, awaited: Replacement, old: Stored, reading: PoolReading) -> None:
        now = self._clock.now()
        there = reading.recommendation
        if there is not None and _is_made(reading, old):
            await replacements.end(connection, awaited, now)
        elif there is not None and there.state in _NONE_MADE and not is_building(there):
            message = render_no_replacement(awaited.user_id, awaited.asked_at, there)
            if await replacements.end(connection, awaited, now):
                await self._reply(connection, awaited, "none", message)
        elif now - awaited.asked_at > GIVEN_UP:
            await replacements.end(connection, awaited, now)
        elif now - awaited.asked_at > LATE:
            message = render_replacement_late(awaited.user_id, awaited.asked_at)
            await self._reply(connection, awaited, "late", message)

    async def _reply(self, connection: AsyncConnection, awaited: Replacement, what: str, message: Message) -> None:
        """Once, whoever looks again: the key is known then."""
        key = f"replacement-{what}/{awaited.recommendation}"
        await self._thread.reply(connection, awaited.recommendation, key=key, kind=_KIND, message=message)


def _is_made(reading: PoolReading, old: Stored) -> bool:
    made = reading.recommendation
    return made is not None and made.id not in {None, old.key.recommendation_id} and not is_building(made)
