"""Slash commands as Slack sends them, many at a time, with as little work of our own as possible."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import msgspec

from playground.slack_courier import signature
from playground.slack_workspace import APP_ID, TEAM_ID

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Sink:
    """Takes every answer that comes by a response_url, and counts them."""

    def __init__(self) -> None:
        self.port = 0
        self.answers = 0
        self._more = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Sink"]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def has(self, answers: int) -> None:
        async with asyncio.timeout(120):
            while self.answers < answers:
                self._more.clear()
                await self._more.wait()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(_length(head))
                writer.write(_OK)
                self.answers += 1
                self._more.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    seconds: float
    latencies_s: list[float]
    cpu_s: float = 0.0
    """What the app used of the processor, the answers included, where somebody looked."""

    @property
    def per_second(self) -> float:
        return len(self.latencies_s) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """For one."""
        return 1000 * self.cpu_s / len(self.latencies_s)

    def quantile_ms(self, part: float) -> float:
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def command(words: str, person: str, response_url: str, secret: str) -> bytes:
    """A signed request, whole."""
    name, _, text = words.partition(" ")
    body = urlencode(
        {
            "team_id": TEAM_ID,
            "team_domain": "playground",
            "channel_id": "C0STORAGE",
            "channel_name": "storage",
            "user_id": person,
            "user_name": person.lower(),
            "command": name,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": "1.1.made-up",
        }
    ).encode()
    now = int(time.time())
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {now}\r\nX-Slack-Signature: {signature(secret, now, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send(port: int, requests: Iterable[bytes], *, connections: int) -> Load:
    """Send all of them over so many connections, each with one under way. Raises RuntimeError for other than 200."""
    left = iter(requests)
    latencies: list[float] = []

    async def one() -> Callable[[], None]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            begun = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            latencies.append(time.perf_counter() - begun)
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise RuntimeError(head.decode())
        return writer.close

    begun = time.perf_counter()
    closes = await asyncio.gather(*(one() for _ in range(connections)))
    seconds = time.perf_counter() - begun
    for close in closes:
        close()
    return Load(seconds=seconds, latencies_s=latencies)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
