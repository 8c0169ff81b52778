"""A press is kept once, worked on by one, and never again once its person was told."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from bot.rendering.views import Action
from bot.storage import presses
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases, is_held
from bot.storage.presses import Press
from tests.bot.storage.conftest import PassTime
from tests.scenarios.stage import StageClock

LIFE = timedelta(seconds=20)
NOW = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)
PRESS = Press(
    id="press",
    action=Action.ACCEPT,
    offer_id="offer",
    team_id="T1",
    user_id="U1",
    user_name="alice",
    channel_id=None,
    pressed_at=NOW,
)


@pytest.fixture
def leases(database: Database, clock: StageClock) -> Leases:
    return Leases(database, clock, life=LIFE)


async def add(database: Database) -> bool:
    async with database.write() as connection:
        return await presses.add(connection, PRESS)


async def take(database: Database, leases: Leases) -> Lease | None:
    async with database.write() as connection:
        return await leases.take(connection, presses.LEASABLE, PRESS.id)


async def untold(database: Database, clock: StageClock) -> list[str]:
    async with database.read() as connection:
        return [press_id for press_id, _ in await presses.untold(connection, clock.now(), LIFE)]


async def test_a_redelivery_is_not_kept_again(database: Database) -> None:
    assert await add(database)
    assert not await add(database)
    async with database.read() as connection:
        assert await presses.get(connection, PRESS.id) == PRESS


async def test_a_press_that_nobody_works_on_waits_for_an_answer(
    database: Database, leases: Leases, clock: StageClock, pass_time: PassTime
) -> None:
    await add(database)
    assert await untold(database, clock) == [PRESS.id]
    assert await take(database, leases) is not None
    assert await untold(database, clock) == []
    assert await take(database, leases) is None
    await pass_time(LIFE)
    assert await untold(database, clock) == [PRESS.id]


async def test_nobody_works_again_on_a_press_whose_person_was_told(
    database: Database, leases: Leases, clock: StageClock, pass_time: PassTime
) -> None:
    """Also whoever listed it as untold a moment before."""
    await add(database)
    lease = await take(database, leases)
    assert lease is not None
    async with database.write() as connection:
        await presses.answer(connection, lease, "Accepted.")
        await presses.told(connection, lease, clock.now())
    assert await untold(database, clock) == []
    assert await take(database, leases) is None
    await pass_time(LIFE)
    assert await take(database, leases) is None


async def test_an_answer_of_somebody_too_late_is_not_kept(
    database: Database, leases: Leases, clock: StageClock, pass_time: PassTime
) -> None:
    await add(database)
    late = await take(database, leases)
    await pass_time(LIFE)
    held = await take(database, leases)
    assert late is not None
    assert held is not None
    async with database.write() as connection:
        assert not await is_held(connection, late)
        assert await is_held(connection, held)
        await presses.answer(connection, late, "Nothing was done.")
        await presses.told(connection, late, clock.now())
        assert await presses.get(connection, PRESS.id) == PRESS
        await presses.answer(connection, held, "Accepted.")
        assert await presses.get(connection, PRESS.id) == msgspec.structs.replace(PRESS, answer="Accepted.")
    await pass_time(LIFE)
    assert await untold(database, clock) == [PRESS.id]
