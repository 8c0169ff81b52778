"""Requests that Slack did not send, people who may not, and what must not leak."""

import asyncio
import contextlib
import io
import itertools
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import structlog

from bot.logs import configure
from bot.pool_rules import Approvers
from bot.rendering import ids
from bot.settings import LogFormat, Secret
from bot.web import MAX_BODY_BYTES
from playground.slack import Forgery
from playground.slack_courier import signature
from playground.slack_payloads import VERIFICATION_TOKEN
from playground.slack_workspace import BOT_USER_ID
from playground.tgc_faults import Fault
from tests.scenarios.stage import PASSWORD, STORAGE, Stage, buttons

FORM = "application/x-www-form-urlencoded"


class Outsider:
    """Somebody who reaches the bot's port."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self._stage = stage
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(f"http://127.0.0.1:{self._stage.settings.port}{path}") as response:
            return response.status, await response.text()

    async def sees(self, status: int, said: str) -> str:
        """Look at /readyz until it says so; time goes on meanwhile."""
        async with asyncio.timeout(15):
            while True:
                now, body = await self.get("/readyz")
                if now == status and said in body:
                    return body
                self._stage.clock.move(timedelta(seconds=1))

    async def post(
        self, body: bytes | io.BytesIO, headers: Mapping[str, str] | None = None, content_type: str = FORM
    ) -> int:
        url = f"http://127.0.0.1:{self._stage.settings.port}/slack/events"
        async with self._session.post(url, data=body, headers={"Content-Type": content_type, **(headers or {})}) as r:
            return r.status

    async def post_signed(self, body: bytes, *, secret: str | None = None, content_type: str = FORM) -> int:
        return await self.post(body, self.signed(body, secret=secret), content_type)

    def signed(self, body: bytes, *, secret: str | None = None, sent_at: int | None = None) -> dict[str, str]:
        sent_at = int(time.time()) if sent_at is None else sent_at
        sign = signature(secret or self._stage.slack.signing_secret, sent_at, body)
        return {"X-Slack-Request-Timestamp": str(sent_at), "X-Slack-Signature": sign}

    def command(self, **changes: str) -> bytes:
        user = self._stage.slack.person("alice").user
        form = {
            "command": "/tintri",
            "text": "reco",
            "team_id": user.team_id,
            "user_id": user.id,
            "trigger_id": "1.2.a",
        }
        response_url = f"{self._stage.slack.url}/response/of-an-outsider"
        return urlencode({**form, "channel_id": "C0STORAGE", "response_url": response_url, **changes}).encode()


@pytest.fixture
async def outsider(stage: Stage) -> AsyncIterator[Outsider]:
    async with aiohttp.ClientSession() as session:
        yield Outsider(stage, session)


def uses_of_response_urls(stage: Stage) -> int:
    return len(stage.slack.calls_of("response_url"))


NOT_SIGNATURES: tuple[dict[str, str], ...] = (
    {},
    {"X-Slack-Signature": "v0=00"},
    *(
        {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": "v0=00"}
        for timestamp in ("soon", "", "9" * 40, "-1", "1.5e9", "٣")
    ),
)
GARBAGE = (b"", b"\xff\xfe\x00", b"{", b"payload=%7B", b"\x00" * 100)
CONTENT_TYPES = (FORM, "application/json", "text/plain; charset=nonsense", "image/png")


class TestRequestsOverHttp:
    @pytest.fixture(autouse=True)
    async def _over_http(self, stage: Stage) -> AsyncIterator[None]:
        stage.use_http()
        await stage.start_bot()
        yield
        await stage.settle()
        assert uses_of_response_urls(stage) == 0, "somebody was answered"

    async def test_without_a_proper_signature_they_are_refused(self, outsider: Outsider) -> None:
        body = outsider.command()
        for headers in NOT_SIGNATURES:
            assert await outsider.post(body, headers) == 401, headers
        for sign in ("", "v0=ö", "v1=00", "v0=" + "0" * 64, "v0="):
            assert await outsider.post(body, {**outsider.signed(body), "X-Slack-Signature": sign}) == 401, sign

    async def test_a_signature_of_another_app_or_another_body_is_refused(self, outsider: Outsider) -> None:
        assert await outsider.post_signed(outsider.command(), secret="another app's secret") == 401
        assert await outsider.post(outsider.command(), outsider.signed(outsider.command(text="help"))) == 401

    async def test_a_stale_or_future_timestamp_is_refused(self, outsider: Outsider) -> None:
        body = outsider.command()
        for seconds in (-302, 302, -100_000):
            assert await outsider.post(body, outsider.signed(body, sent_at=int(time.time()) + seconds)) == 401

    async def test_unsigned_garbage_is_refused(self, outsider: Outsider) -> None:
        wrong = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=00"}
        for body, content_type, headers in itertools.product(GARBAGE, CONTENT_TYPES, ({}, wrong)):
            assert await outsider.post(body, headers, content_type) == 401, (body, content_type)

    async def test_a_body_above_a_megabyte_is_refused(self, outsider: Outsider) -> None:
        body = outsider.command(text="x" * MAX_BODY_BYTES)
        assert await outsider.post(io.BytesIO(body), outsider.signed(body)) == 413
        assert await outsider.post(io.BytesIO(body)) == 413

    async def test_slacks_looks_at_the_url_are_answered(self, outsider: Outsider) -> None:
        assert await outsider.post(b"token=x&ssl_check=1") == 200
        assert (await outsider.get("/slack/events?ssl_check=1"))[0] == 200
        assert (await outsider.get("/slack/events"))[0] == 401
        challenge = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}).encode()
        assert await outsider.post_signed(challenge, content_type="application/json") == 200
        assert await outsider.post(challenge, content_type="application/json") == 401

    async def test_a_signed_command_is_taken(self, stage: Stage, outsider: Outsider) -> None:
        """Else the refusals above prove nothing."""
        assert await outsider.post_signed(outsider.command(text="help")) == 200
        await stage.until(lambda: uses_of_response_urls(stage) > 0)
        await stage.settle()
        stage.slack.calls.clear()


async def test_in_socket_mode_the_http_entrance_takes_nothing(stage: Stage, outsider: Outsider) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    assert await outsider.post_signed(outsider.command()) == 503
    assert await outsider.post(outsider.command()) == 503
    await stage.settle()
    assert uses_of_response_urls(stage) == 0


async def test_what_is_refused_is_not_logged(stage: Stage, outsider: Outsider) -> None:
    stage.use_http()
    with logged("INFO", "console", stage) as log:
        await stage.start_bot()
        await outsider.post_signed(outsider.command(token="gIkuvaNzQIHg97ATvDxqgjtO"), secret="another app's")
        await outsider.post(b"\xff" * 100)
        await stage.stop_bot()
    assert "of-an-outsider" not in log.getvalue()
    assert "gIkuva" not in log.getvalue()
    assert "Traceback" not in log.getvalue()


# ---------------------------------------------------------------- people who may not


def answered(stage: Stage, who: str, count: int) -> bool:
    return len(stage.slack.ephemerals(who)) == count


EVERYBODY = Approvers(everyone=True)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_with_everybody_an_approver_others_than_full_members_do_nothing(stage: Stage, mode: str) -> None:
    if mode == "http":
        stage.use_http()
    stage.set(reco_approvers=EVERYBODY)
    await stage.start_bot()
    await stage.cards_posted(3)
    card = stage.card("Production")
    before = len(stage.tgc.calls)
    # Of another workspace are frank and olga, guests gina and uma, dave is gone, robot a bot.
    for who in ("frank", "olga", "gina", "uma", "dave", "robot"):
        person = stage.slack.person(who)
        for action in (ids.ACCEPT, ids.DISMISS, ids.DETAILS):
            assert (await person.click(card, action)).acknowledged
        for words in ("/tintri reco", "/tintri pause", "/tintri resume", "/tintri audit", "/tintri help"):
            assert (await person.command(words)).acknowledged
        await stage.until(partial(answered, stage, who, 8))
        for told in stage.slack.ephemerals(who):
            assert "only" in told.text
            assert "Production" not in told.text
        assert stage.slack.modals(who) == []
    await stage.settle()
    assert [call.path for call in stage.tgc.calls[before:] if call.method != "GET"] == []
    assert buttons(card) == ["Accept", "Dismiss", "Details"]
    assert len(stage.slack.messages(STORAGE)) == 3


async def test_a_press_under_a_false_team_does_nothing(stage: Stage) -> None:
    """Slack names the presser's own team in `user`; the bot must not take the app's team for it."""
    stage.set(reco_approvers=EVERYBODY)
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, card = stage.slack.person("alice"), stage.card("Production")
    details = await alice.click(card, ids.DETAILS)
    action = {**details.payload["actions"][0], "action_id": ids.ACCEPT}
    user = {**details.payload["user"], "team_id": "T0ELSEWHR"}
    await stage.slack.forge(details, actions=[action], user=user)
    await stage.answer("alice", "from another one")
    await stage.settle()
    assert stage.tgc.accepts == []


async def test_a_forged_or_stale_press_does_nothing(stage: Stage) -> None:
    stage.use_http()
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, card = stage.slack.person("alice"), stage.card("Production")
    details = await alice.click(card, ids.DETAILS)
    await stage.until(lambda: stage.slack.modals("alice"))
    action = {**details.payload["actions"][0], "action_id": ids.ACCEPT}
    for forgery in (
        Forgery(signing_secret="guessed"),
        Forgery(sent_at=time.time() - 400),
        Forgery(headers={"X-Slack-Signature": "v0=ö"}),
    ):
        delivery = await stage.slack.forge(details, forgery, actions=[action])
        assert delivery.status == 401
    await stage.settle()
    assert stage.tgc.accepts == []
    assert buttons(card) == ["Accept", "Dismiss", "Details"]


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_replayed_press_and_a_replayed_command_do_nothing_more(stage: Stage, mode: str) -> None:
    if mode == "http":
        stage.use_http()
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, card = stage.slack.person("alice"), stage.card("Production")
    pressed = await alice.click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await alice.click(card, ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))
    for _ in range(3):
        assert (await stage.slack.redeliver(pressed)).acknowledged
    paused = await alice.command("/tintri pause")
    await stage.cards_posted(4)
    assert (await stage.slack.redeliver(paused)).acknowledged
    await stage.pass_time(seconds=30)
    assert "Dismiss" in buttons(card)
    assert len(stage.cards) == 4


# ---------------------------------------------------------------- what must not leak


@contextlib.contextmanager
def logged(level: str, format_: LogFormat, stage: Stage) -> Iterator[io.StringIO]:
    """What the bot writes to stderr meanwhile."""
    root, stream = logging.getLogger(), io.StringIO()
    was = root.level, root.handlers[:]
    with contextlib.redirect_stderr(stream):
        configure(level, format_, stage.settings.secrets())
    try:
        yield stream
    finally:
        root.setLevel(was[0])
        root.handlers[:] = was[1]
        structlog.reset_defaults()


@pytest.mark.parametrize(("mode", "format_"), [("socket", "console"), ("http", "json")])
async def test_logs_at_debug_and_the_database_hold_no_secret(
    stage: Stage, mode: str, format_: LogFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode == "http":
        stage.use_http()
    tickets = keep_tickets(stage, monkeypatch)
    with logged("DEBUG", format_, stage) as log:
        await stage.start_bot()
        await stage.cards_posted(3)
        await the_main_path(stage)
        await stage.pass_time(minutes=3)
        in_use = files_of(stage)
        await stage.stop_bot()
    text = log.getvalue()
    assert "Sending a request" in text, "slack_sdk did not log at DEBUG"
    response_urls = list(stage.slack._responses._issued)
    sessions = {call.session for call in stage.tgc.calls if call.session}
    assert len(response_urls) >= 7
    assert sessions
    assert tickets or mode == "http"
    slack = stage.slack
    tokens = (PASSWORD, slack.bot_token, slack.app_token, slack.signing_secret, VERIFICATION_TOKEN)
    for secret in (*tokens, *response_urls, *sessions, *tickets):
        assert [line for line in text.splitlines() if secret in line] == []
        assert secret.encode() not in in_use + files_of(stage)


def keep_tickets(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What lets a connection in at Slack's Socket Mode, as it is handed out."""
    handed_out: list[str] = []
    issue = stage.slack.sockets.ticket

    def ticket() -> str:
        handed_out.append(issue())
        return handed_out[-1]

    monkeypatch.setattr(stage.slack.sockets, "ticket", ticket)
    return handed_out


