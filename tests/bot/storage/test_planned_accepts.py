"""A plan is kept once, of one offer one stands, and each ends once, whoever ends it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.recommendations import Key, plan_of
from bot.rendering.views import Seen
from bot.storage import offers, planned_accepts, recommendations
from bot.storage.database import Database
from bot.storage.planned_accepts import PlannedAccept
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation

KEY = Key("default", "pool", "recommendation")
HOUR = timedelta(hours=1)


@pytest.fixture
async def plan(database: Database, clock: StageClock) -> PlannedAccept:
    """Not kept yet; its offer is."""
    async with database.write() as connection:
        nothing = Recommendation(id=KEY.recommendation_id)
        now = clock.now()
        await recommendations.store(connection, KEY, nothing, pool_name="P", vm_names={}, read_at=now, now=now)
        stored = await recommendations.get(connection, KEY)
        assert stored is not None
        seen = Seen(moves=(), losing=())
        offer_id = await offers.offer_for(connection, stored.row_id, plan_of(nothing), seen, clock.now())
    return PlannedAccept(
        press_id="press",
        recommendation=stored.row_id,
        offer_id=offer_id,
        team_id="T1",
        user_id="U1",
        user_name="alice",
        due_at=clock.now() + HOUR,
        planned_at=clock.now(),
    )


async def add(database: Database, plan: PlannedAccept) -> bool:
    async with database.write() as connection:
        return await planned_accepts.add(connection, plan)


async def end(database: Database, plan: PlannedAccept, clock: StageClock) -> bool:
    async with database.write() as connection:
        return await planned_accepts.end(connection, plan, clock.now())


async def test_it_is_kept_once_also_where_it_has_ended(
    database: Database, plan: PlannedAccept, clock: StageClock
) -> None:
    assert await add(database, plan)
    assert not await add(database, plan)
    assert await end(database, plan, clock)
    assert not await add(database, plan)
    async with database.read() as connection:
        assert await planned_accepts.get(connection, plan.press_id) == plan
        assert await planned_accepts.standing(connection, plan.offer_id) is None


async def test_of_one_offer_one_stands(database: Database, plan: PlannedAccept, clock: StageClock) -> None:
    another = msgspec.structs.replace(plan, press_id="another", user_id="U2")
    assert await add(database, plan)
    assert not await add(database, another)
    await end(database, plan, clock)
    assert await add(database, another)
    async with database.read() as connection:
        assert await planned_accepts.standing(connection, plan.offer_id) == another
        assert await planned_accepts.all_standing(connection, plan.recommendation) == [another]


async def test_it_is_due_from_its_time_on_until_it_ends(
    database: Database, plan: PlannedAccept, clock: StageClock
) -> None:
    await add(database, plan)

    async def due() -> list[PlannedAccept]:
        async with database.read() as connection:
            return await planned_accepts.due(connection, clock.now())

    clock.move(HOUR - timedelta(seconds=1))
    assert await due() == []
    clock.move(timedelta(seconds=1))
    assert await due() == [plan]
    await end(database, plan, clock)
    assert await due() == []


async def test_of_two_processes_that_race_one_plans_and_one_ends(
    database: Database, other: Database, plan: PlannedAccept, clock: StageClock
) -> None:
    another = msgspec.structs.replace(plan, press_id="another")
    assert sorted(await asyncio.gather(add(database, plan), add(other, another))) == [False, True]
    async with database.read() as connection:
        (kept,) = await planned_accepts.all_standing(connection, plan.recommendation)
    assert sorted(await asyncio.gather(end(database, kept, clock), end(other, kept, clock))) == [False, True]


async def test_that_a_pause_holds_it_back_is_kept_once_while_it_stands(
    database: Database, plan: PlannedAccept, clock: StageClock
) -> None:
    await add(database, plan)

    async def changed(change: Callable[[AsyncConnection], Awaitable[bool]]) -> bool:
        async with database.write() as connection:
            return await change(connection)

    assert await changed(lambda connection: planned_accepts.hold(connection, plan, clock.now()))
    assert not await changed(lambda connection: planned_accepts.hold(connection, plan, clock.now()))
    async with database.read() as connection:
        held = await planned_accepts.standing(connection, plan.offer_id)
    assert held is not None
    assert held.held_at == clock.now()
    assert await end(database, plan, clock)
