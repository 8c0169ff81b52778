"""Work that goes on: it begins anew when it fails, waits its time between turns, and ends with the block."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bot.loops import CameRound, Loops
from tests.bot.patience import until
from tests.scenarios.stage import StageClock

PATIENCE = timedelta(minutes=1)


@pytest.fixture
def clock() -> StageClock:
    return StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_work_that_fails_is_told_of_and_begins_anew_after_a_pause(clock: StageClock) -> None:
    turns = 0

    async def work(_: CameRound) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise RuntimeError
        await asyncio.Event().wait()

    with capture_logs() as lines:
        async with Loops(clock) as loops:
            loops.start("work", work, patience=PATIENCE)
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

    async def failing(_: CameRound) -> None:
        raise RuntimeError

    async def work() -> None:
        nonlocal turns
        turns += 1

    with capture_logs():
        async with Loops(clock) as loops:
            loops.start("failing", failing, patience=PATIENCE)
            loops.every("work", 2, work, patience=PATIENCE)
            await until(lambda: turns == 1)
            clock.move(timedelta(seconds=2))
            await until(lambda: turns == 2)


async def test_work_is_done_at_once_and_then_every_so_often(clock: StageClock) -> None:
    turns = 0

    async def work() -> None:
        nonlocal turns
        turns += 1

    async with Loops(clock) as loops:
        loops.every("work", 2, work, patience=PATIENCE)
        await until(lambda: turns == 1)
        clock.move(timedelta(seconds=1.9))
        await settle()
        assert turns == 1
        clock.move(timedelta(seconds=0.1))
        await until(lambda: turns == 2)


async def test_leaving_the_block_ends_all_and_waits_until_they_cleaned_up(clock: StageClock) -> None:
    cleaned = []

    async def work(_: CameRound) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("work")

    async with Loops(clock) as loops:
        loops.start("one", work, patience=PATIENCE)
        loops.start("two", work, patience=PATIENCE)
        await settle()
    assert cleaned == ["work", "work"]


async def look(clock: StageClock, seconds: float) -> None:
    """Let time pass as it does: the watchdog looks every five seconds."""
    for _ in range(int(seconds / 5)):
        clock.move(timedelta(seconds=5))
        await settle()


def stuck_metric(name: str) -> float | None:
    return REGISTRY.get_sample_value("tintri_bot_loop_stuck", {"loop": name})


async def test_a_loop_that_does_not_come_round_is_named_until_it_does(clock: StageClock) -> None:
    go_on = asyncio.Event()

    async def hanging(came_round: CameRound) -> None:
        came_round()
        await go_on.wait()
        go_on.clear()

    async def work() -> None: ...

    async with Loops(clock) as loops:
        loops.start("hanging", hanging, patience=PATIENCE)
        loops.every("work", 2, work, patience=PATIENCE)
        await look(clock, 60)
        assert loops.stuck == []
        with capture_logs() as lines:
            await look(clock, 30)
            assert loops.stuck == ["hanging"]
            assert (stuck_metric("hanging"), stuck_metric("work")) == (1, 0)
            go_on.set()
            await settle()
            assert loops.stuck == []
            await look(clock, 5)
            assert stuck_metric("hanging") == 0
        told = [line["event"] for line in lines if line["work"] == "hanging"]
        assert told == ["background work is stuck: if that lasts, restart the bot", "background work goes on"]


async def test_a_loop_that_fails_each_time_is_stuck(clock: StageClock) -> None:
    async def failing() -> None:
        raise RuntimeError

    with capture_logs():
        async with Loops(clock) as loops:
            loops.every("failing", 2, failing, patience=PATIENCE)
            await look(clock, 70)
            assert loops.stuck == ["failing"]


@pytest.mark.parametrize("step", [timedelta(hours=11), timedelta(hours=-11)], ids=["forward", "back"])
async def test_a_clock_that_is_set_makes_no_loop_stuck_and_hides_none(clock: StageClock, step: timedelta) -> None:
    async def hanging(_: CameRound) -> None:
        await asyncio.Event().wait()

    async with Loops(clock) as loops:
        loops.start("hanging", hanging, patience=PATIENCE)
        await look(clock, 30)
        clock._now += step
        clock._sleepers = [(until + step, number, woken) for until, number, woken in clock._sleepers]
        await look(clock, 15)
        assert loops.stuck == []
        await look(clock, 25)
        assert loops.stuck == ["hanging"]