async def the_main_path(stage: Stage) -> None:
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    card = stage.card("Production")
    await alice.command("/tintri reco")
    shown = await stage.answer("alice", "3 of 3 pools")
    await alice.click(shown, ids.SHOW, _first_value(shown.blocks))
    await bob.click(card, ids.DETAILS)
    await stage.until(lambda: stage.slack.modals("bob"))
    await bob.click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await bob.click(card, ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))
    stage.slack.faults.fail("response_url", status=500)
    await alice.click(card, ids.ACCEPT)
    await stage.until(lambda: "Cancel" in buttons(card))
    stage.tgc.fault(Fault("expired_session", "/vmstorePool", times=1))
    await bob.command("/tintri wash-up")
    await stage.answer("bob", "is nothing I know")


def _first_value(blocks: list[dict[str, Any]]) -> str:
    values = [block["accessory"]["value"] for block in blocks if "accessory" in block]
    return str(values[0])


def files_of(stage: Stage) -> bytes:
    """The database as it is on the disk, with all that SQLite keeps beside it."""
    return b"".join(path.read_bytes() for path in sorted(stage.folder.glob("bot.db*")))


async def test_what_anybody_may_read_names_nobody_and_nothing(stage: Stage, outsider: Outsider) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await the_main_path(stage)
    shown = [await outsider.get(path) for path in ("/healthz", "/readyz", "/metrics")]
    assert [status for status, _ in shown] == [200, 200, 200]
    text = "".join(body for _, body in shown)
    names = [pool.name for pool in stage.world.pools] + [vm.name for vm in stage.world.vms.values()]
    people = ["alice", "bob", stage.slack.person("alice").user.id]
    secrets = [secret.reveal() for secret in stage.settings.secrets()]
    for hidden in (*names, *people, *secrets, stage.tgc.url, "@", stage.settings.reco_channel or ""):
        assert hidden not in text


