"""Which of two readings is kept."""

from datetime import timedelta

import pytest

from bot.recommendations import Key
from bot.storage import recommendations
from bot.storage.database import Database
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation, RecommendationState

KEY = Key("default", "pool", "recommendation")
OLD, NEW = RecommendationState.AVAILABLE, RecommendationState.EXPIRED


async def read(database: Database, clock: StageClock, state: RecommendationState, age: timedelta) -> None:
    """Keep a reading that began some time ago."""
    now = clock.now()
    async with database.write() as connection:
        reading = Recommendation(id=KEY.recommendation_id, state=state)
        await recommendations.store(connection, KEY, reading, pool_name="P", vm_names={}, read_at=now - age, now=now)


async def known(database: Database) -> RecommendationState | str | None:
    async with database.read() as connection:
        stored = await recommendations.get(connection, KEY)
    return None if stored is None else stored.recommendation.state


@pytest.mark.parametrize("hours", [-6, 0, 6])
async def test_the_later_reading_is_kept_although_the_clock_was_set(
    database: Database, clock: StageClock, hours: float
) -> None:
    await read(database, clock, OLD, timedelta(seconds=1))
    clock.move(timedelta(seconds=2))
    clock.set_ahead(hours=hours)
    await read(database, clock, NEW, timedelta(seconds=1))
    assert await known(database) == NEW


async def test_a_reading_that_began_earlier_and_took_longer_is_not_kept(database: Database, clock: StageClock) -> None:
    await read(database, clock, NEW, timedelta(seconds=1))
    await read(database, clock, OLD, timedelta(seconds=9))
    assert await known(database) == NEW
