"""What a statement costs on SQLite: by the bot's way to its thread, and by SQLAlchemy's own adapter of aiosqlite."""

import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, event, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.figure import Figure, times_at_most
from bot.storage.database import Database, migrate_database, open_database
from bot.storage.tables import leases

_TIMES = 300
_NAME = "none"


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/bot.db"
        await migrate_database(url)
        async with open_database(url) as own, _with_the_usual_adapter(url) as usual:
            figures = [
                Figure(
                    name=f"processor for {name}",
                    value=await _cpu_ms(work, own),
                    unit="ms",
                    peer="SQLAlchemy's adapter",
                    peer_value=await _cpu_ms(work, usual),
                    goal=times_at_most(1),
                )
                for name, work in (
                    ("a reading of one statement", _read_one),
                    ("a reading of ten statements", _read_ten),
                    ("a write of one statement", _write),
                )
            ]
        figures.append(Figure(name="of a statement: building it", value=_plain_ms(_look_up), unit="ms"))
        figures.append(
            Figure(
                name="of a statement: compiling it, where it is new",
                value=_plain_ms(lambda: _look_up().compile(dialect=sqlite.dialect())),
                unit="ms",
            )
        )
        figures.append(
            Figure(name="of a statement: SQLite itself", value=_sqlite_ms(Path(folder) / "bot.db"), unit="ms")
        )
    return figures


@asynccontextmanager
async def _with_the_usual_adapter(url: str) -> AsyncIterator[Database]:
    engine = create_async_engine(url, connect_args={"timeout": 15})

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    try:
        yield Database(engine)
    finally:
        await engine.dispose()


def _look_up() -> Select[Any]:
    return select(leases).where(leases.c.name == _NAME)


async def _read_one(database: Database) -> None:
    async with database.read() as connection:
        (await connection.execute(_look_up())).all()


async def _read_ten(database: Database) -> None:
    async with database.read() as connection:
        for _ in range(10):
            (await connection.execute(_look_up())).all()


async def _write(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(update(leases).where(leases.c.name == _NAME).values(fence=1))


def _plain_ms(work: Callable[[], object]) -> float:
    begun = time.process_time()
    for _ in range(_TIMES):
        work()
    return 1000 * (time.process_time() - begun) / _TIMES


def _sqlite_ms(file: Path) -> float:
    statement = str(_look_up().compile(dialect=sqlite.dialect()))
    with closing(sqlite3.connect(file)) as connection:
        return _plain_ms(lambda: connection.execute(statement, (_NAME,)).fetchall())


async def _cpu_ms(work: Callable[[Database], Awaitable[None]], database: Database) -> float:
    for _ in range(20):
        await work(database)
    begun = time.process_time()
    for _ in range(_TIMES):
        await work(database)
    return 1000 * (time.process_time() - begun) / _TIMES
