"""An empty database of the newest form: a file, and a real PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Interval, literal, update

from bot.storage.database import Database, open_database
from bot.storage.tables import metadata
from tests.postgresql import Server
from tests.scenarios.stage import StageClock

PassTime = Callable[[timedelta], Awaitable[None]]


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"


@pytest.fixture
def url(either: str, file_url: str, request: pytest.FixtureRequest) -> str:
    if either == "sqlite":
        return file_url
    empty: str = request.getfixturevalue("empty")
    server: Server = request.getfixturevalue("postgresql")
    return server.url(empty)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
async def other(database: Database, url: str) -> AsyncIterator[Database]:  # noqa: ARG001 - migrated first
    """The same database, as another process sees it."""
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
def clock() -> StageClock:
    return StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))


@pytest.fixture
def pass_time(database: Database, clock: StageClock) -> PassTime:
    """Moves the clock on. A server tells the time of leases by itself: there every lease grows older by as much."""

    async def pass_time(by: timedelta) -> None:
        older = literal(by, Interval)
        async with database.write() as connection:
            for table in metadata.sorted_tables:
                if "expires_at" in table.c and connection.dialect.name == "postgresql":
                    await connection.execute(update(table).values(expires_at=table.c.expires_at - older))
        clock.move(by)

    return pass_time