# ---------------------------------------------------------------- accounts at the TGC lock


async def test_a_password_that_is_wrong_is_tried_at_most_three_times(stage: Stage, outsider: Outsider) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.tgc.password = "changed at the TGC"
    stage.tgc.session_table.close_all()
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    for _ in range(3):
        await asyncio.gather(*(person.command("/tintri reco") for person in (alice, bob) for _ in range(5)))
        for card in stage.cards[:3]:
            await alice.click(card, ids.ACCEPT)
            await bob.click(card, ids.DETAILS)
        await stage.pass_time(minutes=2)
        await stage.restart_bot()
    await stage.answer("alice", "refused the login")
    assert 1 <= stage.tgc.refused_logins <= 3
    assert not stage.tgc.locked
    await outsider.sees(200, '"tgc":"not readable since ')

    refused = stage.tgc.refused_logins
    await stage.jump(minutes=16)
    await stage.until(lambda: stage.tgc.refused_logins > refused)
    await stage.settle()
    for _ in range(12):
        await stage.jump(minutes=16)
    assert stage.tgc.refused_logins == 3
    await alice_is_told(stage, "refused this user name and password three times")
    await stage.restart_bot()
    await stage.jump(minutes=16)
    assert stage.tgc.refused_logins == 3
    assert not stage.tgc.locked
    stage.set(tgc_password=Secret("changed at the TGC"))
    await stage.restart_bot()
    await stage.until(lambda: stage.tgc.sessions == 1)
    await outsider.sees(200, '"tgc":"ok"')


