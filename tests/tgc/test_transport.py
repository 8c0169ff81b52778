"""What goes over the wire how often, when connections break, and how long anybody waits."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web

from tests.tgc.conftest import (
    PASSWORD,
    USERNAME,
    VM,
    Connect,
    LastWords,
    SmallTgc,
    http_answer,
    raw_server,
    tintri_error,
)
from tgc.client import TGCClient, connect
from tgc.errors import (
    TGCConnectionError,
    TGCError,
    TGCResponseError,
    TGCStatusError,
    TGCUnavailableError,
    TGCWithheldError,
)
from tgc.models import AffinityRule
from tgc.tls import TLSPolicy

READ = f"GET /vm/{VM}"
POST = "POST /vmstorePool/P/recommendation/R/accept"
PUT = f"PUT /vm/{VM}/affinity"
NAMED = http_answer(b'{"vmware": {"name": "vm"}}')
DONE = b"HTTP/1.1 204 No Content\r\n\r\n"


async def do(client: TGCClient, request: str) -> None:
    if request == READ:
        await client.vm_name(VM)
    elif request == POST:
        await client.accept("P", "R")
    else:
        await client.set_affinity(VM, AffinityRule())


async def test_a_write_is_withheld_at_the_last_moment(client: TGCClient, tgc: SmallTgc) -> None:
    """Logging in and connecting come first: meanwhile the answer may have changed."""
    tgc.answer(POST, None)
    logged_in = []

    def may_send() -> bool:
        logged_in.append(tgc.count("POST /session/login"))
        return False

    for write in (client.accept, client.acknowledge, client.cancel):
        with pytest.raises(TGCWithheldError, match=r"^Nothing was sent"):
            await write("P", "R", may_send=may_send)
    assert logged_in == [1, 1, 1]
    assert tgc.count(POST) == 0
    await client.accept("P", "R", may_send=lambda: True)
    assert tgc.count(POST) == 1


class TestReads:
    async def test_a_503_is_tried_again(self, client: TGCClient, tgc: SmallTgc) -> None:
        away = lambda: tintri_error(503)  # noqa: E731 - a script, as short as the others
        tgc.answer(READ, away, away, {"vmware": {"name": "vm"}})
        assert await client.vm_name(VM) == "vm"

    async def test_after_three_tries_it_is_told(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(READ, lambda: tintri_error(503, "ERR-API-9", "Service is starting"))
        with pytest.raises(TGCUnavailableError, match="503 ERR-API-9: Service is starting"):
            await client.vm_name(VM)
        assert tgc.count(READ) == 3

    @pytest.mark.parametrize("status", [400, 403, 404, 500, 502])
    async def test_other_errors_are_told_at_once(self, client: TGCClient, tgc: SmallTgc, status: int) -> None:
        tgc.answer("GET /session/current", lambda: tintri_error(status))
        with pytest.raises(TGCStatusError):
            await client.session()
        assert tgc.count("GET /session/current") == 1

    async def test_a_lost_connection_is_tried_again(self) -> None:
        answers = [None, None, NAMED]
        async with raw_server(lambda _: answers.pop(0)) as raw, connected_to(raw.url) as client:
            assert await client.vm_name(VM) == "vm"

    async def test_a_connection_that_is_lost_each_time_costs_three_requests(self) -> None:
        async with raw_server(lambda _: None) as raw, connected_to(raw.url) as client:
            with pytest.raises(TGCConnectionError, match=r"^The connection to 127\.0\.0\.1:\d+ broke") as error:
                await client.vm_name(VM)
            assert error.value.where == f"GET /api/v310/vm/{VM}"
            assert raw.requests.count(READ) == 3

    async def test_an_answer_cut_off_half_way_is_tried_again(self) -> None:
        answers = [LastWords(NAMED[:-5]), NAMED]
        async with raw_server(lambda _: answers.pop(0)) as raw, connected_to(raw.url) as client:
            assert await client.vm_name(VM) == "vm"

    async def test_a_timeout_is_tried_again(self, connected: Connect, tgc: SmallTgc) -> None:
        tgc.answer(READ, hanging(), {"vmware": {"name": "vm"}})
        async with connected(timeout_s=0.05) as client:
            assert await client.vm_name(VM) == "vm"

    async def test_the_budget_ends_all_tries(self, connected: Connect, tgc: SmallTgc) -> None:
        tgc.answer(READ, lambda: tintri_error(503), hanging())
        async with connected(timeout_s=20, read_budget_s=0.3) as client:
            with pytest.raises(TGCConnectionError, match=r"^127\.0\.0\.1:\d+ .* within 0\.3 s") as error:
                await client.vm_name(VM)
        assert error.value.where == f"GET /api/v310/vm/{VM}"
        assert tgc.count(READ) == 2

    async def test_nobody_listening_is_told_with_the_host(self) -> None:
        async with connected_to("http://127.0.0.1:9") as client:
            with pytest.raises(TGCConnectionError, match=r"^There is no connection to 127\.0\.0\.1:9") as error:
                await client.info()
            assert error.value.where == "GET /api/info"

    async def test_a_name_that_does_not_resolve_is_told(self) -> None:
        async with connected_to("http://tgc.invalid") as client:
            with pytest.raises(TGCConnectionError, match=r"no connection to tgc\.invalid"):
                await client.info()


class TestWritesReachTheServerAtMostOnce:
    @pytest.mark.parametrize("request_line", [POST, PUT])
    async def test_when_the_server_hangs_up(self, request_line: str) -> None:
        async with raw_server(lambda _: None) as raw, connected_to(raw.url) as client:
            with pytest.raises(TGCConnectionError, match="broke before the whole answer came"):
                await do(client, request_line)
            assert raw.requests.count(request_line) == 1

    @pytest.mark.parametrize("request_line", [POST, PUT])
    async def test_when_it_does_not_answer_in_time(self, connected: Connect, tgc: SmallTgc, request_line: str) -> None:
        tgc.answer(request_line, hanging())
        async with connected(timeout_s=0.05) as client:
            with pytest.raises(TGCConnectionError, match="did not answer in time"):
                await do(client, request_line)
        assert tgc.count(request_line) == 1

    @pytest.mark.parametrize("request_line", [POST, PUT])
    async def test_when_a_service_is_away(self, client: TGCClient, tgc: SmallTgc, request_line: str) -> None:
        tgc.answer(request_line, lambda: tintri_error(503))
        with pytest.raises(TGCUnavailableError):
            await do(client, request_line)
        assert tgc.count(request_line) == 1

    @pytest.mark.parametrize("request_line", [POST, PUT])
    async def test_and_it_does_when_the_server_drops_idle_connections(self, request_line: str) -> None:
        """The read leaves a kept-alive connection, on which the server would hang up at the next request."""

        def act(request: str) -> bytes:
            return NAMED if request == READ else DONE

        async with raw_server(act, drops_idle=True) as raw, connected_to(raw.url) as client:
            await client.vm_name(VM)
            await do(client, request_line)
            assert raw.requests.count(request_line) == 1


class TestOddAnswers:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
    @pytest.mark.parametrize("request_line", [READ, POST, PUT])
    async def test_redirects_are_not_followed(
        self, client: TGCClient, tgc: SmallTgc, status: int, request_line: str
    ) -> None:
        tgc.answer(request_line, lambda: web.Response(status=status, headers={"Location": "/api/v310/elsewhere"}))
        with pytest.raises(TGCResponseError, match=str(status)):
            await do(client, request_line)
        assert not any("elsewhere" in one.path for one in tgc.arrived)

    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"vmware": ', b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
    async def test_a_body_that_is_not_what_was_asked_for_is_told_by_method_and_path(
        self, client: TGCClient, tgc: SmallTgc, body: bytes
    ) -> None:
        tgc.answer(READ, body)
        with pytest.raises(TGCResponseError, match=r"^The TGC") as error:
            await client.vm_name(VM)
        assert error.value.where == f"GET /api/v310/vm/{VM}"
        assert len(str(error.value)) < 200
        assert tgc.count(READ) == 1

    async def test_a_204_is_no_answer_to_a_read(self, client: TGCClient, tgc: SmallTgc) -> None:
        tgc.answer(READ, None)
        with pytest.raises(TGCResponseError):
            await client.vm_name(VM)

    @pytest.mark.parametrize(
        "garbage", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n", b"\x00\x01\x02\r\n\r\n"]
    )
    async def test_a_server_of_another_protocol_is_told(self, garbage: bytes) -> None:
        async with raw_server(lambda _: garbage) as raw, connected_to(raw.url) as client:
            with pytest.raises(TGCResponseError, match="proper HTTP"):
                await client.vm_name(VM)

    async def test_a_body_that_cannot_be_unpacked_is_told(self) -> None:
        packed = http_answer(b"not gzip", "Content-Encoding: gzip")
        async with raw_server(lambda _: packed) as raw, connected_to(raw.url) as client:
            with pytest.raises(TGCError):
                await client.vm_name(VM)


def connected_to(url: str) -> AbstractAsyncContextManager[TGCClient]:
    return connect(url, USERNAME, PASSWORD, tls=TLSPolicy())


def hanging() -> Callable[[], "asyncio.Future[web.Response]"]:
    """Never answers; the test server cancels it when the client goes away."""
    return lambda: asyncio.get_running_loop().create_future()
