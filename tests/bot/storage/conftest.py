"""An empty database of the newest form: a file, and a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.database import Database, open_database
from tests.postgresql import Server


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
