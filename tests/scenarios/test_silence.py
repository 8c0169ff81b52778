"""Half an hour after an analysis that made nothing the channel is told, once; what comes later is posted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from playground.tgc_faults import Fault
from tests.scenarios.stage import Stage, open_stage

pytestmark = pytest.mark.extended


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Production and Test, analysed at 06:15; the next analysis is due at 18:00."""
    async with open_stage(tmp_path, pools=2) as opened:
        opened.use_http()
        yield opened


def notices(stage: Stage) -> list[str]:
    return [message.text for message in stage.cards if "no recommendation at its analysis" in message.text]


async def at_1825(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(2)
    await stage.jump(hours=11, minutes=50)
    stage.world.new_recommendation(stage.world.pools[1])
    await stage.jump(minutes=19)


async def test_a_missed_analysis_is_said_once_and_names_the_pools(stage: Stage) -> None:
    await at_1825(stage)
    assert notices(stage) == []
    await stage.jump(minutes=6)
    await stage.until(lambda: notices(stage))
    assert "for Production." in notices(stage)[0]
    assert "2026-03-10 18:00 UTC" in notices(stage)[0]
    await stage.restart_bot()
    await stage.jump(minutes=6)
    await stage.jump(hours=2)
    assert len(notices(stage)) == 1
    await stage.jump(hours=10)  # the next morning
    await stage.until(lambda: len(notices(stage)) == 2)
    assert "for Production, Test." in notices(stage)[1]


async def test_what_the_tgc_makes_late_is_posted_soon_after(stage: Stage) -> None:
    await at_1825(stage)
    await stage.jump(minutes=6)
    await stage.until(lambda: notices(stage))
    before = len(stage.cards)
    stage.world.new_recommendation(stage.world.pools[0])
    await stage.jump(minutes=6)
    await stage.until(lambda: len(stage.cards) == before + 1)


async def test_where_all_is_there_nothing_is_said_and_nothing_more_is_read(stage: Stage) -> None:
    await at_1825(stage)
    stage.world.balanced(stage.world.pools[0])
    await stage.jump(minutes=6)
    await stage.jump(minutes=6)
    assert notices(stage) == []
    stage.world.balanced(stage.world.pools[1])
    await stage.jump(minutes=3)
    read = len(stage.tgc.calls)
    await stage.live(minutes=6)
    assert len(stage.tgc.calls) == read


async def test_a_tgc_that_is_away_at_half_past_is_looked_at_when_it_is_back(stage: Stage) -> None:
    await at_1825(stage)
    stage.tgc.fault(Fault("answer", "vmstorePool", status=503, times=None))
    await stage.jump(minutes=20)
    assert notices(stage) == []
    stage.tgc.clear_faults()
    stage.clock.move(timedelta(minutes=5))
    await stage.until(lambda: notices(stage))
