"""Work handed over is kept, told of when it fails, and waited for at the end."""

import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from bot.tasks import Tasks, together


async def test_the_drain_waits_for_what_is_under_way() -> None:
    tasks, done = Tasks(), []

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append("work")

    tasks.start(work(), name="work")
    assert len(tasks) == 1
    await tasks.drain(5)
    assert done == ["work"]
    assert len(tasks) == 0


async def test_the_drain_waits_for_what_the_work_starts_meanwhile() -> None:
    tasks, done = Tasks(), []

    async def later() -> None:
        await asyncio.sleep(0.01)
        done.append("later")

    async def work() -> None:
        await asyncio.sleep(0.01)
        tasks.start(later(), name="later")

    tasks.start(work(), name="work")
    await tasks.drain(5)
    assert done == ["later"]


async def test_what_is_late_is_cancelled_and_may_clean_up() -> None:
    tasks, cleaned = Tasks(), []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("work")

    tasks.start(work(), name="work")
    await tasks.drain(0.01)
    assert cleaned == ["work"]
    assert len(tasks) == 0


async def test_a_drain_with_nothing_to_wait_for_ends_at_once() -> None:
    async with asyncio.timeout(1):
        await Tasks().drain(60)


async def test_a_failure_reaches_the_log_and_harms_nobody_else() -> None:
    tasks, done = Tasks(), []

    async def failing() -> None:
        raise RuntimeError

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")

    with capture_logs() as lines:
        tasks.start(failing(), name="failing")
        tasks.start(work(), name="work")
        await tasks.drain(5)
    [line] = lines
    assert (line["event"], line["work"]) == ("work failed", "failing")
    assert line["error_id"]
    assert done == ["work"]


async def test_nothing_done_together_is_left_behind_at_the_end() -> None:
    """Two transactions are cut off: both are rolled back before whoever waits for them closes the database."""
    rolled_back = []

    async def transaction(rollback_s: float) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(rollback_s)
            rolled_back.append(rollback_s)

    sweep = asyncio.create_task(together(transaction(rollback_s) for rollback_s in (0, 0.01)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    sweep.cancel()
    with suppress(asyncio.CancelledError):
        await sweep
    assert rolled_back == [0, 0.01]
