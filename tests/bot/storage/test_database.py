"""The database is made, migrated once whoever comes first, and shared; what cannot be used is told in a sentence."""

import asyncio
import multiprocessing
import sqlite3
from contextlib import ExitStack, closing
from multiprocessing.context import ForkServerContext
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from bot.storage import revisions
from bot.storage.database import Database, open_database, read_database
from bot.storage.errors import DatabaseError
from bot.storage.leases import ensure_row
from bot.storage.tables import leases, metadata
from tests.postgresql import Server

PROCESSES, FILES, DATABASES = 3, 12, 4


async def change(database: Database, statement: str) -> None:
    async with database.write() as connection:
        await connection.execute(text(statement))


async def test_an_empty_place_gets_all_tables(database: Database) -> None:
    async with database.read() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert tables == {*metadata.tables, "alembic_version"}


async def test_the_migrations_make_what_the_tables_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_the_revisions_are_those_that_alembic_finds() -> None:
    scripts = ScriptDirectory(str(revisions.MIGRATIONS))
    assert scripts.get_current_head() == revisions.NEWEST
    assert {script.revision for script in scripts.walk_revisions()} == revisions.KNOWN


async def test_what_was_kept_is_there_after_opening_again(url: str) -> None:
    async with open_database(url) as database, database.write() as connection:
        await ensure_row(connection, leases, leases.c.name == "kept", name="kept")
    async with open_database(url) as database, database.read() as connection:
        assert (await connection.execute(select(leases.c.name))).scalars().all() == ["kept"]


async def test_a_database_of_a_newer_bot_is_left_alone(url: str) -> None:
    async with open_database(url) as database:
        await change(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=r"comes from a newer tintri-bot: start that one, or restore .* backup\.$"):
        async with open_database(url):
            pass


@pytest.mark.parametrize("where", ["missing/bot.db", "folder", "text.db"])
async def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("This is no database.\n" * 100)
    path = tmp_path / where
    with pytest.raises(DatabaseError) as caught:
        async with open_database(f"sqlite+aiosqlite:///{path}"):
            pass
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("check DATABASE_URL and its rights.")
    assert "\n" not in str(caught.value)


def _open_all(urls: list[str], barrier: Barrier, outcomes: "SimpleQueue[str]") -> None:
    """In a process of its own: open new databases at the same moments as the others."""

    async def open_one(url: str) -> None:
        async with open_database(url) as database:
            await database.ping()

    for url in urls:
        barrier.wait()
        try:
            asyncio.run(open_one(url))
            outcomes.put("opened")
        except DatabaseError as error:
            outcomes.put(str(error))


def test_processes_that_start_at_once_make_a_file_once(tmp_path: Path) -> None:
    open_all_at_once([f"sqlite+aiosqlite:///{tmp_path / f'{number}.db'}" for number in range(FILES)])


def test_processes_that_start_at_once_migrate_a_server_once(postgresql: Server) -> None:
    with ExitStack() as stack:
        names = [stack.enter_context(postgresql.database()) for _ in range(DATABASES)]
        open_all_at_once([postgresql.url(name) for name in names])


