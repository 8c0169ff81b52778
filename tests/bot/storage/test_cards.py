"""What the cards' rows say while several processes, some of them too late, paint the same card."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.recommendations import Key
from bot.storage import cards, recommendations
from bot.storage.cards import Card
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases, is_held
from tests.bot.storage.conftest import PassTime
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation

LIFE = timedelta(seconds=20)
CHANNEL = "C0STORAGE"
KEY = Key("default", "pool", "recommendation")


@pytest.fixture
def leases(database: Database, clock: StageClock) -> Leases:
    return Leases(database, clock, life=LIFE)


@pytest.fixture
async def card(database: Database, clock: StageClock) -> Card:
    """A card that shows `old` in the message 1.0, clean and open."""
    async with database.write() as connection:
        nothing = Recommendation(id=KEY.recommendation_id)
        now = clock.now()
        await recommendations.store(connection, KEY, nothing, pool_name="P", vm_names={}, read_at=now, now=now)
        stored = await recommendations.get(connection, KEY)
        assert stored is not None
        await cards.make(connection, stored.row_id, CHANNEL)
        made = await cards.get(connection, stored.row_id, CHANNEL)
        assert made is not None
        lease = await take(connection, Leases(database, clock, life=LIFE), made)
        await cards.begin_painting(connection, lease)
        await cards.store_painting(connection, lease, ts="1.0", painted="old", final=False)
        assert await cards.release_if_clean(connection, lease)
        return await cards.by_row_id(connection, made.row_id)


async def take(connection: AsyncConnection, leases: Leases, card: Card) -> Lease:
    lease = await leases.take(connection, cards.LEASABLE, card.row_id)
    assert lease is not None
    return lease


async def to_edit(database: Database, clock: StageClock) -> list[Card]:
    async with database.read() as connection:
        return await cards.to_edit(connection, clock.now(), LIFE)


async def test_a_clean_card_is_left_alone(database: Database, card: Card, clock: StageClock) -> None:
    assert card.painted == "old"
    assert await to_edit(database, clock) == []


async def test_a_card_whose_painter_died_is_painted_again_although_it_was_clean(
    database: Database, leases: Leases, card: Card, clock: StageClock, pass_time: PassTime
) -> None:
    async with database.write() as connection:
        await cards.mark_dirty(connection, card.row_id)
        lease = await take(connection, leases, card)
        await cards.begin_painting(connection, lease)
        assert await cards.begin_editing(connection, lease)
    assert await to_edit(database, clock) == []
    await pass_time(LIFE)
    [found] = await to_edit(database, clock)
    assert not found.dirty
    assert found.painted is None


async def test_what_becomes_dirty_while_it_is_painted_is_painted_once_more(
    database: Database, leases: Leases, card: Card
) -> None:
    async with database.write() as connection:
        lease = await take(connection, leases, card)
        await cards.begin_painting(connection, lease)
        await cards.mark_dirty(connection, card.row_id)
        assert await cards.store_painting(connection, lease, ts="1.0", painted="new", final=False)
        assert not await cards.release_if_clean(connection, lease)
        assert await is_held(connection, lease)


async def test_a_painter_that_was_too_slow_may_neither_edit_nor_store_nor_release(
    database: Database, leases: Leases, card: Card, clock: StageClock, pass_time: PassTime
) -> None:
    async with database.write() as connection:
        slow = await take(connection, leases, card)
    await pass_time(LIFE)
    async with database.write() as connection:
        await take(connection, leases, card)
        assert not await cards.begin_editing(connection, slow)
        assert not await cards.store_painting(connection, slow, ts="1.0", painted="slow", final=True)
        assert not await cards.release_if_clean(connection, slow)
        await cards.postpone(connection, slow, clock.now())
        await cards.forget(connection, slow)
        await cards.lose_message(connection, slow)
        assert await cards.by_row_id(connection, card.row_id) == card


async def test_two_that_painted_over_each_other_leave_a_card_that_is_painted_again(
    database: Database, leases: Leases, card: Card, clock: StageClock, pass_time: PassTime
) -> None:
    """The slow one edited after the quick one did, and says so before the quick one stores: neither may be believed."""
    async with database.write() as connection:
        slow = await take(connection, leases, card)
        assert await cards.begin_editing(connection, slow)
    await pass_time(LIFE)
    async with database.write() as connection:
        quick = await take(connection, leases, card)
        await cards.begin_painting(connection, quick)
        assert await cards.begin_editing(connection, quick)
        assert not await cards.store_painting(connection, slow, ts="1.0", painted="slow", final=False)
        await cards.doubt(connection, card.row_id)
        assert not await cards.store_painting(connection, quick, ts="1.0", painted="quick", final=True)
    await pass_time(LIFE)
    [found] = await to_edit(database, clock)
    assert (found.painted, found.dirty, found.final) == (None, True, False)


async def test_a_doubted_card_is_open_again_even_where_it_had_come_to_its_end(
    database: Database, leases: Leases, card: Card, clock: StageClock, pass_time: PassTime
) -> None:
    async with database.write() as connection:
        slow = await take(connection, leases, card)
        assert await cards.begin_editing(connection, slow)
    await pass_time(LIFE)
    async with database.write() as connection:
        quick = await take(connection, leases, card)
        assert await cards.store_painting(connection, quick, ts="1.0", painted="end", final=True)
        assert await cards.release_if_clean(connection, quick)
        await cards.doubt(connection, card.row_id)
    [found] = await to_edit(database, clock)
    assert not found.final


async def test_a_card_that_has_a_message_adopts_no_other(database: Database, card: Card) -> None:
    async with database.write() as connection:
        await cards.adopt(connection, card.recommendation, CHANNEL, "2.0")
        assert await cards.by_row_id(connection, card.row_id) == card


async def test_a_message_that_is_found_brings_a_card_back_that_was_let_go(
    database: Database, leases: Leases, card: Card
) -> None:
    async with database.write() as connection:
        await cards.let_go(connection, await take(connection, leases, card))
        assert (await cards.by_row_id(connection, card.row_id)).can_come_back
        await cards.adopt(connection, card.recommendation, CHANNEL, "2.0")
        found = await cards.by_row_id(connection, card.row_id)
    assert (found.ts, found.painted, found.final) == ("2.0", None, False)
