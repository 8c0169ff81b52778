"""SQLite and PostgreSQL made alike: who writes has the database to himself, who reads sees one moment of it.

On SQLite that is what BEGIN IMMEDIATE and BEGIN give. On PostgreSQL all writers take the same advisory lock in turn,
and readers read repeatably. So a transaction that reads and then writes is right on both, and none fails for another.
"""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.storage.sqlite_driver import sqlite_driver

SQLITE_BUSY_S = 15
_SQLITE_CONNECTIONS = 15
_CACHE_KIB = 256
"""Of each connection, or all of them would come to hold the whole file; the operating system holds it once."""
_WRITERS = 0x74696E747269  # "tintri"


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a PostgreSQL, or the network to it, may keep the bot waiting, in seconds."""

    connect_s: float = 5
    statement_s: float = 10
    """For a statement with all its waiting, for the writers before it and for the network."""
    idle_s: float = 5
    """After so long without a word the server ends a transaction: its process hangs, and others wait for its locks."""


MIGRATION = Patience(statement_s=300)


def open_engine(url: str, patience: Patience, *, read_only: bool = False) -> AsyncEngine:
    """An engine for the database at `url`; one for reading only is refused every change by the database itself.

    Raises FileNotFoundError for a file to read that is not there, ModuleNotFoundError for a driver that is not
    installed.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(_reading_url(url) if read_only else url)
    return _postgresql(url, patience, read_only=read_only)


# PostgreSQL


def _postgresql(url: str, patience: Patience, *, read_only: bool) -> AsyncEngine:
    # The server gives up as well, so that nothing goes on there that nobody waits for any more.
    server_settings = {
        "application_name": "tintri-bot",
        "default_transaction_read_only": "on" if read_only else "off",
        "statement_timeout": _milliseconds(patience.statement_s),
        "idle_in_transaction_session_timeout": _milliseconds(patience.idle_s),
        "tcp_user_timeout": _milliseconds(patience.statement_s),
    }
    connect_args = {
        "timeout": patience.connect_s,
        "command_timeout": patience.statement_s,
        "server_settings": server_settings,
    }
    engine = create_async_engine(url, pool_pre_ping=True, connect_args=connect_args)
    event.listen(engine.sync_engine, "begin", _begin_postgresql)
    return engine


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


# SQLite


def _sqlite(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        module=sqlite_driver(),
        connect_args={"timeout": SQLITE_BUSY_S},
        # All are kept: those above the size would be opened anew, each with its thread, when the loops wake at once.
        pool_size=_SQLITE_CONNECTIONS,
        max_overflow=0,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def may_exist(url: str) -> bool:
    """Whether opening the database would make no new one."""
    file = file_of(url)
    return file is None or file.is_file()


def file_of(url: str) -> Path | None:
    """The file of a SQLite database, there or not; None for another kind."""
    parts = make_url(url)
    return Path(parts.database or "") if parts.get_backend_name() == "sqlite" else None


def _reading_url(url: str) -> str:
    if not may_exist(url):
        raise FileNotFoundError(url)
    # A URI, for its mode: SQLite itself then refuses every write (sqlite.org, URI filenames).
    parts = make_url(url)
    file = Path(parts.database or "").absolute().as_uri()
    return parts.set(database=file, query={"mode": "ro", "uri": "true"}).render_as_string(hide_password=False)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    try:
        # `sent` must survive a power cut: what is committed is on the disk (sqlite.org, PRAGMA synchronous).
        script = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"
        cache = f"PRAGMA cache_size = -{_CACHE_KIB}"
        dbapi_connection.run(lambda cursor: cursor.executescript(f"{script}; {cache}"))
    except BaseException:  # a cancellation, too
        dbapi_connection.close()  # SQLAlchemy does not know of it yet, and its thread would go on
        raise


def _begin_sqlite(connection: Connection) -> None:
    dbapi_connection: Any = connection.connection.dbapi_connection
    dbapi_connection.begin(writes=connection.get_execution_options().get("writes", False))


def try_file(engine: AsyncEngine, url: str) -> None:
    """Raise sqlite3.Error for a file that cannot be opened: aiosqlite would leave a thread behind that fails later."""
    [name], options = engine.dialect.create_connect_args(make_url(url))
    sqlite3.connect(name, uri=options.get("uri", False)).close()
