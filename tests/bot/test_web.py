"""The HTTP side alone: who gets through to Bolt, and what health says. The whole is in tests/scenarios."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.clock import SystemClock
from bot.health import Health, Readiness
from bot.storage.database import open_database
from bot.web import slack_events_of, web_app
from playground.slack_courier import signature

SECRET = "a-signing-secret"
FORM = "application/x-www-form-urlencoded"
Client = TestClient[web.Request, web.Application]


class Heard:
    """What reached the listener."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def listen(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        self.texts.append(body.get("text", ""))


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U1")


async def readiness() -> Readiness:
    return Readiness(
        ready=False,
        database="ok",
        slack="ok",
        loops="ok",
        swept=False,
        tgc="ok",
        approvers="ok",
        channel="ok",
        mail="off",
    )


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def client(heard: Heard) -> AsyncIterator[Client]:
    app = AsyncApp(authorize=authorize, request_verification_enabled=False)
    app.command("/tintri")(heard.listen)
    async with TestClient(TestServer(web_app(readiness, slack_events_of(app, SECRET)))) as opened:
        yield opened


def signed(body: bytes, *, sent_at: int | None = None) -> dict[str, str]:
    sent_at = int(time.time()) if sent_at is None else sent_at
    return {
        "Content-Type": FORM,
        "X-Slack-Request-Timestamp": str(sent_at),
        "X-Slack-Signature": signature(SECRET, sent_at, body),
    }


async def post(client: Client, body: bytes, headers: dict[str, str]) -> int:
    async with client.post("/slack/events", data=body, headers=headers) as response:
        return response.status


async def test_what_slack_signed_is_heard(client: Client, heard: Heard) -> None:
    body = "command=%2Ftintri&text=Größe".encode()
    assert await post(client, body, signed(body)) == 200
    assert heard.texts == ["Größe"]


async def test_what_bolt_cannot_read_is_acknowledged_all_the_same(client: Client, heard: Heard) -> None:
    for body in (b"payload=%7B", b"payload=%5B1%5D", b"", b"command=%2Fother", b"payload=%7B%22team%22%3A%22x%22%7D"):
        assert await post(client, body, signed(body)) == 200
    assert heard.texts == []


async def test_five_minutes_are_the_limit(client: Client) -> None:
    body, now = b"command=%2Ftintri", int(time.time())
    assert await post(client, body, signed(body, sent_at=now - 295)) == 200
    assert await post(client, body, signed(body, sent_at=now - 302)) == 401


async def test_odd_headers_and_bodies_are_refused_and_never_an_error(client: Client, heard: Heard) -> None:
    odd: list[tuple[bytes, str, str]] = []
    visible = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), max_size=20)

    @given(st.binary(max_size=50), visible, visible | visible.map(lambda text: f"v0={text}"))
    def draw(body: bytes, timestamp: str, sign: str) -> None:
        odd.append((body, timestamp, sign))

    draw()
    now = str(int(time.time()))
    for body, timestamp, sign in odd:
        for stamp in (timestamp, now):
            headers = {"Content-Type": FORM, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": sign}
            assert await post(client, body, headers) == 401
    assert heard.texts == []


async def test_only_what_there_is_is_served(client: Client) -> None:
    for path, status in (("/", 404), ("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/slack/events", 401)):
        async with client.get(path) as response:
            assert response.status == status, path


class TestHealth:
    async def test_before_anything_is_open(self) -> None:
        state = await Health(["default"], SystemClock()).readiness()
        assert not state.ready
        assert (state.database, state.slack, state.tgc) == ("not open yet", "not connected", "not known yet")

    async def test_it_depends_on_the_database_slack_and_the_first_sweep(self, tmp_path: Path) -> None:
        health = Health(["default"], SystemClock())
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as database:
            health.database = database
            for slack_is_up in (False, True):
                for swept in (False, True):
                    health.slack_is_up, health.swept = [lambda: False, lambda: True][slack_is_up], swept
                    assert (await health.readiness()).ready is (slack_is_up and swept)
            health.is_stopping = True
            assert not (await health.readiness()).ready

    async def test_a_database_that_only_reads_is_none(self, tmp_path: Path) -> None:
        health = Health(["default"], SystemClock())
        health.slack_is_up, health.swept = (lambda: True), True
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as database:
            health.database = database
            async with database.write() as connection:
                await connection.exec_driver_sql("DROP TABLE leases")
            state = await health.readiness()
        assert (state.ready, state.database) == (False, "cannot be written to")
        assert state.tgc == "not known"