async def test_with_a_wrong_password_from_the_start_the_bot_runs(stage: Stage, outsider: Outsider) -> None:
    stage.set(tgc_password=Secret("wrong"))
    await stage.start_bot()
    await alice_is_told(stage, "refused the login")
    await stage.pass_time(minutes=10)
    await outsider.sees(200, '"tgc":"not readable since ')
    assert stage.tgc.refused_logins == 1


async def alice_is_told(stage: Stage, said: str) -> None:
    await stage.slack.person("alice").command("/tintri reco")
    await stage.answer("alice", said)


async def test_it_is_ready_once_the_first_sweep_was_tried(stage: Stage, outsider: Outsider) -> None:
    hang = stage.tgc.fault(Fault("hang_before", "/vmstorePool"))
    await stage.start_bot()
    await stage.until(hang.reached.is_set)
    status, body = await outsider.get("/readyz")
    assert (status, json.loads(body)["swept"]) == (503, False)
    assert (await outsider.get("/healthz"))[0] == 200
    stage.tgc.clear_faults()
    assert json.loads(await outsider.sees(200, '"swept":true')) == {
        "ready": True,
        "database": "ok",
        "slack": "ok",
        "loops": "ok",
        "swept": True,
        "tgc": "ok",
        "approvers": "ok",
        "channel": "ok",
        "mail": "off",
    }


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_revoked_token_shows_and_so_does_its_return(
    stage: Stage, outsider: Outsider, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if mode == "http":
        stage.use_http()
    await stage.start_bot()
    await stage.cards_posted(3)
    await outsider.sees(200, '"slack":"ok"')
    assert "tintri_bot_slack_up 1.0" in (await outsider.get("/metrics"))[1]
    token = stage.slack.tokens[stage.slack.bot_token]
    token.error = "token_revoked"
    await outsider.sees(503, '"slack":"not connected"')
    assert "tintri_bot_slack_up 0.0" in (await outsider.get("/metrics"))[1]
    assert "Slack refuses the bot's token: check SLACK_BOT_TOKEN" in capsys.readouterr().out
    token.error = None
    await outsider.sees(200, '"slack":"ok"')
    assert "tintri_bot_slack_up 1.0" in (await outsider.get("/metrics"))[1]


async def test_a_channel_that_the_bot_is_not_in_shows_where_nobody_can_be_told(
    stage: Stage, outsider: Outsider, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.set(reco_approvers=Approvers(everyone=True))
    stage.slack.channel(STORAGE).members.discard(BOT_USER_ID)
    await stage.start_bot()
    await outsider.sees(200, '"channel":"refuses the bot\'s messages; the log says what to do"')
    assert capsys.readouterr().out.count("type /invite @tintri in it, or correct RECO_CHANNEL") == 1
    stage.slack.channel(STORAGE).members.add(BOT_USER_ID)
    await stage.cards_posted(3)
    await outsider.sees(200, '"channel":"ok"')


async def test_without_approvers_it_is_ready_and_says_so(stage: Stage, outsider: Outsider) -> None:
    stage.set(reco_approvers=Approvers())
    await stage.start_bot()
    await outsider.sees(200, "RECO_APPROVERS is empty")


async def test_a_scope_that_is_missing_at_the_start_is_named_once_with_what_it_serves(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.slack.scopes.difference_update({"groups:history", "usergroups:read"})
    await stage.start_bot()
    await stage.settle()
    warned = [line for line in capsys.readouterr().out.splitlines() if "a Slack scope is missing" in line]
    assert len(warned) == 2
    for line, scope, serves in zip(
        warned,
        ("groups:history", "usergroups:read"),
        ("finding posts whose answer was lost, in a private channel", "approvers by user group"),
        strict=True,
    ):
        assert "add it and install the app again" in line
        assert scope in line
        assert serves in line
