"""One reading for all who asked before it began."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.batches import AT_ONCE, Batches


class Reader:
    """Answers with the number of the reading; waits until it is let go."""

    def __init__(self) -> None:
        self.readings: list[list[str]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.problem: Exception | None = None
        self.batches = Batches(self._read)

    async def _read(self, keys: Sequence[str]) -> dict[str, int]:
        self.readings.append(list(keys))
        number = len(self.readings)
        await self.is_open.wait()
        if self.problem:
            raise self.problem
        return dict.fromkeys(keys, number)


async def started(*works: asyncio.Task[int]) -> None:
    """Let them go as far as they can."""
    for _ in range(5 * len(works)):
        await asyncio.sleep(0)


async def test_who_asks_during_a_reading_is_answered_by_the_next_one() -> None:
    reader = Reader()
    reader.is_open.clear()
    first = asyncio.create_task(reader.batches.get("a"))
    await started(first)
    later = [asyncio.create_task(reader.batches.get(key)) for key in ("a", "b", "b", "c")]
    await started(*later)
    reader.is_open.set()
    assert [await first, *(await asyncio.gather(*later))] == [1, 2, 2, 2, 2]
    assert reader.readings == [["a"], ["a", "b", "c"]]


async def test_many_keys_are_read_a_part_at_a_time_in_their_order() -> None:
    reader = Reader()
    keys = [str(number) for number in range(2 * AT_ONCE + 1)]
    assert await reader.batches.get_all(keys) == [1] * AT_ONCE + [2] * AT_ONCE + [3]
    assert [key for reading in reader.readings for key in reading] == keys


async def test_a_reading_that_fails_fails_all_its_askers_and_nobody_else() -> None:
    reader = Reader()
    reader.problem = OSError("the disk is gone")
    for failed in await asyncio.gather(*(reader.batches.get(key) for key in "ab"), return_exceptions=True):
        assert isinstance(failed, OSError)
    reader.problem = None
    assert await reader.batches.get("a") == 2
    assert reader.readings == [["a", "b"], ["a"]]


async def test_the_one_that_reads_is_cancelled_and_the_next_reads_for_all() -> None:
    reader = Reader()
    reader.is_open.clear()
    reading, second, third = works = [asyncio.create_task(reader.batches.get(key)) for key in "abc"]
    await started(*works)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await started(second, third)
    reader.is_open.set()
    assert [await second, await third] == [2, 2]
    assert reader.readings == [["a", "b", "c"], ["a", "b", "c"]]  # nobody waits for the answer to the first


async def test_one_that_stops_waiting_holds_up_nobody() -> None:
    reader = Reader()
    reader.is_open.clear()
    reading, gone, other = works = [asyncio.create_task(reader.batches.get(key)) for key in "abc"]
    await started(*works)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    reader.is_open.set()
    assert [await reading, await other] == [1, 1]
