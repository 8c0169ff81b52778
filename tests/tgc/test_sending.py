"""A request asks on a connection that stands whether it may still leave; one that may not never arrives."""

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tgc.sending import WithheldError, asking, impatient_socket


@pytest.fixture
async def arrived() -> list[str]:
    return []


@pytest.mark.parametrize("kept_alive", [True, False], ids=["on a kept connection", "on a new one"])
async def test_one_that_may_not_leave_never_arrives(arrived: list[str], *, kept_alive: bool) -> None:
    may = True
    connected = asyncio.Event()

    async def note(request: web.Request) -> web.Response:
        arrived.append(request.path)
        return web.Response(text="ok")

    def may_send(_url: URL) -> bool:
        assert connected.is_set()
        return may

    async def handshake(*_: object) -> None:
        connected.set()

    app = web.Application()
    app.router.add_post("/{tail:.*}", note)
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(handshake)
    connector = aiohttp.TCPConnector(force_close=not kept_alive, socket_factory=impatient_socket)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(
            server.make_url("/"), connector=connector, request_class=asking(may_send), trace_configs=[trace]
        ) as session,
    ):
        for wanted in (True, False, True):
            may = wanted
            try:
                async with session.post("/once", data=b"null") as response:
                    await response.read()
            except WithheldError:
                assert not wanted
            else:
                assert wanted
    assert arrived == ["/once", "/once"]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system always waits for minutes")
def test_what_is_not_taken_is_given_up_soon() -> None:
    with impatient_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000
