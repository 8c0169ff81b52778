"""The TGC is read once for all who ask at the same time, and shortly after."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import stamina

from bot.readings import SHARED_FOR, PoolReading, Readings, Tgc, read_again, view_of_reading
from bot.rendering.views import CardView
from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.stage import PASSWORD, StageClock
from tgc.client import TLSPolicy, connect
from tgc.errors import TGCError, TGCResponseError
from tgc.models import Pool, RecommendationState

CURRENT = "/recommendation/current$"
LIST = "/vmstorePool$"


class Bench:
    """Readings of a simulated TGC with two pools."""

    def __init__(self, readings: Readings, tgc: SimulatedTgc, clock: StageClock) -> None:
        self.readings = readings
        self.tgc = tgc
        self.clock = clock

    def reads(self, end: str) -> int:
        return sum(1 for call in self.tgc.calls if call.path.endswith(end))

    async def all(self) -> list[PoolReading]:
        """Every pool's current recommendation, read at once."""
        return await asyncio.gather(*(self.readings.current(pool) for pool in await self.readings.pools()))

    async def pool(self) -> Pool:
        return (await self.readings.pools())[0]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    clock = StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))
    tgc = SimulatedTgc(World.seeded(pools=2, now=clock.now))
    with stamina.set_testing(True):
        async with tgc.serve() as url, connect(url, "bot", PASSWORD, tls=TLSPolicy(), now=clock.now) as client:
            yield Bench(Readings(Tgc(key="default", name="tgc", url=url, client=client), clock), tgc, clock)
            tgc.clear_faults()


async def test_a_hundred_who_ask_at_once_cause_one_reading_of_each_pool(bench: Bench) -> None:
    told = await asyncio.gather(*(bench.all() for _ in range(100)))
    assert all(readings == told[0] for readings in told)
    assert bench.reads("/vmstorePool") == 1
    assert bench.reads("/recommendation/current") == 2


async def test_a_pool_whose_name_begins_with_that_of_its_tgc_is_not_taken_for_another(bench: Bench) -> None:
    bench.tgc.world.pools[0].name = "default/Lab"
    bench.tgc.world.pools[1].name = "Lab"
    names = [bench.readings.of_tgc(pool).name for pool in await bench.readings.pools()]
    assert [(name.shown, name.own) for name in names] == [("default/default/Lab", "default/Lab"), ("Lab", "Lab")]


async def test_a_view_serves_all_who_ask_before_it_is_begun_and_nobody_who_asks_later(bench: Bench) -> None:
    reading = await bench.readings.current(await bench.pool())
    begun: list[CardView] = []
    go_on = asyncio.Event()

    async def view_of(reading: PoolReading) -> CardView:
        view = view_of_reading(bench.readings.tgc, reading, bench.clock.now())
        begun.append(view)
        await go_on.wait()
        return view

    async def asked() -> list[asyncio.Task[CardView]]:
        asking = [asyncio.create_task(bench.readings.view(reading, view_of)) for _ in range(100)]
        await asyncio.sleep(0)  # all have asked
        return asking

    first = await asked()
    while not begun:  # noqa: ASYNC110 - the loop's own work
        await asyncio.sleep(0)
    later = await asked()
    go_on.set()
    assert all(view is begun[0] for view in await asyncio.gather(*first))
    assert all(view is begun[1] for view in await asyncio.gather(*later))
    assert len(begun) == 2


async def test_a_reading_serves_others_for_five_seconds_after_its_end(bench: Bench) -> None:
    pool = await bench.pool()
    first = await bench.readings.current(pool)
    bench.clock.move(SHARED_FOR - timedelta(milliseconds=1))
    assert await bench.readings.current(pool) is first
    bench.clock.move(timedelta(milliseconds=1))
    assert await bench.readings.current(pool) is not first
    assert bench.reads("/recommendation/current") == 2


async def test_a_long_reading_is_fresh_for_five_seconds_after_its_end_not_its_beginning(bench: Bench) -> None:
    pool = await bench.pool()
    slow = bench.tgc.fault(Fault("hang_before", CURRENT))
    under_way = asyncio.create_task(bench.readings.current(pool))
    await slow.reached.wait()
    bench.clock.move(timedelta(seconds=60))
    slow.release()
    read = await under_way
    assert await bench.readings.current(pool) is read
    assert bench.clock.now() - read.read_at == timedelta(seconds=60)


