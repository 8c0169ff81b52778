"""Which recommendations a card still shows as unfinished, however many there are."""

from collections.abc import Sequence

from bot.recommendations import Key
from bot.storage import cards, recommendations
from bot.storage.database import Database
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation


async def keep(database: Database, clock: StageClock, keys: Sequence[Key]) -> list[int]:
    """Their rows; each has a card."""
    rows = []
    async with database.write() as connection:
        for key in keys:
            reading, now = Recommendation(id=key.recommendation_id), clock.now()
            await recommendations.store(
                connection, key, reading, pool_name=key.pool_uuid, vm_names={}, read_at=now, now=now
            )
            stored = await recommendations.get(connection, key)
            assert stored is not None
            await cards.make(connection, stored.row_id, "C1")
            rows.append(stored.row_id)
    return rows


def key_of(number: int, *, tgc: str = "default", pool: str | None = None) -> Key:
    return Key(tgc, pool or f"pool {number}", f"recommendation {number}")


async def test_all_of_one_tgc_in_their_order(database: Database, clock: StageClock) -> None:
    rows = await keep(database, clock, [key_of(number) for number in range(150)])
    await keep(database, clock, [key_of(0, tgc="other")])
    async with database.write() as connection:
        await cards.adopt(connection, rows[7], "C1", "1.0")
        found = await recommendations.with_open_cards(connection, "default")
        assert [stored.row_id for stored in found] == rows
        assert await recommendations.rows_with_open_cards(connection, "default") == {
            row: f"pool {number}" for number, row in enumerate(rows)
        }


async def test_of_some_pools_without_what_they_have_now(database: Database, clock: StageClock) -> None:
    old, new, other = key_of(1, pool="P"), key_of(2, pool="P"), key_of(3, pool="Q")
    rows = await keep(database, clock, [old, new, other])
    async with database.read() as connection:
        current = [("P", new.recommendation_id), ("P", None), ("Q", other.recommendation_id)]
        found = await recommendations.with_open_cards_but(connection, "default", current)
        assert {now: [stored.row_id for stored in those] for now, those in found.items()} == {
            ("P", new.recommendation_id): rows[:1],
            ("P", None): rows[:2],
            ("Q", other.recommendation_id): [],
        }
        beside = await recommendations.with_open_cards_beside(connection, [rows[1], rows[2]])
        assert {row: [stored.row_id for stored in those] for row, those in beside.items()} == {rows[1]: [rows[0]]}
