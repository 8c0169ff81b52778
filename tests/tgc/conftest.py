"""A small TGC for the client's tests: it keeps sessions and records what arrives; a test scripts the rest."""

import asyncio
import json
import re
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tgc.client import TGCClient, connect
from tgc.tls import TLSPolicy

USERNAME, PASSWORD = "svc-bot", "s3cret-pässword"
POOL, RECOMMENDATION, VM = "POOL-1", "RECO-1", "VM-1"
SAMPLES = Path(__file__).parent.parent / "contract" / "samples"

Script = Callable[[], Awaitable[web.StreamResponse]]
Connect = Callable[..., AbstractAsyncContextManager[TGCClient]]


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def tintri_error(status: int, code: str | None = None, message: str = "told by Tintri") -> web.Response:
    type_id = "com.tintri.api.rest.v310.dto.domain.beans.TintriError"
    return web.json_response({"typeId": type_id, "code": code, "message": message}, status=status)


@dataclass
class Arrived:
    method: str
    path: str
    """As it came over the wire, with its query."""
    headers: dict[str, str]
    body: bytes


@dataclass
class SmallTgc:
    info: Any = field(default_factory=lambda: json.loads(sample("info")))
    arrived: list[Arrived] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    scripts: dict[str, list[Script]] = field(default_factory=lambda: defaultdict(list))
    """By `METHOD path` below `/api/v310` (and `GET /api/info`): one a request, the last one for all others."""
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    opened: int = 0

    def answer(self, request: str, *answers: bytes | str | Any) -> None:
        """Script answers: bytes or text as they are, None as 204, a function as what it makes, the rest as JSON."""
        self.scripts[request] = [_script(answer) for answer in answers]

    def count(self, request: str) -> int:
        method, path = request.split(" ")
        return sum(one.method == method and one.path == f"/api/v310{path}" for one in self.arrived)

    @property
    def logins(self) -> int:
        return self.count("POST /session/login")

    @property
    def logouts(self) -> int:
        return self.count("POST /session/logout")

    def expire_sessions(self) -> None:
        self.sessions.clear()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        self.arrived.append(Arrived(request.method, path, dict(request.headers), await request.read()))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            return await self._handle(request, f"{request.method} {path.removeprefix('/api/v310')}")
        finally:
            self.at_once -= 1

    async def _handle(self, request: web.BaseRequest, key: str) -> web.StreamResponse:
        is_login = key == "POST /session/login"
        is_open = is_login or key == "GET /api/info"
        if not is_open and request.cookies.get("JSESSIONID") not in self.sessions:
            return tintri_error(401, "ERR-API-0104", "Session is not valid")
        if scripts := self.scripts.get(key):
            return await (scripts.pop(0) if len(scripts) > 1 else scripts[0])()
        if key == "GET /api/info":
            return web.json_response(self.info)
        if is_login:
            return await self._log_in(request)
        if key == "POST /session/logout":
            self.sessions.discard(request.cookies["JSESSIONID"])
            return web.Response(status=204)
        return tintri_error(404, "ERR-API-8001", "No such object")

    async def _log_in(self, request: web.BaseRequest) -> web.Response:
        told = await request.json()
        if (told["username"], told["password"]) != (USERNAME, PASSWORD):
            return tintri_error(403, None, f"Wrong password {told['password']}")
        self.opened += 1
        session = f"cookie/{self.opened}+secret=="
        self.sessions.add(session)
        response = web.json_response("Admin")
        response.headers["Set-Cookie"] = f"JSESSIONID={session}; HttpOnly"
        return response


def _script(answer: Any) -> Script:
    async def run() -> web.StreamResponse:
        if isinstance(answer, bytes | str):
            return web.Response(body=answer, content_type="application/json")
        if answer is None:
            return web.Response(status=204)
        if not callable(answer):
            return web.json_response(answer)
        made: web.Response | Awaitable[web.Response] = answer()
        return made if isinstance(made, web.Response) else await made

    return run


@asynccontextmanager
async def serving(tgc: SmallTgc, tls: ssl.SSLContext | None = None) -> AsyncIterator[SmallTgc]:
    server = RawTestServer(tgc.handle, host="127.0.0.1")
    await server.start_server(ssl=tls)
    try:
        tgc.url = str(server.make_url("")).rstrip("/")
        yield tgc
    finally:
        await server.close()


def http_answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


ACCEPTED_LOGIN = http_answer(b'"Admin"', "Set-Cookie: JSESSIONID=x; Path=/")


class LastWords(bytes):
    """Sent, and then the server hangs up."""


class RawServer:
    """A server below HTTP: `act` gets each request and answers bytes, or None to hang up.

    One that drops idle connections hangs up on the second request of each.
    """

    def __init__(self, act: Callable[[str], bytes | None], *, drops_idle: bool) -> None:
        self._act = act
        self._drops_idle = drops_idle
        self.requests: list[str] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length[1]) if length else 0)
                self.requests.append(" ".join(head.split()[:2]).replace("/api/v310", ""))
                answer = self._act(self.requests[-1])
                if answer is None:
                    break
                writer.write(answer)
                if isinstance(answer, LastWords):
                    break
                if self._drops_idle:
                    await reader.read(1)  # the next request, if one comes over this connection
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def raw_server(
    act: Callable[[str], bytes | None], *, login: bytes | None = ACCEPTED_LOGIN, drops_idle: bool = False
) -> AsyncIterator[RawServer]:
    """Answer `/info` and the login; `act` has the rest."""

    def with_login(request: str) -> bytes | None:
        if request == "GET /api/info":
            return http_answer(sample("info"))
        if request == "POST /session/login":
            return login
        return act(request)

    raw = RawServer(with_login, drops_idle=drops_idle)
    server = await asyncio.start_server(raw.handle, "127.0.0.1", 0)
    async with server:
        raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield raw


@pytest.fixture(autouse=True)
def no_waiting_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=99, cap=True):
        yield


@pytest.fixture
async def tgc() -> AsyncIterator[SmallTgc]:
    async with serving(SmallTgc()) as small:
        yield small


@pytest.fixture
def connected(tgc: SmallTgc) -> Connect:
    """Open a client of `tgc`; keywords go to `connect`."""

    def open_client(password: str = PASSWORD, **options: Any) -> AbstractAsyncContextManager[TGCClient]:
        return connect(tgc.url, USERNAME, password, tls=TLSPolicy(), **options)

    return open_client


@pytest.fixture
async def client(connected: Connect) -> AsyncIterator[TGCClient]:
    async with connected() as opened:
        yield opened
