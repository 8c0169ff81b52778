"""Where a scenario keeps its things: a folder, and the bot's database in it or on a server."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tests.postgresql import Server

Rows = list[list[Any]]


class Place(msgspec.Struct, frozen=True):
    folder: Path
    database_url: str
    rows: Callable[[str], Rows]
    """What a query of the test finds in the database."""


def in_file(folder: Path) -> Place:
    path = folder / "bot.db"

    def rows(query: str) -> Rows:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as file:
            return [list(row) for row in file.execute(query)]

    return Place(folder, f"sqlite+aiosqlite:///{path}", rows)


def on_server(folder: Path, server: Server, name: str) -> Place:
    return Place(folder, server.url(name), lambda query: server.rows(name, query))
