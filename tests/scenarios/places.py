"""Where a scenario keeps its things: a folder, and the bot's database in it or on a server."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from bot.storage.database import migrate_database
from tests.postgresql import Server
from tests.scenarios.quiet import QuietLoop

Rows = list[list[Any]]


class Place(msgspec.Struct, frozen=True):
    folder: Path
    database_url: str
    rows: Callable[[str], Rows]
    """What a query of the test finds in the database."""


@cache
def _migrated() -> bytes:
    """A database that a bot of this version has made, as a file: each that starts on it saves the migrations."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside_the_loop:
        path = Path(folder) / "bot.db"
        beside_the_loop.submit(_migrate, _url(path)).result()
        return path.read_bytes()


def _migrate(url: str) -> None:
    with asyncio.Runner(loop_factory=QuietLoop) as runner:
        runner.run(migrate_database(url))


def in_file(folder: Path) -> Place:
    path = folder / "bot.db"
    if not path.exists():
        path.write_bytes(_migrated())

    def rows(query: str) -> Rows:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as file:
            return [list(row) for row in file.execute(query)]

    return Place(folder, _url(path), rows)


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def on_server(folder: Path, server: Server, name: str) -> Place:
    return Place(folder, server.url(name), lambda query: server.rows(name, query))
