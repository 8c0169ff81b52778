import asyncio
import contextlib
import io
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import example, given
from hypothesis import strategies as st
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.logs import Cleaner, configure
from bot.settings import LogFormat, Secret
from tests.bot.patience import until

FORMATS: tuple[LogFormat, ...] = ("console", "json")
PASSWORD = "pa\"ss'w\\ör d/%+!"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    for name in ("aiosqlite", "asyncio", "alembic", "slack_bolt", "slack_sdk"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def configured(level: str, format_: LogFormat, *secrets: str, stream: io.StringIO | None = None) -> io.StringIO:
    """What is logged from now on."""
    stream = io.StringIO() if stream is None else stream
    with contextlib.redirect_stderr(stream):
        configure(level, format_, map(Secret, secrets))
    return stream


class TestJson:
    def test_a_line_is_an_object_with_the_promised_keys(self) -> None:
        stderr = configured("INFO", "json")
        structlog.get_logger("bot.sweep").warning("sweep failed", pool="Prod\nuction")
        logging.getLogger("slack_sdk").error("no answer from %s", "Slack")
        ours, theirs = map(json.loads, stderr.getvalue().splitlines())
        for line in (ours, theirs):
            stamp = datetime.fromisoformat(line.pop("timestamp"))
            assert stamp.utcoffset() == datetime.now(UTC).utcoffset()
        assert ours == {"level": "warning", "logger": "bot.sweep", "event": "sweep failed", "pool": "Prod\nuction"}
        assert theirs == {"level": "error", "logger": "slack_sdk", "event": "no answer from Slack"}

    def test_a_traceback_is_a_value_of_the_same_line(self) -> None:
        stderr = configured("INFO", "json")
        error = KeyError("gone")
        structlog.get_logger("bot").error("surprise", exc_info=error)
        logging.getLogger("aiohttp").error("surprise", exc_info=error)
        for line in map(json.loads, stderr.getvalue().splitlines()):
            assert line["exception"].endswith("KeyError: 'gone'")

    @pytest.mark.parametrize("secret", ["hunter22", PASSWORD, "nolines1", "xoxb-1-a", '"quoted"', "back\\slash"])
    def test_a_cleaned_line_is_still_json(self, secret: str) -> None:
        stderr = configured("INFO", "json", secret)
        for before in ("", "\n", "\\", "\\\n", '"', "ö"):
            for after in ("", '"', "\n", "ö"):
                structlog.get_logger("bot").info(before + secret + after, args=[{"a": before + secret + after}])
        structlog.get_logger("bot").info("\n" + secret[1:])  # the escape may complete the secret: n for a newline
        for line in stderr.getvalue().splitlines():
            assert secret not in json.dumps(json.loads(line), ensure_ascii=False)


class TestConsole:
    def test_a_usual_line_fits_80_columns(self) -> None:
        stderr = configured("INFO", "console")
        structlog.get_logger("bot.sweep").info("swept", pools=12, cards=2)
        (line,) = stderr.getvalue().splitlines()
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[info +\] swept +\[bot.sweep\] cards=2 pools=12", line)
        assert len(line) <= 80

    @pytest.mark.parametrize(("stream", "coloured"), [(Terminal(), True), (io.StringIO(), False)])
    def test_colours_are_for_terminals(self, stream: io.StringIO, coloured: bool) -> None:
        configured("INFO", "console", stream=stream)
        structlog.get_logger("bot").info("hello")
        assert ("\x1b[" in stream.getvalue()) is coloured

    def test_a_coloured_value_is_masked_too(self) -> None:
        stderr = configured("INFO", "console", "hunter22", stream=Terminal())
        structlog.get_logger("bot").info("login", password="hunter22", response_url="http://localhost/r/abc")
        assert "\x1b[" in stderr.getvalue()
        assert "hunter22" not in stderr.getvalue()
        assert "localhost" not in stderr.getvalue()

    def test_a_name_cannot_send_control_characters(self) -> None:
        stderr = configured("INFO", "console")
        structlog.get_logger("bot").info("moved", vm="\x1b[2Jevil")
        assert "\x1b" not in stderr.getvalue()
        assert len(stderr.getvalue().splitlines()) == 1

    def test_a_traceback_shows_no_local_variables(self) -> None:
        stderr = configured("INFO", "console")
        try:
            raise_holding(cookie="only" + "here")
        except KeyError:
            structlog.get_logger("bot").exception("surprise")
        assert "KeyError: 8" in stderr.getvalue()
        assert "onlyhere" not in stderr.getvalue()


class TestLevels:
    def test_chatty_libraries_are_never_below_info(self) -> None:
        stderr = configured("DEBUG", "console")
        for name in ("aiosqlite", "asyncio", "slack_sdk.webhook.async_client", "slack_sdk.web"):
            logging.getLogger(name).debug("from %s", name)
        assert "from slack_sdk.web " in stderr.getvalue()
        assert stderr.getvalue().count("from") == 1

    @pytest.mark.parametrize("name", ["alembic.runtime.migration", "slack_bolt", "slack_sdk.socket_mode.aiohttp"])
    def test_what_libraries_do_for_themselves_is_told_at_debug_only(self, name: str) -> None:
        assert "a new session" not in self._logged("INFO", name)
        assert "a new session" in self._logged("DEBUG", name)

    def _logged(self, level: str, name: str) -> str:
        stderr = configured(level, "console")
        logging.getLogger(name).info("a new session")
        return stderr.getvalue()

    def test_they_follow_a_higher_level(self) -> None:
        stderr = configured("ERROR", "console")
        logging.getLogger("asyncio").warning("slow")
        structlog.get_logger("bot").warning("slow")
        assert not stderr.getvalue()

    def test_configuring_again_replaces(self) -> None:
        stderr = configured("DEBUG", "console")
        stderr = configured("INFO", "json")
        logging.getLogger("bot").info("once")
        assert json.loads(stderr.getvalue())["event"] == "once"


class TestBrokenRecords:
    @pytest.mark.parametrize("format_", FORMATS)
    def test_one_that_cannot_be_rendered_is_told_without_its_text(self, format_: LogFormat) -> None:
        stderr = configured("INFO", format_)
        logging.getLogger("slack_sdk").info("%d requests of unknown7", "unknown7")
        assert "test_logs.py" in stderr.getvalue()
        assert "could not be written: TypeError" in stderr.getvalue()
        assert "unknown7" not in stderr.getvalue()

    def test_a_closed_stream_stops_nothing(self) -> None:
        stderr = configured("INFO", "console")
        stderr.close()
        logging.getLogger("bot").info("into the void")


URL_OF_A_RESPONSE = "https://hooks.slack.com/commands/T012AB/1234567890/aBcDeF"
ON_ANOTHER_HOST = "http://127.0.0.1:8765/anything/aBcDeF"


class TestShapes:
    """What is secret by its look, without anybody telling."""

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("token xoxb-12-ab_C, then", "token xoxb-***, then"),
            ("xapp-1-A0-9-ef", "xapp-***"),
            ("xoxe.xoxp-1-Mi0y", "xoxe.xoxp-***"),
            ("a\\nxoxb-1-a", "a\\nxoxb-***"),
            (f"POST {URL_OF_A_RESPONSE} 200", "POST https://hooks.slack.com/*** 200"),
            (URL_OF_A_RESPONSE.replace("/", "\\/") + '"', 'https:\\/\\/hooks.slack.com\\/***"'),
            ("https://hooks.slack-gov.com/actions/T1/2/a", "https://hooks.slack-gov.com/***"),
            ("http://localhost:1/actions/T1/22/aB?x", "http://localhost:1/actions/***"),
            ('"POST /workflows/E12/B2/aB HTTP/1.1"', '"POST /workflows/*** HTTP/1.1"'),
            ("wss://x.slack.com/link/?ticket=ab-c&app_id=7", "wss://x.slack.com/link/?ticket=***&app_id=7"),
            ("Cookie: JSESSIONID=12AB; Path=/", "Cookie: JSESSIONID=***; Path=/"),
            ("<Morsel: JSESSIONID=12AB>", "<Morsel: JSESSIONID=***>"),
            ("{'JSESSIONID': '12AB'}", "{'JSESSIONID': '***'}"),
            ("Authorization: Basic YTpi", "Authorization: Basic ***"),
            ("{'authorization': 'Bearer abc'}", "{'authorization': 'Bearer ***'}"),
            ("(b'Authorization', b'Bearer abc')", "(b'Authorization', b'Bearer ***')"),
            ("sent Bearer abcdefgh12", "sent Bearer ***"),
            ("postgresql+asyncpg://bot:p%40ss@db/x", "postgresql+asyncpg://bot:***@db/x"),
            ("token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T1", "token=***&team_id=T1"),
            ('{"token": "gIkuvaNzQIHg97ATvDxqgjtO"}', '{"token": "***"}'),
        ],
    )
    def test_it_is_masked(self, text: str, left: str) -> None:
        assert Cleaner([]).clean(text) == left

    @pytest.mark.parametrize(
        "text",
        [
            "give the bot token (xoxb-…) or the app-level token (xapp-…)",
            'File "/app/tgc/client/session.py", line 7, in <module>',
            'File "/app/Tgc/v1/client.py", line 7',
            "GET https://tgc.example.com:8443/api/v310/vmstorePool 200",
            "invalid token: not_authed",
            "no ticket: ask again",
            "mail to ops@example.com about 12:30@noon",
            "https://app.slack.com/client/T012AB/C012AB",
        ],
    )
    def test_the_rest_stays(self, text: str) -> None:
        assert Cleaner([]).clean(text) == text

    @pytest.mark.parametrize("url", [URL_OF_A_RESPONSE, ON_ANOTHER_HOST])
    @pytest.mark.parametrize(
        "write",
        [
            lambda url: urlencode({"command": "/tintri", "response_url": url, "text": "reco"}),
            lambda url: urlencode({"payload": json.dumps({"response_url": url, "a": 1})}),
            lambda url: urlencode({"payload": json.dumps({"response_url": url}).replace("/", "\\/")}),
            lambda url: json.dumps({"response_url": url, "a": 1}),
            lambda url: json.dumps({"body": json.dumps({"response_url": url}).replace("/", "\\/")}),
            lambda url: repr({"response_url": url}),
            lambda url: repr({"response_url": [url]}),
            lambda url: repr(urlencode({"response_url": url}).encode()),
            lambda url: repr([("response_url", url)]),
            lambda url: f"response_url={url}",
            lambda url: f"response_url: {url}",
            lambda url: quote(urlencode({"response_url": url})),
        ],
    )
    def test_a_response_url_is_masked_however_it_is_written(self, url: str, write: Callable[[str], str]) -> None:
        text = write(url)
        assert "aBcDeF" in text
        assert "aBcDeF" not in Cleaner([]).clean(text)


