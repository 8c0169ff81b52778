"""An empty database of the newest form, in a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.database import Database, open_database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
async def other(database: Database, url: str) -> AsyncIterator[Database]:  # noqa: ARG001 - migrated first
    """The same file, as another process sees it."""
    async with open_database(url) as opened:
        yield opened