async def test_what_is_asked_after_a_drop_is_read_anew_while_the_older_reading_goes_on(bench: Bench) -> None:
    pool = await bench.pool()
    old = bench.tgc.fault(Fault("hang_after", CURRENT))
    under_way = asyncio.create_task(bench.readings.current(pool))
    await old.reached.wait()
    bench.tgc.world.accept_in_gui(bench.tgc.world.pool(pool.uuid))
    bench.readings.drop(pool.uuid)
    anew = await bench.readings.current(pool)
    assert anew.recommendation is not None
    assert anew.recommendation.state is RecommendationState.ACCEPTED
    old.release()
    before = await under_way
    assert before.recommendation is not None
    assert before.recommendation.state is RecommendationState.AVAILABLE
    assert await bench.readings.current(pool) is anew


async def test_a_failed_listing_is_told_to_all_who_wait_and_asked_once(bench: Bench) -> None:
    bench.tgc.fault(Fault("answer", LIST, status=500))
    told = await asyncio.gather(*(bench.all() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, TGCError) for error in told)
    assert bench.reads("/vmstorePool") == 1
    bench.clock.move(SHARED_FOR)
    assert len(await bench.all()) == 2


async def test_one_pool_that_cannot_be_read_says_why_and_hides_no_other(bench: Bench) -> None:
    bench.tgc.fault(Fault("garbage", CURRENT))
    told = await bench.all()
    assert [type(reading.error) for reading in told if reading.error] == [TGCResponseError]
    assert [reading.recommendation is None for reading in told].count(True) == 1


async def test_whoever_stops_waiting_leaves_the_reading_to_the_others(bench: Bench) -> None:
    pool = await bench.pool()
    slow = bench.tgc.fault(Fault("hang_before", CURRENT))
    impatient = asyncio.create_task(bench.readings.current(pool))
    patient = asyncio.create_task(bench.readings.current(pool))
    await slow.reached.wait()
    impatient.cancel()
    slow.release()
    assert (await patient).recommendation is not None
    assert impatient.cancelled()
    assert bench.reads("/recommendation/current") == 1


async def test_a_close_ends_what_is_still_being_read_also_what_was_dropped(bench: Bench) -> None:
    pool = await bench.pool()
    around = asyncio.all_tasks()
    for fault in (bench.tgc.fault(Fault("hang_before", CURRENT)), bench.tgc.fault(Fault("hang_before", CURRENT))):
        waiting = asyncio.create_task(bench.readings.current(pool))
        await fault.reached.wait()
        waiting.cancel()
        bench.readings.drop(pool.uuid)
    under_way = [task for task in asyncio.all_tasks() - around if "_read" in repr(task.get_coro())]
    assert len(under_way) == 2
    await bench.readings.close()
    assert all(task.cancelled() for task in under_way)


async def test_a_recommendation_is_read_by_its_id_and_another_in_its_place_is_not_taken_for_it(bench: Bench) -> None:
    pool = await bench.pool()
    current = (await bench.readings.current(pool)).recommendation
    assert current is not None
    assert current.id is not None
    tgc = bench.readings.tgc
    assert (await read_again(tgc, bench.clock, pool, current.id)).recommendation == current

    by_id = f"/recommendation/{current.id}$"
    bench.tgc.fault(Fault("answer", by_id, status=200, body={"state": "EXPIRED"}))
    nameless = (await read_again(tgc, bench.clock, pool, current.id)).recommendation
    assert nameless is not None
    assert (nameless.id, nameless.state) == (current.id, RecommendationState.EXPIRED)

    bench.tgc.fault(Fault("answer", by_id, status=200, body={"id": "another", "state": "AVAILABLE"}))
    another = (await read_again(tgc, bench.clock, pool, current.id)).recommendation
    assert another is not None
    assert (another.id, another.state) == (current.id, RecommendationState.INVALIDATED)


async def test_a_time_of_day_that_is_set_back_makes_no_reading_last_longer(bench: Bench) -> None:
    pool = await bench.pool()
    first = await bench.readings.current(pool)
    bench.clock.set_ahead(hours=-2)
    bench.clock.move(SHARED_FOR)
    assert await bench.readings.current(pool) is not first
