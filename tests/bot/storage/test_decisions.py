"""The journal: only ever added to, read by pool and by person, and deleted from by retention alone."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Executable, delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import NothingAboutError, meant
from bot.recommendations import Key, Move, Plan
from bot.rendering.views import Seen, SeenMove
from bot.retention import Retention
from bot.storage import cards, decisions, offers, recommendations
from bot.storage.database import Database, open_database
from bot.storage.decisions import About, Decision, Outcome
from bot.storage.tables import decisions as table
from tests.bot.storage.older import database_as_of
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation

NOW = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)
KEEP = timedelta(days=90)
SEEN = Seen(
    moves=(SeenMove(wave=1, vm="erp-db-01", source="vmstore01", destination="vmstore03"),), losing=("erp-db-01",)
)
DECISION = Decision(
    recommendation=None,
    tgc_key="default",
    pool_uuid="uuid-1",
    pool_name="Production",
    recommendation_id="4711",
    action="accept",
    offer_id="offer",
    seen=SEEN,
    team_id="T0HOME",
    user_id="U0ALICE00",
    user_name="alice",
    channel_id="C0STORAGE",
    decided_at=NOW,
    outcome=Outcome.DONE,
    told="Production: Accepted.",
    tgc_answer="The TGC took it.",
    ticket="CHG0042",
    note="after the release",
    feedback="NOT_HELPFUL",
)


async def keep(database: Database, **changes: object) -> None:
    async with database.write() as connection:
        await decisions.add(connection, msgspec.structs.replace(DECISION, **changes))


async def kept(database: Database, typed: str = "") -> list[str]:
    """What people were told in the entries meant, newest first."""
    async with database.read() as connection:
        return [str(entry.told) for entry in await decisions.entries(connection, await meant(connection, typed))]


async def test_an_entry_comes_back_whole(database: Database) -> None:
    await keep(database)
    async with database.read() as connection:
        (entry,) = await decisions.entries(connection, About())
    assert msgspec.structs.asdict(entry) == {
        "id": 1,
        "decided_at": NOW,
        "action": "accept",
        "outcome": "done",
        "user_id": "U0ALICE00",
        "user_name": "alice",
        "team_id": "T0HOME",
        "channel_id": "C0STORAGE",
        "tgc": "default",
        "pool_uuid": "uuid-1",
        "pool_name": "Production",
        "recommendation_id": "4711",
        "moves": SEEN.moves,
        "loses_replication": SEEN.losing,
        "typed": None,
        "told": "Production: Accepted.",
        "tgc_answer": "The TGC took it.",
        "offer_id": "offer",
        "ticket": "CHG0042",
        "note": "after the release",
        "feedback": "NOT_HELPFUL",
    }


@pytest.mark.parametrize(
    "statement",
    [
        update(table).values(outcome="not_allowed"),
        update(table).values(decided_at=NOW - timedelta(days=400)),
        delete(table),
        text("DELETE FROM decisions WHERE id = 1"),
    ],
)
async def test_the_database_refuses_to_change_or_delete_an_entry(database: Database, statement: Executable) -> None:
    await keep(database)
    with pytest.raises(DBAPIError, match="the journal is append-only"):
        async with database.write() as connection:
            await connection.execute(statement)
    assert await kept(database) == ["Production: Accepted."]


async def test_a_refused_command_that_is_delivered_again_is_kept_once(database: Database) -> None:
    refused = msgspec.structs.replace(DECISION, command_id="typed", outcome=Outcome.NOT_ALLOWED)
    for _ in range(2):
        async with database.write() as connection:
            await decisions.add_refusal(connection, refused)
    await keep(database, command_id="typed", told="allowed by then")
    assert await kept(database) == ["allowed by then", "Production: Accepted."]


@pytest.mark.extended
class TestWhatIsMeant:
    @pytest.fixture(autouse=True)
    async def _entries(self, database: Database) -> None:
        await keep(database, told="1")
        await keep(database, told="2", pool_name="Produktion", user_id="U0BOB0000", user_name="bob")
        await keep(database, told="3", pool_uuid="uuid-2", pool_name="Prod", user_name="alice.adams")
        await keep(database, told="4", pool_uuid=None, pool_name=None, user_id="U0EVE0000", user_name="alice")

    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ("", "4321"),
            ("PRODUCTION", "21"),  # a pool that was renamed, by either name
            ("produktion", "21"),
            ("prod", "3"),
            ("pro", "321"),
            ("@bob", "2"),
            ("@ALICE.Adams", "31"),  # a person who was renamed
            ("@alice", "431"),  # two people had this name
            ("@u0bob0000", "2"),
            ("<@U0BOB0000>", "2"),
            ("<@U0BOB0000|bob>", "2"),
            ("<@U0NEVER00|never>", ""),
        ],
    )
    async def test_a_pool_or_a_person_by_any_name_of_the_journal(
        self, database: Database, typed: str, told: str
    ) -> None:
        assert "".join(await kept(database, typed)) == told

    @pytest.mark.parametrize("typed", ["test", "bob", "<@u0bob>", "'; DROP TABLE decisions; --"])
    async def test_a_name_that_no_pool_had_is_told(self, database: Database, typed: str) -> None:
        with pytest.raises(
            NothingAboutError, match=r"called “.*”; there are entries about Prod, Production, Produktion"
        ):
            await kept(database, typed)

    @pytest.mark.parametrize("typed", ["@nobody", "@", "@ali"])
    async def test_a_name_that_nobody_had_is_told(self, database: Database, typed: str) -> None:
        with pytest.raises(NothingAboutError, match=r"^No entry is about anybody called “@.*”: give a name or"):
            await kept(database, typed)


class TestRetention:
    @pytest.fixture
    def retention(self, database: Database) -> Retention:
        return Retention(database, StageClock(NOW), KEEP)

    async def test_what_is_older_goes_and_the_rest_stays_under_guard(
        self, database: Database, retention: Retention
    ) -> None:
        await keep(database, told="old", decided_at=NOW - KEEP - timedelta(seconds=1))
        await keep(database, told="young", decided_at=NOW - KEEP)
        await retention.run()
        await retention.run()
        assert await kept(database) == ["young"]
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.write() as connection:
                await connection.execute(delete(table))

    async def test_what_an_open_card_goes_by_stays_until_the_card_is_final(
        self, database: Database, retention: Retention
    ) -> None:
        async with database.write() as connection:
            row_id = await _recommendation(connection)
            await cards.make(connection, row_id, "C0STORAGE")
        await keep(database, recommendation=row_id, decided_at=NOW - KEEP - timedelta(days=1))
        await retention.run()
        assert len(await kept(database)) == 1
        async with database.write() as connection:
            await connection.execute(text("UPDATE cards SET final = TRUE"))
        await retention.run()
        assert await kept(database) == []


async def _recommendation(connection: AsyncConnection) -> int:
    key = Key("default", "uuid-1", "4711")
    await recommendations.store(
        connection, key, Recommendation(id="4711"), pool_name="Production", vm_names={}, read_at=NOW, now=NOW
    )
    stored = await recommendations.get(connection, key)
    assert stored is not None
    return stored.row_id


async def test_an_offer_tells_the_names_that_were_shown_last(database: Database) -> None:
    plan = Plan(((Move("vm-1", "store-1", "store-3"),),), ("vm-1",), whole=True)
    renamed = msgspec.structs.replace(SEEN, losing=("erp-db-renamed",))
    async with database.write() as connection:
        row_id = await _recommendation(connection)
        offer_id = await offers.offer_for(connection, row_id, plan, SEEN, NOW)
        assert await offers.offer_for(connection, row_id, plan, renamed, NOW) == offer_id
        offer = await offers.get(connection, offer_id)
    assert offer is not None
    assert offer.shown == renamed


async def test_a_database_of_the_first_release_gets_names_and_guard(url: str) -> None:
    """Its offers tell their moves by the TGC's ids, for nothing else was kept."""
    plan = Plan(((Move("vm-1", "store-1", "store-3"),),), ("vm-1",), whole=True)
    async with database_as_of(url, "0001") as older, older.write() as connection:
        await connection.execute(
            text(
                "INSERT INTO recommendations (id, tgc_key, pool_uuid, recommendation_id, pool_name, snapshot, vm_names,"
                " read_at) VALUES (1, 'default', 'uuid-1', '4711', 'Production', :empty, :empty, '2026-03-10 06:15:00')"
            ),
            {"empty": b"{}"},
        )
        await connection.execute(
            text("INSERT INTO offers VALUES ('offer', 1, 'print', :plan, '2026-03-10 06:15:00')"),
            {"plan": msgspec.json.encode(plan)},
        )
        await connection.execute(
            text(
                "INSERT INTO decisions (recommendation, tgc_key, action, team_id, user_id, user_name, decided_at,"
                " outcome) VALUES (:recommendation, 'default', :action, 'T', 'U', 'alice', '2026-03-10 06:15:00',"
                " 'done')"
            ),
            [{"recommendation": 1, "action": "accept"}, {"recommendation": None, "action": "pause"}],
        )
    async with open_database(url) as database:
        async with database.read() as connection:
            pause, accept = await decisions.entries(connection, About())
            offer = await offers.get(connection, "offer")
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.write() as connection:
                await connection.execute(delete(table))
    assert (accept.pool_name, accept.recommendation_id, accept.moves) == ("Production", "4711", None)
    assert (pause.pool_name, pause.recommendation_id) == (None, None)
    assert offer is not None
    assert offer.shown == Seen(
        moves=(SeenMove(wave=1, vm="vm-1", source="store-1", destination="store-3"),), losing=("vm-1",)
    )
