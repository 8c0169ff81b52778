"""One after the other, in order; and what becomes of those who wait for one that hangs."""

import asyncio

import pytest

from bot.storage.turns import Turns

PATIENCE_S = 1.0
"""Real time: this is about waiting."""


async def take(turns: Turns, held_s: float, order: list[int], number: int) -> None:
    async with turns.take():
        order.append(number)
        await asyncio.sleep(held_s)


async def test_many_wait_longer_than_one_turn_may_last() -> None:
    turns, order = Turns(PATIENCE_S), list[int]()
    await asyncio.gather(*(take(turns, PATIENCE_S / 10, order, number) for number in range(15)))
    assert order == list(range(15))


async def test_behind_one_that_hangs_all_give_up_and_later_ones_come_to_their_turn() -> None:
    turns, order = Turns(PATIENCE_S / 20), list[int]()
    hung = asyncio.create_task(take(turns, 60, order, 0))
    await asyncio.sleep(0)
    waited = await asyncio.gather(*(take(turns, 0, order, number) for number in (1, 2)), return_exceptions=True)
    assert [type(one) for one in waited] == [TimeoutError, TimeoutError]
    hung.cancel()
    await asyncio.gather(hung, return_exceptions=True)
    await take(turns, 0, order, 3)
    assert order == [0, 3]


@pytest.mark.parametrize("passes", range(6))
async def test_who_is_cancelled_while_waiting_leaves_the_turn_to_the_next(passes: int) -> None:
    """Also in the moment in which it comes to it."""
    turns, order, leave = Turns(60), list[int](), asyncio.Event()

    async def hold() -> None:
        async with turns.take():
            await leave.wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    gone = asyncio.create_task(take(turns, 0, order, 1))
    for _ in range(3):
        await asyncio.sleep(0)
    leave.set()
    for _ in range(passes):
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(holder, gone, return_exceptions=True)
    async with asyncio.timeout(5):
        await take(turns, 0, order, 2)
    assert order[-1] == 2
