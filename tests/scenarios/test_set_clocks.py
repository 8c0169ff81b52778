"""Somebody sets the time of day of the bot's machine, as it runs. What is waited for comes in its time all the same."""

import pytest

from bot.app import LEASE_LIFE
from tests.scenarios.stage import Stage


@pytest.mark.parametrize("hours", [-3, 3])
async def test_new_cards_come_as_soon_as_ever(stage: Stage, hours: float) -> None:
    stage.lease_life = LEASE_LIFE  # a clock that is set forward ends it, and it is renewed soon
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.clock.set_ahead(hours=hours)
    for pool in stage.world.pools:
        stage.world.new_recommendation(pool)
    await stage.live(minutes=2, seconds=30)
    assert len(stage.cards) == 6