ESCAPES: dict[str, Callable[[str], str]] = {
    "JSON": json.dumps,
    "JSON in Unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "repr": repr,
    "ascii": ascii,
    "bytes": lambda text: repr(text.encode()),
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
}
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" ", exclude_characters="*"))
PASSWORDS = PRINTABLE.filter(lambda text: 4 <= len(text) <= 16 and text.isprintable())


class TestKnownSecrets:
    @given(PASSWORDS, PRINTABLE, PRINTABLE, st.lists(st.sampled_from(sorted(ESCAPES)), max_size=3))
    @example(PASSWORD, "'", '"', ["bytes", "JSON", "JSON"])
    @example("\\\\\\\\", "\\", "\\", ["JSON", "repr"])
    @example("\\ö\\ö", "", "", ["JSON", "JSON"])
    def test_none_survives_whatever_it_went_through(
        self, secret: str, before: str, after: str, escapes: list[str]
    ) -> None:
        text, spelling = before + secret + after, secret
        for name in escapes:
            text, spelling = ESCAPES[name](text), ESCAPES[name](spelling).strip("b\"'")
        cleaned = Cleaner([Secret(secret)]).clean(text)
        assert "***" in cleaned
        assert secret not in cleaned
        assert len(spelling) < 4 or spelling not in cleaned

    def test_the_longer_of_two_goes_first(self) -> None:
        assert Cleaner([Secret("pass"), Secret("password")]).clean("password pass") == "*** ***"

    def test_a_very_short_one_is_left_for_the_log_to_be_readable(self) -> None:
        assert Cleaner([Secret("abc")]).clean("abc") == "abc"

    def test_backslashes_do_not_make_it_slow(self) -> None:
        cleaner = Cleaner([Secret("\\" * 40 + "a" + "\\" * 40)])
        started = time.perf_counter()
        cleaner.clean("\\" * 2_000)
        assert time.perf_counter() - started < 1

    @given(st.data())
    def test_none_is_in_a_line_whatever_part_it_came_in(self, data: st.DataObject) -> None:
        secret = data.draw(PASSWORDS.filter(lambda text: not text.isascii() or len(set(text)) > 3))
        stream = configured("DEBUG", data.draw(st.sampled_from(FORMATS)), secret)
        log_with(data.draw(st.sampled_from(PARTS)), data.draw(PRINTABLE) + secret)
        assert "***" in stream.getvalue()
        assert secret not in stream.getvalue()
        assert json.dumps(secret)[1:-1] not in stream.getvalue()


