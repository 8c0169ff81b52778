"""Somebody sets the time of day of the bot's machine, as it runs. What is waited for comes in its time all the same."""

import pytest
from aiohttp import web

from bot.app import LEASE_LIFE
from bot.rendering import ids
from playground.tgc_faults import Fault
from tests.scenarios.stage import Stage

pytestmark = pytest.mark.extended


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


@pytest.mark.parametrize(("asked", "looked"), [(0, -3), (0, 3), (3, 0), (3, 3)])
async def test_an_accept_whose_answer_was_lost_is_known_to_be_ours(stage: Stage, asked: float, looked: float) -> None:
    """By so many hours the clock is wrong when the TGC is asked, and when it is read for what became of it."""
    stage.clock.set_ahead(hours=asked)
    await stage.start_bot()
    card, *_ = await stage.cards_posted(3)

    async def lose_the_answer() -> None:
        stage.clock.set_ahead(hours=looked)
        raise web.HTTPServiceUnavailable

    stage.tgc.fault(Fault("hook_after", "/accept$", hook=lose_the_answer))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    answer = await stage.answer("alice", "accepted")
    assert "Accepted. The card shows how it goes." in answer.text
