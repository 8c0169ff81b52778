"""The database: opened, migrated, and its transactions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, TypeVar

import stamina
from sqlalchemy import CursorResult, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage import revisions
from bot.storage.engines import MIGRATION, SQLITE_BUSY_S, Patience, may_exist, open_engine, try_file
from bot.storage.errors import DatabaseError
from bot.storage.revisions import NewerRevisionError
from bot.storage.turns import Turns

T = TypeVar("T")

_GRACE_S = 1.0
"""For a statement whose caller is cancelled."""

_TURN_S = 20.0
"""For one writer: longer than SQLite waits for another process, or a statement on PostgreSQL may take."""
_PING = "INSERT INTO leases (name, fence) VALUES ('ping', 0) ON CONFLICT (name) DO UPDATE SET fence = 1 - leases.fence"


_UNUSABLE = (SQLAlchemyError, sqlite3.Error, OSError)
"""What drivers raise for a database that cannot be opened or read."""


class Database:
    """Transactions on one database, whichever it is."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writers = Turns(_TURN_S)
        """One of this process at a time, so that those who wait hold no connection, and each gets its turn."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view; nothing may be written in it."""
        async with self._connection() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end and rolled back on any exception.

        Raises TimeoutError where the writer before does not get on.
        """
        async with self._writers.take(), self._connection() as connection:
            await connection.execution_options(writes=True)
            transaction = connection.begin()
            await _to_the_end(transaction.start())
            try:
                yield connection
            except OSError:
                raise  # there may be nobody to roll it back with: `_connection` gives it up
            except BaseException:  # a cancellation, too
                await _to_the_end(transaction.rollback())
                raise
            await _to_the_end(transaction.commit())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        connection = _WholeStatements(self._engine)
        opening = asyncio.ensure_future(connection.start())
        try:
            await _to_the_end(opening)
            yield connection
        except OSError:  # a time-out, too: what may still be under way on it is not waited for
            if connection.sync_connection is not None:
                await _to_the_end(connection.invalidate())
            raise
        finally:
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                await _to_the_end(connection.close())

    async def ping(self) -> None:
        """Raise where the database cannot be written to."""
        async with self.write() as connection:
            # A real change: what changes nothing is never written, and would not notice a full disk.
            await connection.execute(text(_PING))


class _WholeStatements(AsyncConnection):
    """Runs each statement to its end, also for a caller that is cancelled meanwhile.

    aiosqlite would leave a thread behind that works on, and with it SQLite's write lock.
    """

    async def execute(self, *arguments: Any, **options: Any) -> CursorResult[Any]:
        return await _to_the_end(super().execute(*arguments, **options))


async def _to_the_end(work: Awaitable[T]) -> T:
    """Wait for it; a caller that is cancelled meanwhile, even more than once, learns that after its end.

    One that does not end soon, because it waits for a lock or a network, is cut off then.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            if cancelled is None:
                asyncio.get_running_loop().call_later(_GRACE_S, task.cancel)
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


@asynccontextmanager
async def open_database(url: str, patience: Patience = Patience()) -> AsyncIterator[Database]:  # noqa: B008 - frozen
    """Open the database at `url`, create or migrate its tables, and close it at the end.

    Raises DatabaseError.
    """
    await migrate_database(url)
    async with _open(url, patience) as engine:
        yield Database(engine)


@asynccontextmanager
async def _open(url: str, patience: Patience, *, read_only: bool = False) -> AsyncIterator[AsyncEngine]:
    try:
        engine = open_engine(url, patience, read_only=read_only)
    except FileNotFoundError as error:
        raise DatabaseError(
            f"There is no database at {_shown(url)}: check DATABASE_URL, or start the bot first."
        ) from error
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"DATABASE_URL needs the package {error.name}, which is not installed: install requirements/postgres.txt, "
            "or use SQLite."
        ) from error
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_writable_database(url: str) -> AsyncIterator[Database]:
    """The same for a command that ends soon: one that cannot be written to is refused before anything is done.

    Raises DatabaseError, also where the block finds it failing.
    """
    async with open_database(url) as database:
        await _check_writable(database, url)
        try:
            yield database
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _unusable(url, error) from error


