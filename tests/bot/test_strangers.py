"""Whoever reaches the port: slow, big, broken or many, they get an answer or are hung up on, and leave no trace."""

import asyncio
import gzip
import logging
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.web import MAX_BODY_BYTES, slack_events_of, web_app, web_runner
from playground.slack_courier import signature
from tests.bot.test_web import FORM, SECRET, Heard, authorize, readiness

pytestmark = pytest.mark.extended

AT_ONCE_S = 0.2
"""What takes the bot seconds or minutes takes these tests no longer."""
PATIENCE_S = 10.0
BODY = b"command=%2Ftintri&text=reco"


class Entrance:
    """The HTTP side alone, and raw connections to it."""

    def __init__(self, port: int, heard: Heard) -> None:
        self.port = port
        self.heard = heard

    async def say(self, *parts: bytes, pause_s: float = 0.01) -> bytes:
        """Send the parts one by one, never close, and give all that comes until the bot hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with closing(writer):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_s)
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()

    async def status(self, *parts: bytes) -> int:
        """The status of the first answer."""
        return int((await self.say(*parts)).split()[1])


@asynccontextmanager
async def entrance(*, idle_s: float = PATIENCE_S, body_within_s: float = PATIENCE_S) -> AsyncIterator[Entrance]:
    heard = Heard()
    app = AsyncApp(authorize=authorize, request_verification_enabled=False)
    app.command("/tintri")(heard.listen)
    slack_events = slack_events_of(app, SECRET, body_within_s=body_within_s)
    runner = web_runner(web_app(readiness, slack_events), shutdown_timeout_s=0.1, idle_s=idle_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Entrance(runner.addresses[0][1], heard)
    finally:
        await runner.cleanup()


def request(*headers: bytes, body: bytes = BODY, first: bytes = b"POST /slack/events HTTP/1.1") -> bytes:
    lines = [first, b"Host: bot", b"Connection: close", b"Content-Type: " + FORM.encode(), *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def signs(body: bytes = BODY) -> tuple[bytes, bytes]:
    sent_at = int(time.time())
    return b"X-Slack-Request-Timestamp: %d" % sent_at, b"X-Slack-Signature: " + signature(
        SECRET, sent_at, body
    ).encode()


async def test_one_signed_request_is_heard() -> None:
    """Else the refusals below prove nothing."""
    async with entrance() as bot:
        assert await bot.status(request(*signs())) == 200
        assert bot.heard.texts == ["reco"]


class TestSlowOnes:
    @pytest.mark.parametrize(
        "begun", [b"", b"POST /slack/ev", request(*signs())[:100]], ids=["silent", "line", "headers"]
    )
    async def test_who_does_not_finish_the_headers_is_hung_up_on(self, begun: bytes) -> None:
        async with entrance(idle_s=AT_ONCE_S) as bot:
            assert await bot.say(begun) == b""

    async def test_trickling_headers_win_no_time(self) -> None:
        async with entrance(idle_s=AT_ONCE_S) as bot:
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", bot.port)
            with closing(writer):
                writer.write(b"GET /healthz HTTP/1.1\r\n")
                while not reader.at_eof() and time.monotonic() < began + PATIENCE_S:
                    writer.write(b"A: b\r\n")
                    reading = asyncio.ensure_future(reader.read(1))
                    await asyncio.wait({reading}, timeout=AT_ONCE_S / 10)
                    if reading.done():
                        break
                    reading.cancel()
                assert time.monotonic() - began < PATIENCE_S / 2

    @pytest.mark.parametrize("begun", [0, 1, len(BODY) - 1])
    async def test_who_does_not_finish_the_body_is_told_and_hung_up_on(self, begun: int) -> None:
        whole = request(*signs())
        async with entrance(body_within_s=AT_ONCE_S) as bot:
            assert await bot.status(whole[: len(whole) - len(BODY) + begun]) == 408
            assert bot.heard.texts == []

    async def test_a_trickling_body_wins_no_time(self) -> None:
        whole = request(*signs())
        head, body = whole[: -len(BODY)], [bytes([byte]) for byte in BODY]
        async with entrance(body_within_s=0.05) as bot:
            assert await bot.status(head, *body) == 408
            assert bot.heard.texts == []

    async def test_five_hundred_idle_ones_keep_nobody_out_and_go(self) -> None:
        async with entrance(idle_s=1.0) as bot:
            idle = [await asyncio.open_connection("127.0.0.1", bot.port) for _ in range(500)]
            try:
                assert await bot.status(request(*signs())) == 200
                async with asyncio.timeout(PATIENCE_S):
                    assert {await reader.read() for reader, _ in idle} == {b""}
            finally:
                for _, writer in idle:
                    writer.close()


class TestBigOnes:
    @pytest.mark.parametrize("signed", [True, False])
    async def test_ten_megabytes_are_refused_and_not_kept(self, signed: bool) -> None:
        body = b"text=" + b"x" * 10 * 1024**2
        whole = request(*(signs(body) if signed else ()), body=body)
        parts = [whole[at : at + 2**16] for at in range(0, len(whole), 2**16)]
        async with entrance() as bot:
            tracemalloc.start()
            try:
                answered = await bot.say(*parts, pause_s=0)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert answered.startswith(b"HTTP/1.1 413 ")
            assert peak < 5 * MAX_BODY_BYTES
            assert bot.heard.texts == []

    async def test_what_unpacks_to_more_is_not_unpacked(self) -> None:
        """Slack packs nothing."""
        packed = gzip.compress(b"0" * 50_000_000)
        async with entrance() as bot:
            assert await bot.status(request(b"Content-Encoding: gzip", *signs(), body=packed)) == 401


NOW = b"X-Slack-Request-Timestamp: %d" % int(time.time())
ZEROS = b"X-Slack-Signature: v0=" + b"0" * 64


class TestBrokenOnes:
    @pytest.mark.parametrize(
        "headers",
        [
            (),
            (NOW,),
            (ZEROS,),
            (b"X-Slack-Request-Timestamp: \xd9\xa3", ZEROS),
            (NOW, b"X-Slack-Signature: v0=\xff\xfe"),
            (NOW, b"X-Slack-Signature: v0=" + b"0" * 8_000),
            (b"X-Slack-Request-Timestamp: " + b"9" * 8_000, ZEROS),
            (NOW, b"X-Slack-Signature:"),
            (NOW, NOW, ZEROS),
            (NOW, ZEROS, ZEROS),
            (NOW, ZEROS, b"Content-Encoding: gzip"),
            (NOW, ZEROS, b"Content-Encoding: deflate"),
            (NOW, ZEROS, b"Content-Encoding: br"),
            (NOW, ZEROS, b"X-Slack-Retry-Num: \xff"),
            (NOW, ZEROS, b"Connection: upgrade", b"Upgrade: websocket"),
        ],
    )
    async def test_without_a_proper_signature_it_is_401(
        self, headers: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        async with entrance() as bot:
            assert await bot.status(request(*headers)) == 401
        assert caplog.records == []

    @pytest.mark.parametrize("doubled", [0, 1])
    async def test_a_header_given_twice_is_401_even_where_one_of_them_is_right(self, doubled: int) -> None:
        right = signs()
        wrong = (NOW[:-1] + b"0", ZEROS)[doubled]
        async with entrance() as bot:
            for headers in ((*right, wrong), (wrong, *right), (*right, right[doubled])):
                assert await bot.status(request(*headers)) == 401
            assert bot.heard.texts == []

    @pytest.mark.parametrize(
        "parts",
        [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",),
            (request(NOW, b"X-Slack-Signature: v0=" + b"0" * 80_000),),
            (request(NOW, b"X-Slack-Signature: v0=\x01"),),
            (request(*(b"A%d: b" % number for number in range(500))),),
            (request(first=b"POST http://[/slack/events HTTP/1.1"),),
            (request(b"Content-Length: -5"),),
            (request(b"Transfer-Encoding: chunked"),),
            (b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",),
            (request(b"Content-Type: a/b"),),
            (b"NONSENSE /readyz HTTP/1.1\r\nHost: bot\r\n\r\n",),
        ],
    )
    async def test_what_is_no_http_is_400_and_fills_no_log(
        self, parts: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
    ) -> None:
        async with entrance() as bot:
            assert await bot.status(*parts) == 400
        assert caplog.records == []

    async def test_a_body_that_breaks_off_in_nonsense_is_waited_for_no_longer(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with entrance(body_within_s=AT_ONCE_S) as bot:
            assert await bot.status(head, b"5\r\nhello", b"zz\r\n") == 408
        assert caplog.records == []

    async def test_who_hangs_up_in_the_middle_fills_no_log(self, caplog: pytest.LogCaptureFixture) -> None:
        async with entrance() as bot:
            for cut in (10, 100, len(request(*signs())) - 5):
                _, writer = await asyncio.open_connection("127.0.0.1", bot.port)
                writer.write(request(*signs())[:cut])
                await asyncio.sleep(0.05)  # until it is being read
                writer.close()
            assert await bot.status(request(*signs())) == 200
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []

    @pytest.mark.parametrize(
        ("first", "status"),
        [
            (b"PUT /slack/events HTTP/1.1", 405),
            (b"DELETE /slack/events HTTP/1.1", 405),
            (b"POST /healthz HTTP/1.1", 405),
            (b"POST /metrics HTTP/1.1", 405),
            (b"PATCH /readyz HTTP/1.1", 405),
            (b"HEAD /slack/events HTTP/1.1", 401),
            (b"POST /slack/events/ HTTP/1.1", 404),
            (b"POST /slack/Events HTTP/1.1", 404),
            (b"GET /slack/events?%ff&=%&ssl_check=%zz HTTP/1.1", 401),
            (b"GET /%ff%00/.. HTTP/1.1", 404),
            (b"GET //[ HTTP/1.1", 404),
            (b"CONNECT bot:443 HTTP/1.1", 404),
        ],
    )
    async def test_other_methods_and_paths_are_nothing(self, first: bytes, status: int) -> None:
        async with entrance() as bot:
            assert await bot.status(request(NOW, ZEROS, first=first)) == status
            assert bot.heard.texts == []

    async def test_what_aiohttp_cannot_serve_is_logged_all_the_same(self, caplog: pytest.LogCaptureFixture) -> None:
        """What we keep out of the log are strangers' mistakes, not ours."""

        async def broken(_request: web.Request) -> web.StreamResponse:
            raise LookupError("ours")

        runner = web_runner(web_app(readiness, broken), shutdown_timeout_s=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            assert await Entrance(runner.addresses[0][1], Heard()).status(request()) == 500
        finally:
            await runner.cleanup()
        assert "ours" in caplog.text
