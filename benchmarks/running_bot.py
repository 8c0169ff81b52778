"""The bot as a process: as its user starts it, or watched from within."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.child import Child

_LOOK_EVERY_S = 0.01
_PATIENCE_S = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_bot(environment: Mapping[str, str], folder: Path) -> AsyncIterator[Child]:
    """`tintri-bot run`, ready."""
    child = await Child.start(["-m", "bot", "run"], environment=environment, folder=folder)
    try:
        await answers(int(environment["PORT"]), "/readyz")
        yield child
    finally:
        await child.stop()


@asynccontextmanager
async def watched_bot(environment: Mapping[str, str], folder: Path, *options: str) -> AsyncIterator[Child]:
    """The same with `benchmarks.watched_bot` looking on; ready."""
    child = await Child.start(["-m", "benchmarks.watched_bot", *options], environment=environment, folder=folder)
    try:
        await child.line()
        await answers(int(environment["PORT"]), "/readyz")
        yield child
    finally:
        await child.stop()


async def answers(port: int, path: str) -> None:
    """Wait until the server answers, and not that it cannot yet."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    async with asyncio.timeout(_PATIENCE_S):
        while not await _is_ready(port, request):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(_LOOK_EVERY_S)


async def _is_ready(port: int, request: bytes) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        first = await reader.readline()
        writer.close()
    except ConnectionError:
        return False
    return bool(first) and b" 503 " not in first