def open_all_at_once(urls: list[str]) -> None:
    context: ForkServerContext = multiprocessing.get_context("forkserver")
    barrier, outcomes = context.Barrier(PROCESSES), context.SimpleQueue()
    processes = [context.Process(target=_open_all, args=(urls, barrier, outcomes)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [outcomes.get() for _ in range(PROCESSES * len(urls))] == ["opened"] * (PROCESSES * len(urls))
    outcomes.close()


async def test_a_new_file_that_another_process_is_at_is_waited_for(file_url: str, tmp_path: Path) -> None:
    """SQLite itself does not wait here: changing to WAL fails at once beside a writer."""
    with closing(sqlite3.connect(tmp_path / "bot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")
        async with open_database(file_url) as database:
            await database.ping()


async def test_tasks_that_open_a_new_database_at_once_all_get_it(url: str) -> None:
    async def open_one() -> None:
        async with open_database(url) as database:
            await database.ping()

    await asyncio.gather(*(open_one() for _ in range(4)))


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await ensure_row(connection, leases, leases.c.name == "lost", name="lost")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(leases))).all() == []


async def test_writers_wait_for_each_other_and_lose_nothing(database: Database, other: Database) -> None:
    """Each reads and then writes: without the write lock from the beginning one of them would fail or be lost."""

    async def count_up(where: Database) -> None:
        async with where.write() as connection:
            before = (await connection.execute(select(leases.c.fence))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(update(leases).values(fence=before + 1))

    async with database.write() as connection:
        await ensure_row(connection, leases, leases.c.name == "count", name="count")
    await asyncio.gather(*(count_up(where) for where in (database, other) * 20))
    async with database.read() as connection:
        assert (await connection.execute(select(leases.c.fence))).scalar_one() == 40


async def test_readers_go_on_beside_a_writer_and_see_what_was_committed(database: Database, other: Database) -> None:
    async with database.write() as connection:
        await ensure_row(connection, leases, leases.c.name == "new", name="new")
        async with asyncio.timeout(2), other.read() as beside:
            assert (await beside.execute(select(leases))).all() == []
    async with other.read() as beside:
        assert len((await beside.execute(select(leases))).all()) == 1


async def sentence_of_a_reader(url: str) -> str:
    with pytest.raises(DatabaseError) as caught:
        async with read_database(url):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestReadingOnly:
    async def test_it_sees_what_was_committed_beside_a_writer_and_writes_nothing(
        self, database: Database, url: str
    ) -> None:
        async with database.write() as connection:
            await ensure_row(connection, leases, leases.c.name == "kept", name="kept")
        async with database.write() as connection:
            await ensure_row(connection, leases, leases.c.name == "not yet", name="not yet")
            async with read_database(url) as reader, reader.read() as beside:
                assert (await beside.execute(select(leases.c.name))).scalars().all() == ["kept"]
        async with read_database(url) as reader:
            with pytest.raises(DBAPIError, match=r"readonly|read-only"):
                await reader.ping()

    async def test_a_file_that_is_missing_is_not_made(self, file_url: str, tmp_path: Path) -> None:
        said = await sentence_of_a_reader(file_url)
        assert said == f"There is no database at {file_url}: check DATABASE_URL, or start the bot first."
        assert not (tmp_path / "bot.db").exists()

    async def test_an_older_database_is_left_to_the_bot(self, database: Database, url: str) -> None:
        await change(database, "UPDATE alembic_version SET version_num = '0001'")
        assert (await sentence_of_a_reader(url)).endswith("an older tintri-bot: start the bot once to update it.")
        async with database.read() as connection:
            revision = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert revision.scalar_one() == "0001"

    async def test_a_newer_and_a_foreign_database_are_told(self, database: Database, url: str) -> None:
        await change(database, "UPDATE alembic_version SET version_num = '9999'")
        assert "comes from a newer tintri-bot" in await sentence_of_a_reader(url)
        await change(database, "DROP TABLE alembic_version")
        assert (await sentence_of_a_reader(url)).endswith("is not tintri-bot's: check DATABASE_URL.")

    async def test_what_is_no_database_is_told(self, file_url: str, tmp_path: Path) -> None:
        (tmp_path / "bot.db").write_text("This is no database.\n" * 100)
        assert (await sentence_of_a_reader(file_url)).endswith("check DATABASE_URL and its rights.")

    async def test_any_name_of_a_file_will_do(self, tmp_path: Path) -> None:
        url = f"sqlite+aiosqlite:///{tmp_path / 'a b%20#1.db'}"
        async with open_database(url):
            pass
        async with read_database(url) as reader, reader.read() as connection:
            assert (await connection.execute(select(leases))).all() == []


async def test_connections_to_a_file_hold_little_of_it(tmp_path: Path) -> None:
    """All of them are kept open, and each would come to hold as much as it may."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/bot.db") as database, database.read() as connection:
        assert (await connection.execute(text("PRAGMA cache_size"))).scalar_one() == -256  # KiB
