"""Work that goes on: it begins anew when it fails, waits its time between turns, and ends with the block."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.loops import Loops
from tests.bot.patience import until
from tests.scenarios.stage import StageClock


@pytest.fixture
def clock() -> StageClock:
    return StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_work_that_fails_is_told_of_and_begins_anew_after_a_pause(clock: StageClock) -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise RuntimeError
        await asyncio.Event().wait()

    with capture_logs() as lines:
        async with Loops(clock) as loops:
            loops.start("work", work)
            await until(lambda: bool(lines))
            await settle()
            assert turns == 1
            clock.move(timedelta(seconds=5))
            await until(lambda: turns == 2)
    assert [(line["event"], line["work"]) for line in lines] == [
        ("background work failed; it begins anew", "work"),
    ]


async def test_one_work_that_fails_does_not_stop_another(clock: StageClock) -> None:
    turns = 0

    async def failing() -> None:
        raise RuntimeError

    async def work() -> None:
        nonlocal turns
        turns += 1

    with capture_logs():
        async with Loops(clock) as loops:
            loops.start("failing", failing)
            loops.every("work", 2, work)
            await until(lambda: turns == 1)
            clock.move(timedelta(seconds=2))
            await until(lambda: turns == 2)


async def test_work_is_done_at_once_and_then_every_so_often(clock: StageClock) -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        turns += 1

    async with Loops(clock) as loops:
        loops.every("work", 2, work)
        await until(lambda: turns == 1)
        clock.move(timedelta(seconds=1.9))
        await settle()
        assert turns == 1
        clock.move(timedelta(seconds=0.1))
        await until(lambda: turns == 2)


async def test_leaving_the_block_ends_all_and_waits_until_they_cleaned_up(clock: StageClock) -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("work")

    async with Loops(clock) as loops:
        loops.start("one", work)
        loops.start("two", work)
        await settle()
    assert cleaned == ["work", "work"]