PARTS = ("message", "argument", "mapping", "exception", "cause", "event", "value", "nested", "object")


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<Named {self.name!r}>"


def log_with(part: str, text: str) -> None:
    theirs, ours = logging.getLogger("slack_sdk"), structlog.get_logger("bot")
    match part:
        case "message":
            theirs.debug(text.replace("%", "%%"), *())
            theirs.debug("%s", text)
        case "argument":
            theirs.info("got %r", text)
        case "mapping":
            theirs.info("got %s", {"a": [text, text.encode()]})
        case "exception" | "cause":
            try:
                raise_with(text, cause=part == "cause")
            except ValueError:
                theirs.exception("failed")
                ours.exception("failed")
        case "event":
            ours.info(text)
        case "value":
            ours.info("got", value=text)
        case "nested":
            ours.info("got", value={"a": (text, text.encode())})
        case "object":
            ours.info("got", value=Named(text))


def raise_holding(cookie: str) -> None:
    raise KeyError(len(cookie))


def raise_with(text: str, *, cause: bool) -> None:
    raise ValueError("outer" if cause else text) from (KeyError(text) if cause else None)


TOKEN = "xoxb-111-222-botsecret"
APP_TOKEN = "xapp-1-A1-333-appsecret"
SIGNING_SECRET = "5igning5ecret0123456789abcdef"
VERIFICATION_TOKEN = "gIkuvaNzQIHg97ATvDxqgjtO"


