"""What only a server does: it refuses, is restarted, stalls; and a process that hangs may not hold up the others."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.storage.database import Database, open_database
from bot.storage.engines import Patience
from bot.storage.errors import DatabaseError
from bot.storage.leases import ensure_row
from bot.storage.tables import leases
from tests.postgresql import Ending, Network, Server

pytestmark = pytest.mark.extended

SHORT = Patience(connect_s=0.5, statement_s=0.5, idle_s=0.3)
SOON_S = 4.0
"""A connection that does not end by itself is waited for 2 s more (SQLAlchemy)."""


@pytest.fixture
async def network(postgresql: Server) -> AsyncIterator[Network]:
    async with Network(postgresql).open() as opened:
        yield opened


def refusals(server: Server, database: str, network: Network) -> dict[str, str]:
    """What DATABASE_URL may say wrongly, and what is told of it."""
    server.execute("DROP ROLE IF EXISTS stranger")
    server.execute("CREATE ROLE stranger LOGIN")
    server.execute(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")  # the owner may still
    password = ":secret@"
    return {
        network.url("none").replace("@", password): 'database "none" does not exist',
        server.url("postgres", "nobody", "secret"): 'role "nobody" does not exist',
        server.url(database, "stranger", "secret"): f'permission denied for database "{database}"',
        network.url("postgres").replace("@", password).replace(str(network.port), "1"): "Connect call failed",
        "postgresql+asyncpg://bot:secret@nowhere.invalid/bot": "Name or service not known",
    }


async def test_why_it_cannot_be_used_is_told_in_a_sentence_without_the_password(
    postgresql: Server, empty: str, network: Network
) -> None:
    for url, why in refusals(postgresql, empty, network).items():
        with pytest.raises(DatabaseError) as caught:
            async with open_database(url):
                pass
        said = str(caught.value)
        assert why in said
        assert said.endswith("check DATABASE_URL and its rights.")
        assert "\n" not in said
        assert "secret" not in said


async def test_a_wrong_password_is_told_without_telling_it(own_postgresql: Server) -> None:
    rules = own_postgresql.folder / "pg_hba.conf"
    rules.write_text(f"local all careful scram-sha-256\n{rules.read_text()}")
    own_postgresql.execute("CREATE ROLE careful LOGIN PASSWORD 'right'")
    own_postgresql.execute("SELECT pg_reload_conf()")
    with pytest.raises(DatabaseError, match=r'password authentication failed for user "careful"') as caught:
        async with open_database(own_postgresql.url("postgres", "careful", "wrong-secret")):
            pass
    assert "wrong-secret" not in str(caught.value)


async def restarted_in_a_transaction(server: Server, database: Database, how: Ending) -> None:
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
        await asyncio.to_thread(server.restart, how)
        await connection.execute(text("SELECT 1"))


async def test_work_goes_on_after_the_server_was_restarted(own_postgresql: Server) -> None:
    async with open_database(own_postgresql.url("postgres")) as database:
        for how in get_args(Ending):
            with pytest.raises(SQLAlchemyError):
                await restarted_in_a_transaction(own_postgresql, database, how)
            await database.ping()


async def test_a_server_that_is_away_is_an_error_until_it_is_back(own_postgresql: Server) -> None:
    async with open_database(own_postgresql.url("postgres")) as database:
        own_postgresql.stop()
        for _ in range(2):
            with pytest.raises((SQLAlchemyError, OSError)):
                await database.ping()
        own_postgresql.start()
        await database.ping()


async def stalled(database: Database, network: Network, *, in_commit: bool) -> None:
    async with database.write() as connection:
        await ensure_row(connection, leases, leases.c.name == "stalled", name="stalled")
        network.stall()
        if not in_commit:
            await connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("in_commit", [True, False])
async def test_a_network_that_stalls_holds_up_nobody_for_long_and_work_goes_on_after_it(
    postgresql: Server, empty: str, network: Network, *, in_commit: bool
) -> None:
    async with (
        open_database(network.url(empty), SHORT) as behind,
        open_database(postgresql.url(empty)) as beside,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOON_S):
                await stalled(behind, network, in_commit=in_commit)
        async with asyncio.timeout(SOON_S):
            with pytest.raises(TimeoutError):
                await behind.ping()
            await beside.ping()  # the server has let go of what the other held
        network.go_on()
        await behind.ping()


async def test_connections_that_lay_idle_while_the_network_stalled_are_replaced(network: Network, empty: str) -> None:
    async with open_database(network.url(empty), SHORT) as database:
        async with database.read() as one, database.read() as two:
            await one.execute(text("SELECT 1"))
            await two.execute(text("SELECT 1"))
        network.stall()
        pings = await asyncio.gather(database.ping(), database.ping(), return_exceptions=True)
        assert [type(ping) for ping in pings] == [TimeoutError, TimeoutError]
        network.go_on()
        await asyncio.gather(database.ping(), database.ping())


async def hung_in_a_transaction(hanging: Database, working: Database) -> None:
    async with hanging.write() as connection:
        await ensure_row(connection, leases, leases.c.name == "hung", name="hung")
        await working.ping()  # waits for the writer before it, and no longer than that may hang
        await connection.execute(text("SELECT 1"))


async def test_a_process_that_hangs_in_a_transaction_is_thrown_out_of_it(postgresql: Server, empty: str) -> None:
    async with (
        open_database(postgresql.url(empty), SHORT) as hanging,
        open_database(postgresql.url(empty)) as working,
    ):
        with pytest.raises(DBAPIError):
            await hung_in_a_transaction(hanging, working)
        async with working.read() as connection:
            assert (await connection.execute(select(leases.c.name))).scalars().all() == ["ping"]
        await hanging.ping()


async def test_a_statement_whose_caller_is_cancelled_is_cut_off_and_its_locks_are_free(
    postgresql: Server, empty: str
) -> None:
    async with open_database(postgresql.url(empty)) as database:

        async def sleep() -> None:
            async with database.write() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))

        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0.2)  # it has the lock of the writers now
        sleeping.cancel()
        async with asyncio.timeout(SOON_S):
            with pytest.raises(asyncio.CancelledError):
                await sleeping
            await database.ping()


async def test_nothing_is_written_where_only_reading_is_meant(postgresql: Server, empty: str) -> None:
    async with (
        open_database(postgresql.url(empty)) as database,
        database.read() as connection,
    ):
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await connection.execute(text("DELETE FROM leases"))


async def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(postgresql: Server, empty: str) -> None:
    async with open_database(postgresql.url(empty)) as database:
        async with database.read() as reader:
            assert (await reader.execute(leases.select())).all() == []
            async with database.write() as writer:
                await ensure_row(writer, leases, leases.c.name == "new", name="new")
            assert (await reader.execute(leases.select())).all() == []
        async with database.read() as reader:
            assert len((await reader.execute(leases.select())).all()) == 1
