"""aiosqlite for SQLAlchemy with one visit to SQLite's thread for each statement.

SQLAlchemy's own adapter goes there four times: to make a cursor, to run the statement, to fetch its rows and to close
the cursor. Each visit costs several times what SQLite needs for a small statement. Here BEGIN goes along with the first
statement, too, as nothing depends on it before; and nobody waits for a reader's ROLLBACK.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util.concurrency import await_


class _Ran:
    """What a statement left, taken from its cursor in SQLite's thread."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        self.rows = cursor.fetchall() if cursor.description else []


def _run(connection: sqlite3.Connection, begin: str | None, call: Callable[[sqlite3.Cursor], object]) -> _Ran:
    cursor = connection.cursor()
    try:
        if begin is not None:
            cursor.execute(begin)
        call(cursor)
        return _Ran(cursor)
    finally:
        cursor.close()


class _Cursor:
    """A cursor of PEP 249 whose rows are all here already."""

    server_side = False

    def __init__(self, connection: "SqliteConnection") -> None:
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection = connection
        self._rows: deque[Any] = deque()

    def execute(self, operation: str, parameters: Any = ()) -> None:
        self._take(self._connection.run(lambda cursor: cursor.execute(operation, parameters or ())))

    def executemany(self, operation: str, parameters: Sequence[Any]) -> None:
        self._take(self._connection.run(lambda cursor: cursor.executemany(operation, parameters)))

    def _take(self, ran: _Ran) -> None:
        self.description, self.rowcount, self.lastrowid = ran.description, ran.rowcount, ran.lastrowid
        self._rows = deque(ran.rows)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self.arraysize if size is None else size
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing: there is no cursor left in SQLite."""


class SqliteConnection(AsyncAdapt_aiosqlite_connection):
    """A connection whose transactions begin with their first statement."""

    __slots__ = ("_begin", "_is_reading")

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._begin: str | None = None
        """What is to be run before the next statement."""
        self._is_reading = False

    def cursor(self, server_side: bool = False) -> Any:  # noqa: ARG002 - SQLAlchemy's name; nothing here streams
        return _Cursor(self)

    def begin(self, *, writes: bool) -> None:
        """A writer takes SQLite's write lock first: one that reads first fails where another writer came between."""
        self._is_reading = not writes
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    def run(self, call: Callable[[sqlite3.Cursor], object]) -> _Ran:
        """Raises sqlite3.Error."""
        begin, self._begin = self._begin, None
        try:
            ran: _Ran = await_(self._connection._execute(partial(_run, self._connection._conn, begin, call)))
        except Exception as error:  # noqa: BLE001 - it raises what SQLAlchemy expects
            self._handle_exception(error)
        return ran

    def commit(self) -> None:
        if self._has_begun():
            super().commit()

    def rollback(self) -> None:
        if not self._has_begun():
            return
        if self._is_reading and self._connection._running:
            self._connection._tx.put_nowait((None, self._connection._conn.rollback))
        else:
            super().rollback()

    def _has_begun(self) -> bool:
        """False for a transaction that has said nothing, and then is over."""
        has_begun, self._begin = self._begin is None, None
        return has_begun


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arguments: Any, **options: Any) -> SqliteConnection:
        connection = aiosqlite.connect(*arguments, **options)
        connection._thread.daemon = True  # as SQLAlchemy has it: a process can end although one was not closed
        return SqliteConnection(self, await_(connection))


def sqlite_driver() -> Any:
    """For `create_engine(module=...)`."""
    return _Driver(aiosqlite, sqlite3)