@asynccontextmanager
async def open_existing_database(url: str) -> AsyncIterator[Database | None]:
    """Open a database that a bot of this version has used. None where there is none; nothing is made or migrated.

    Raises DatabaseError.
    """
    if not may_exist(url):
        yield None
        return
    async with _open(url, Patience()) as engine:
        yield await _if_of_this_version(Database(engine), url)


async def _if_of_this_version(database: Database, url: str) -> Database | None:
    if await _revision(database, url) != revisions.NEWEST:
        return None
    await _check_writable(database, url)
    return database


async def _check_writable(database: Database, url: str) -> None:
    """What cannot be written down would be forgotten."""
    try:
        await database.ping()
    except _UNUSABLE as error:
        raise _unusable(url, error) from error


@asynccontextmanager
async def read_database(url: str) -> AsyncIterator[Database]:
    """Open a database only to read it, also beside a bot that uses it; nothing is created, migrated or written.

    Raises DatabaseError.
    """
    async with _open(url, Patience(), read_only=True) as engine:
        database = Database(engine)
        await _check_revision(database, url)
        yield database


async def _revision(database: Database, url: str) -> str | None:
    try:
        async with database.read() as connection:
            return await connection.run_sync(revisions.current)
    except TimeoutError as error:
        raise _silent(url) from error
    except _UNUSABLE as error:
        raise _unusable(url, error) from error


class Age(Enum):
    """How the tables of a database compare with those of this version."""

    UNMADE = "unmade"
    OLDER = "older"
    SAME = "same"


async def read_age(url: str) -> Age:
    """Look at a database that is there, and change nothing. Raises DatabaseError, for a newer one, too."""
    async with _open(url, Patience(), read_only=True) as engine:
        return await _age(Database(engine), url)


async def _age(database: Database, url: str) -> Age:
    revision = await _revision(database, url)
    if revision is None:
        return Age.UNMADE
    if revision == revisions.NEWEST:
        return Age.SAME
    if revision in revisions.KNOWN:
        return Age.OLDER
    raise _from_newer(url)


async def _check_revision(database: Database, url: str) -> None:
    match await _age(database, url):
        case Age.OLDER:
            raise DatabaseError(
                f"The database {_shown(url)} comes from an older tintri-bot: start the bot once to update it."
            )
        case Age.UNMADE:
            raise DatabaseError(f"The database {_shown(url)} is not tintri-bot's: check DATABASE_URL.")


async def migrate_database(url: str) -> None:
    """Create or migrate its tables, as one of any number of processes. Raises DatabaseError."""
    try:
        async with _open(url, MIGRATION) as engine:
            if engine.dialect.name == "sqlite":
                try_file(engine, url)
            async for attempt in stamina.retry_context(
                on=_is_busy, attempts=None, timeout=SQLITE_BUSY_S, wait_initial=0.05
            ):
                with attempt:
                    await _migrate(Database(engine))
    except NewerRevisionError as error:
        raise _from_newer(url) from error
    except TimeoutError as error:
        raise _silent(url) from error
    except _UNUSABLE as error:
        raise _unusable(url, error) from error


async def _migrate(database: Database) -> None:
    async with database.read() as connection:
        is_newest = await connection.run_sync(revisions.current) == revisions.NEWEST
    if is_newest:
        return
    await asyncio.to_thread(revisions.load_alembic)  # which would hold up those who are answered meanwhile
    async with database.write() as connection:
        await connection.run_sync(revisions.upgrade)


def _from_newer(url: str) -> DatabaseError:
    return DatabaseError(
        f"The database {_shown(url)} comes from a newer tintri-bot: start that one, or restore an older backup."
    )


def _silent(url: str) -> DatabaseError:
    return DatabaseError(f"The database {_shown(url)} does not answer: check DATABASE_URL and the network.")


def _unusable(url: str, error: Exception) -> DatabaseError:
    cause, *_hints = (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()
    return DatabaseError(f"The database {_shown(url)} cannot be used ({cause}): check DATABASE_URL and its rights.")


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _is_busy(error: Exception) -> bool:
    """Whether another process is at the file. SQLite waits for it by itself, but not in its first change to WAL."""
    cause = error.orig if isinstance(error, OperationalError) else None
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode == sqlite3.SQLITE_BUSY
