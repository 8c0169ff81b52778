"""Turns to post and to edit: never faster than Slack allows, in the order they were asked for, and nobody starves."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pacing import EDIT_BURST, EDITS_PER_MINUTE, POST_EVERY, Pace
from tests.scenarios.stage import StageClock

START = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)
STEP = timedelta(seconds=0.25)
MINUTE = timedelta(minutes=1)

PAUSES = st.lists(st.sampled_from([0, 0, 0, 0, 1, 7, 100]), min_size=60, max_size=90)
"""How many steps pass before each asks for a turn."""


async def pass_time(clock: StageClock, steps: int) -> None:
    for _ in range(steps):
        clock.move(STEP)
        for _ in range(3):  # woken, through the lock, asleep again
            await asyncio.sleep(0)


async def turns(clock: StageClock, turn: Callable[[], Awaitable[None]], pauses: list[int]) -> list[datetime]:
    """When each got its turn, in the order in which they asked."""
    given_at: dict[int, datetime] = {}

    async def ask(number: int) -> None:
        await turn()
        given_at[number] = clock.now()

    asked = []
    for number, pause in enumerate(pauses):
        await pass_time(clock, pause)
        asked.append(asyncio.create_task(ask(number)))
    await asyncio.sleep(0)
    for _ in range(10_000):
        if all(task.done() for task in asked):
            break
        await pass_time(clock, 1)
    await asyncio.gather(*asked)
    return [given_at[number] for number in range(len(pauses))]


@settings(max_examples=30)
@given(pauses=PAUSES)
def test_no_minute_sees_more_edits_than_the_budget(pauses: list[int]) -> None:
    async def edit_all() -> list[datetime]:
        clock = StageClock(START)
        return await turns(clock, Pace(clock).edit, pauses)

    edited = asyncio.run(edit_all())
    assert edited == sorted(edited)
    for first in edited:
        assert sum(1 for moment in edited if first <= moment < first + MINUTE) <= EDITS_PER_MINUTE


def test_a_few_edits_go_out_at_once_and_the_others_evenly() -> None:
    async def edit_all() -> list[datetime]:
        clock = StageClock(START)
        return await turns(clock, Pace(clock).edit, [0] * 30)

    edited = asyncio.run(edit_all())
    assert edited[EDIT_BURST - 1] == START
    every = MINUTE / (EDITS_PER_MINUTE - EDIT_BURST)
    assert [later - earlier for earlier, later in pairwise(edited[EDIT_BURST - 1 :])] == [every] * 25


async def test_who_takes_over_from_another_does_not_use_turns_that_it_may_have_used() -> None:
    clock = StageClock(START)
    pace = Pace(clock)
    pace.begin_anew()
    posted = asyncio.create_task(turns(clock, lambda: pace.post("C1"), [0]))
    assert await posted == [START + POST_EVERY]
    began = clock.now()
    pace.begin_anew()
    every = MINUTE / (EDITS_PER_MINUTE - EDIT_BURST)
    edited = await turns(clock, pace.edit, [0] * 3)
    assert edited == [began + every, began + 2 * every, began + 3 * every]


@settings(max_examples=30)
@given(pauses=PAUSES)
def test_posts_in_a_channel_are_a_second_apart(pauses: list[int]) -> None:
    async def post_all() -> list[datetime]:
        clock = StageClock(START)
        pace = Pace(clock)
        return await turns(clock, lambda: pace.post("C1"), pauses)

    posted = asyncio.run(post_all())
    assert all(later - earlier >= POST_EVERY for earlier, later in pairwise(posted))


async def test_channels_do_not_wait_for_each_other() -> None:
    clock = StageClock(START)
    pace = Pace(clock)
    pace.hold_posts("C1", 60)
    await pace.post("C2")
    assert clock.now() == START


@given(waiting=st.integers(0, 8), held_s=st.sampled_from([1, 5, 30, 120]))
def test_nothing_goes_out_before_slack_allows_it_again_not_even_what_waited_already(waiting: int, held_s: int) -> None:
    async def edit_all() -> tuple[datetime, list[datetime]]:
        clock = StageClock(START)
        pace = Pace(clock)
        for _ in range(EDIT_BURST):
            await pace.edit()
        edits = asyncio.create_task(turns(clock, pace.edit, [0] * (waiting + 1)))
        await pass_time(clock, 1)  # those wait for their turn now
        pace.hold_edits(held_s)
        return clock.now(), await edits

    held_at, edited = asyncio.run(edit_all())
    assert min(edited) >= held_at + timedelta(seconds=held_s)


async def test_whoever_gives_up_waiting_costs_nobody_a_turn() -> None:
    clock = StageClock(START)
    pace = Pace(clock)
    await pace.post("C1")
    impatient = asyncio.create_task(pace.post("C1"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await turns(clock, lambda: pace.post("C1"), [0]) == [START + POST_EVERY]


async def test_a_time_of_day_that_is_set_back_holds_nobody_up() -> None:
    clock = StageClock(START)
    pace = Pace(clock)
    await pace.post("C1")
    clock.set_ahead(hours=-2)
    next_one = asyncio.create_task(pace.post("C1"))
    await pass_time(clock, int(POST_EVERY / STEP))
    assert next_one.done()
    next_one.cancel()
