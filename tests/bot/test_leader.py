"""One replica works on its own, the others stand by until it goes, and whoever was overtaken stops."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from bot.leader import Leader
from bot.loops import CameRound, Loops
from bot.storage.database import Database, open_database
from bot.storage.leases import Leases
from bot.storage.tables import leases as leases_table
from tests.bot.patience import until
from tests.scenarios.stage import StageClock

LIFE = timedelta(seconds=20)


class Replica:
    def __init__(self, database: Database, clock: StageClock) -> None:
        self._clock = clock
        self.leases = Leases(database, clock, life=LIFE)
        self.leader = Leader(self.leases, clock)
        self.is_working = False
        self.may_send = False

    async def lead(self) -> None:
        async with Loops(self._clock) as loops:
            await self.leader.lead(loops, lambda works: works.start("work", self._work, patience=LIFE))

    async def _work(self, _: CameRound) -> None:
        self.is_working = True
        try:
            while True:
                self.may_send = self.leases.may_send()
                await asyncio.sleep(0)
        finally:
            self.is_working = False


@pytest.fixture
def clock() -> StageClock:
    return StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as opened:
        yield opened


async def test_of_two_replicas_one_works_and_the_other_follows_when_it_ends(
    database: Database, clock: StageClock
) -> None:
    first, second = Replica(database, clock), Replica(database, clock)
    async with Loops(clock) as loops:
        leading = asyncio.create_task(first.lead())
        await until(lambda: first.is_working)
        standing_by = asyncio.create_task(second.lead())
        await until(lambda: second.leader._stands_by_since is not None)
        assert not second.is_working
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        assert not first.is_working
        clock.move(LIFE / 10)
        await standing_by
        loops.start("leading", lambda _: second.lead(), patience=None)
        await until(lambda: second.is_working)


async def test_who_hung_sends_nothing_and_stops_when_another_took_over(database: Database, clock: StageClock) -> None:
    hung = Replica(database, clock)
    leading = asyncio.create_task(hung.lead())
    await until(lambda: hung.is_working and hung.may_send)
    async with database.write() as connection:  # while it hangs: another process, with the next fence
        await connection.execute(update(leases_table).values(owner="another", fence=leases_table.c.fence + 1))
    with capture_logs() as lines:
        clock.move(LIFE)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not hung.may_send
        await leading
    assert not hung.is_working
    assert "another replica has taken over" in lines[-1]["event"]


async def test_who_hung_goes_on_where_nobody_took_over(database: Database, clock: StageClock) -> None:
    hung = Replica(database, clock)
    leading = asyncio.create_task(hung.lead())
    await until(lambda: hung.is_working and hung.may_send)
    clock.move(2 * LIFE)
    await until(lambda: not hung.may_send)
    await until(lambda: hung.may_send)
    assert not leading.done()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def test_who_stands_by_knows_that_another_leads_once_a_dead_one_would_have_lost_its_lease(
    database: Database, clock: StageClock
) -> None:
    standing_by = Replica(database, clock)
    async with (
        Leases(database, clock, life=2 * LIFE).named("leader"),
        Loops(clock) as loops,
    ):
        loops.start("leading", lambda _: standing_by.lead(), patience=None)
        await until(lambda: standing_by.leader._stands_by_since is not None)
        clock.move(LIFE)
        assert not standing_by.leader.is_led
        clock.move(timedelta(seconds=1))
        assert standing_by.leader.is_led