class FakeSlack:
    """Web API, response_urls and Socket Mode on one local server."""

    def __init__(self) -> None:
        self.responses: list[Any] = []
        app = web.Application()
        app.router.add_post("/api/apps.connections.open", self._open)
        app.router.add_post("/api/{method}", self._call)
        app.router.add_post("/commands/{tail:.*}", self._respond)
        app.router.add_get("/link/", self._link)
        self.server = TestServer(app)

    @property
    def api_url(self) -> str:
        return str(self.server.make_url("/api/"))

    @property
    def response_url(self) -> str:
        return str(self.server.make_url("/commands/T012AB/1234567890/resp0nseSecret"))

    async def _open(self, _request: web.Request) -> web.Response:
        url = self.server.make_url("/link/").with_scheme("ws").with_query(ticket="t1cketSecret", app_id="A1")
        return web.json_response({"ok": True, "url": str(url)})

    async def _call(self, request: web.Request) -> web.Response:
        if request.match_info["method"] == "chat.postMessage":
            return web.json_response({"ok": False, "error": "invalid_auth", "echo": TOKEN})
        return web.json_response({"ok": True, "user_id": "U1", "bot_id": "B1", "team_id": "T012AB"})

    async def _respond(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        return web.Response(text="ok")

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        command = self.command() | {"trigger_id": "1.2"}
        await socket.send_json({"type": "hello", "num_connections": 1})
        await socket.send_json({"type": "slash_commands", "envelope_id": "e1", "payload": command})
        async for message in socket:
            if message.type is web.WSMsgType.TEXT:
                await socket.close()
        return socket

    def command(self) -> dict[str, str]:
        return {
            "token": VERIFICATION_TOKEN,
            "command": "/tintri",
            "text": "reco",
            "team_id": "T012AB",
            "user_id": "U1",
            "channel_id": "C1",
            "response_url": self.response_url,
        }


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    fake = FakeSlack()
    async with fake.server:
        yield fake


@pytest.mark.parametrize("format_", FORMATS)
class TestRealClients:
    """slack_sdk and Bolt at DEBUG, against a local Slack."""

    @pytest.fixture(autouse=True)
    def _configured(self, format_: LogFormat) -> None:
        self.stderr = configured("DEBUG", format_, TOKEN, APP_TOKEN, SIGNING_SECRET)

    def assert_clean(self, *logged: str) -> None:
        text = self.stderr.getvalue()
        for words in logged:
            assert words in text
        for secret in ("botsecret", "appsecret", SIGNING_SECRET, "resp0nseSecret", "t1cketSecret", VERIFICATION_TOKEN):
            assert secret not in text

    async def test_a_web_api_call(self, slack: FakeSlack) -> None:
        client = AsyncWebClient(token=TOKEN, base_url=slack.api_url)
        await client.auth_test()
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C1", text=f"{slack.response_url} {TOKEN}")
        structlog.get_logger("bot").error("refused", error=caught.value, exc_info=caught.value)
        self.assert_clean("Sending a request", "invalid_auth")

    async def test_a_response_url(self, slack: FakeSlack) -> None:
        at_once = AsyncConnectionErrorRetryHandler(interval_calculator=FixedValueRetryIntervalCalculator(0))
        client = AsyncWebhookClient(slack.response_url, retry_handlers=[at_once])
        await client.send(text="hello")
        await slack.server.close()
        with pytest.raises(OSError, match="Cannot connect"):
            await client.send(text="hello")
        self.assert_clean()

    async def test_a_command_and_its_answer(self, slack: FakeSlack) -> None:
        app = AsyncApp(signing_secret=SIGNING_SECRET, client=AsyncWebClient(token=TOKEN, base_url=slack.api_url))

        async def listen(ack: AsyncAck, respond: AsyncRespond) -> None:
            await ack()
            await respond(text="hello")

        app.command("/tintri")(listen)
        response = await app.async_dispatch(self._signed(slack.command(), SIGNING_SECRET))
        assert response.status == 200
        await until(lambda: bool(slack.responses))
        response = await app.async_dispatch(self._signed(slack.command() | {"command": "/other"}, SIGNING_SECRET))
        assert response.status == 404
        self.assert_clean("Unhandled request", "Sending a request")

    async def test_a_click(self, slack: FakeSlack) -> None:
        app = AsyncApp(signing_secret=SIGNING_SECRET, client=AsyncWebClient(token=TOKEN, base_url=slack.api_url))

        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            logging.getLogger("bot").error("clicked %s", body, exc_info=ValueError(body))

        app.action("go")(listen)
        payload = {
            "type": "block_actions",
            "token": VERIFICATION_TOKEN,
            "team": {"id": "T012AB"},
            "user": {"id": "U1"},
            "response_url": slack.response_url,
            "actions": [{"type": "button", "action_id": "go", "block_id": "b", "value": "1"}],
        }
        await app.async_dispatch(self._signed({"payload": json.dumps(payload)}, SIGNING_SECRET))
        self.assert_clean("clicked", "ValueError")

    async def test_socket_mode(self, slack: FakeSlack) -> None:
        app = AsyncApp(signing_secret="unused", client=AsyncWebClient(token=TOKEN, base_url=slack.api_url))
        heard = asyncio.Event()

        async def listen(ack: AsyncAck) -> None:
            await ack()
            heard.set()

        app.command("/tintri")(listen)
        handler = AsyncSocketModeHandler(app, APP_TOKEN)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's
        try:
            await asyncio.wait_for(heard.wait(), 10)
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt's
        self.assert_clean("A new session", "app_id=A1")

    def _signed(self, form: dict[str, str], secret: str) -> AsyncBoltRequest:
        body, timestamp = urlencode(form), str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
        headers: dict[str, str | Sequence[str]] = {
            "content-type": ["application/x-www-form-urlencoded"],
            "x-slack-request-timestamp": [timestamp],
            "x-slack-signature": [signature or ""],
        }
        return AsyncBoltRequest(body=body, headers=headers)
