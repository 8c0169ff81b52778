"""The page's server: whom it answers, what it shows to whom, what people and the drawers' controls do through it."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.page import Example, Page
from playground.page_traffic import HIDDEN
from playground.slack import APP_TOKEN, BOT_TOKEN, Slack
from playground.tgc import SimulatedTgc
from playground.world import World

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]
STORAGE, SECRET = "C0STORAGE", "C0SECRET0"
ALICE, BOB, FRANK = "U0ALICE00", "U0BOB0000", "U0FRANK00"


class Browser:
    """What a page in a browser can ask."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self.address = address.rstrip("/")

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        timeout = aiohttp.ClientTimeout(total=10)  # events would go on for ever
        async with self._session.get(self.address + path, headers=headers, timeout=timeout) as response:
            return response.status, await response.text()

    async def json(self, path: str) -> Any:
        status, body = await self.get(path)
        assert status == 200, body
        return json.loads(body)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, str]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        async with self._session.post(self.address + path, data=content, headers=sent) as response:
            return response.status, await response.text()

    async def act(self, who: str, act: str, **parts: Any) -> Json:
        status, body = await self.post("/api/acts", {"who": who, "act": act, **parts})
        return json.loads(body) if status == 200 else {"status": status, "sentence": body}

    async def control(self, control: str, **parts: Any) -> tuple[int, str]:
        return await self.post("/api/controls", {"control": control, **parts})

    async def seen(self, who: str, part: str, fits: Callable[[Any], object]) -> Any:
        """Listen until that part of the state fits."""
        address = f"{self.address}/api/events?who={who}"
        timeout = aiohttp.ClientTimeout(total=10)
        async with self._session.get(address, timeout=timeout) as response:
            assert response.status == 200, await response.text()
            event = ""
            async for line in response.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == part and fits(state := json.loads(value)):
                    return state
        raise AssertionError("The stream ended.")

    async def messages(self, who: str, fits: Callable[[list[Json]], object] = bool) -> list[Json]:
        """Those of #storage, once they fit."""

        def there(state: Json) -> list[Json]:
            return next(channel["messages"] for channel in state["channels"] if channel["id"] == STORAGE)

        return there(await self.seen(who, "slack", lambda state: fits(there(state))))


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(ack_timeout_s=1.0)
    async with slack.serve():
        yield slack


@pytest.fixture
async def tgc() -> AsyncIterator[SimulatedTgc]:
    tgc = SimulatedTgc(World.seeded(pools=2))
    async with tgc.serve():
        yield tgc


@pytest.fixture
async def page(slack: Slack, tgc: SimulatedTgc) -> AsyncIterator[Page]:
    about = {"alice": "approver", "carol": "no approver"}
    page = Page(slack, tgc, about=about, examples=[Example("/tintri reco", "every pool")], note="Soon.", port=0)
    async with page.serve():
        yield page


@pytest.fixture
async def browser(page: Page) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession() as session:
        yield Browser(session, page.url)


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[AsyncApp]:
    """A Bolt app that knows nothing of the page."""
    app = AsyncApp(client=AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url))

    @app.command("/ask")
    async def ask(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        await ack()
        await respond(f"{command['user_name']} asked: {command['text']}")

    @app.action("open")
    async def opened(ack: AsyncAck, client: AsyncWebClient, body: Json) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=_modal())

    @app.action("day")
    async def picked(ack: AsyncAck, respond: AsyncRespond, action: Json) -> None:
        await ack()
        await respond(f"picked {action['selected_date']}", replace_original=False)

    @app.view("form")
    async def submitted(ack: AsyncAck, view: Json) -> None:
        reason = view["state"]["values"]["why"]["reason"]["value"]
        if len(reason) < 5:
            await ack(response_action="errors", errors={"why": "Say more."})
        else:
            await ack()

    handler = AsyncSocketModeHandler(app, APP_TOKEN)
    await handler.connect_async()  # type: ignore[no-untyped-call] # untyped in slack-bolt
    await slack.until(lambda: slack.sockets.connections)
    try:
        yield app
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call] # untyped in slack-bolt


def _modal() -> Json:
    reason = {"type": "plain_text_input", "action_id": "reason"}
    label = {"type": "plain_text", "text": "Reason"}
    return {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "Why?"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [{"type": "input", "block_id": "why", "label": label, "element": reason}],
    }


def _buttons() -> list[Json]:
    button = {"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Open"}}
    return [{"type": "actions", "elements": [button, {"type": "datepicker", "action_id": "day"}]}]


class TestWhomItAnswers:
    async def test_the_page_and_its_two_files_with_a_policy_that_loads_nothing_from_elsewhere(
        self, browser: Browser
    ) -> None:
        async with aiohttp.ClientSession() as session, session.get(browser.address) as response:
            assert response.status == 200
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            index = await response.text()
        for path in ("/page.js", "/page.css"):
            assert path in index
            assert (await browser.get(path))[0] == 200
        assert "//" not in index.replace("http://www.w3.org/2000/svg", "")

    async def test_it_listens_on_loopback_alone(self, page: Page) -> None:
        assert page.url.startswith("http://127.0.0.1:")
        assert page._runner is not None
        assert [address[0] for address in page._runner.addresses] == ["127.0.0.1"]

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "[::1]"])
    @pytest.mark.parametrize("path", ["/", "/api/setting", "/api/events?who=alice", "/nowhere"])
    async def test_another_host_is_refused(self, browser: Browser, host: str, path: str) -> None:
        status, sentence = await browser.get(path, Host=host)
        assert (status, sentence) == (403, f"This page is at {browser.address}/ only.")

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:1"])
    async def test_another_origin_is_refused_and_does_nothing(
        self, browser: Browser, slack: Slack, origin: str
    ) -> None:
        act = {"who": ALICE, "act": "say", "channel": STORAGE, "text": "hello"}
        assert (await browser.post("/api/acts", act, Origin=origin))[0] == 403
        assert (await browser.get("/api/events?who=alice", Origin=origin))[0] == 403
        assert slack.messages("storage") == []

    async def test_its_own_origin_by_either_name_is_answered(self, browser: Browser) -> None:
        for host in (browser.address.removeprefix("http://"), browser.address.replace("http://127.0.0.1", "localhost")):
            assert (await browser.get("/api/setting", Host=host, Origin=f"http://{host}"))[0] == 200

    async def test_a_taken_port_gives_way_to_a_free_one(self, slack: Slack) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            async with Page(slack, port=port).serve() as address:
                assert address != f"http://127.0.0.1:{port}/"
                async with aiohttp.ClientSession() as session:
                    assert (await Browser(session, address).get("/"))[0] == 200

    async def test_a_restart_ends_open_streams_and_keeps_the_address(self, page: Page, browser: Browser) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{browser.address}/api/events?who=alice") as stream,
        ):
            assert await stream.content.readline() == b"event: slack\n"
            address = page.url
            await page.stop()
            with pytest.raises(aiohttp.ClientError):
                await stream.read()
        assert await page.start() == address
        await browser.messages("alice", lambda messages: messages == [])


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"nonsense",
            b"\xff",
            [],
            {},
            {"control": "explode"},
            {"control": "speed"},
            {"control": "speed", "move_minutes": 0},
            {"control": "speed", "move_minutes": 1e-300},
            {"control": "speed", "move_minutes": "fast"},
            {"control": "latency", "seconds": -1},
            {"control": "latency", "seconds": 1e9},
            {"control": "service", "state": "sideways"},
            {"control": "new_recommendation"},
            {"control": "new_recommendation", "pool": "x", "moves": 0},
            {"control": "new_recommendation", "pool": "x", "moves": 10_000},
            {"control": "new_recommendation", "pool": "x", "issues": []},
            {"control": "new_recommendation", "pool": "x", "issues": ["BOREDOM"]},
            {"control": "expire", "pool": 7},
            {"control": "expire", "pool": "x", "more": 1},
        ],
    )
    async def test_a_control_gets_400_and_a_sentence(self, browser: Browser, tgc: SimulatedTgc, body: Any) -> None:
        minutes = tgc.world.move_minutes
        status, sentence = await browser.post("/api/controls", body)
        assert status == 400
        assert sentence.startswith("The body is not what this address takes: ")
        assert sentence.endswith(".")
        assert len(sentence.splitlines()) == 1
        assert tgc.world.move_minutes == minutes

    @pytest.mark.parametrize(
        "body",
        [
            {"act": "command", "who": ALICE, "channel": STORAGE, "words": "reco"},
            {"act": "say", "who": ALICE, "channel": STORAGE, "text": ""},
            {"act": "submit", "who": ALICE},
            {"act": "dance", "who": ALICE},
            {"act": "open_home"},
        ],
    )
    async def test_so_does_an_act(self, browser: Browser, body: Json) -> None:
        status, sentence = await browser.post("/api/acts", body)
        assert status == 400
        assert len(sentence.splitlines()) == 1

    async def test_so_does_a_body_that_cannot_be_read(self, browser: Browser) -> None:
        deep = b"[" * 50_000 + b"]" * 50_000
        values = b'{"act": "submit", "who": "alice", "view": "V1", "values": {"reason": %s}}' % deep
        assert await browser.post("/api/acts", values) == (400, "The body is nested too deeply.")
        undone = await browser.post("/api/controls", b"no gzip", **{"Content-Encoding": "gzip"})
        assert undone == (400, "The body is not encoded as its headers say.")

    async def test_only_json_is_taken(self, browser: Browser, tgc: SimulatedTgc) -> None:
        """A form on another site can send text/plain, but no JSON."""
        body = {"control": "service", "state": "down"}
        status, sentence = await browser.post("/api/controls", body, **{"Content-Type": "text/plain"})
        assert (status, sentence) == (400, "The body must be JSON, with the content type application/json.")
        assert tgc.is_serving


class TestWhatPeopleDo:
    @pytest.mark.usefixtures("app")
    async def test_a_command_is_answered_to_who_typed_it(self, browser: Browser) -> None:
        assert await browser.act(ALICE, "command", channel=STORAGE, words="/ask how late") == {"trouble": None}
        (answer,) = await browser.messages(ALICE)
        assert answer["text"] == "alice asked: how late"
        assert answer["is_ephemeral"]
        assert await browser.messages(BOB, lambda messages: messages == []) == []

    async def test_a_press_opens_a_modal_whose_mistakes_are_shown_until_it_is_right(
        self, browser: Browser, slack: Slack, app: AsyncApp
    ) -> None:
        posted = await app.client.chat_postMessage(channel=STORAGE, text="Press", blocks=_buttons())
        pressed = await browser.act(ALICE, "press", channel=STORAGE, ts=posted["ts"], action_id="open")
        assert pressed == {"trouble": None}
        state = await browser.seen(ALICE, "slack", lambda state: state["modals"])
        (modal,) = state["modals"]
        assert modal["title"]["text"] == "Why?"

        empty = await browser.act(ALICE, "submit", view=modal["id"])
        assert empty == {"status": 409, "sentence": "reason must be filled in."}
        assert await browser.act(ALICE, "submit", view=modal["id"], values={"reason": "so"}) == {"trouble": None}
        state = await browser.seen(ALICE, "slack", lambda state: state["modals"][0]["errors"])
        assert state["modals"][0]["errors"] == {"why": "Say more."}
        assert await browser.act(ALICE, "submit", view=modal["id"], values={"reason": "because"}) == {"trouble": None}
        await browser.seen(ALICE, "slack", lambda state: not state["modals"])
        assert slack.refusals == []

    async def test_something_picked_outside_a_form_is_sent_at_once(self, browser: Browser, app: AsyncApp) -> None:
        posted = await app.client.chat_postMessage(channel=STORAGE, text="Pick", blocks=_buttons())
        place = {"channel": STORAGE, "ts": posted["ts"]}
        assert await browser.act(ALICE, "pick", **place, action_id="day", value="2026-03-10") == {"trouble": None}
        messages = await browser.messages(ALICE, lambda messages: len(messages) == 2)
        assert messages[1]["text"] == "picked 2026-03-10"

    async def test_a_modal_is_closed_for_good(self, browser: Browser, slack: Slack, app: AsyncApp) -> None:
        posted = await app.client.chat_postMessage(channel=STORAGE, text="Press", blocks=_buttons())
        await browser.act(ALICE, "press", channel=STORAGE, ts=posted["ts"], action_id="open")
        view = (await slack.until(lambda: slack.modals("alice")))[0].id
        assert await browser.act(ALICE, "close", view=view) == {"trouble": None}
        assert slack.modals("alice") == []
        assert (await browser.act(ALICE, "close", view=view))["status"] == 409

    async def test_a_message_and_a_reply_are_seen_by_the_others_in_the_channel(self, browser: Browser) -> None:
        await browser.act(ALICE, "say", channel=STORAGE, text="<hello> & so on")
        (root,) = await browser.messages(BOB)
        await browser.act(BOB, "say", channel=STORAGE, text="hi", thread_ts=root["ts"])
        _, reply = await browser.messages(ALICE, lambda messages: len(messages) == 2)
        assert (reply["text"], reply["user"], reply["thread_ts"]) == ("hi", BOB, root["ts"])
        assert root["text"] == "&lt;hello&gt; &amp; so on"

    async def test_nobody_reaches_into_a_channel_that_they_are_not_in(self, browser: Browser) -> None:
        for act in ({"act": "say", "text": "x"}, {"act": "command", "words": "/ask"}):
            refused = await browser.act(FRANK, channel=SECRET, **act)
            assert refused == {"status": 409, "sentence": "frank is in no channel 'C0SECRET0'."}
        state = await browser.seen(FRANK, "slack", bool)
        assert SECRET not in {channel["id"] for channel in state["channels"]}

    async def test_nobody_presses_what_only_another_sees(self, browser: Browser, app: AsyncApp) -> None:
        sent = await app.client.chat_postEphemeral(channel=STORAGE, user=ALICE, text="Press", blocks=_buttons())
        place = {"channel": STORAGE, "ts": sent["message_ts"], "action_id": "open"}
        assert (await browser.act(BOB, "press", **place))["status"] == 409
        assert await browser.act(ALICE, "press", **place) == {"trouble": None}

    async def test_an_app_that_is_away_is_told_in_a_sentence(self, browser: Browser) -> None:
        told = await browser.act(ALICE, "command", channel=STORAGE, words="/ask")
        assert told == {"trouble": "The app could not be reached (dispatch_failed)."}
        state = await browser.seen(ALICE, "slack", bool)
        assert state["is_app_connected"] is False

    @pytest.mark.parametrize(
        ("act", "parts"),
        [
            ("press", {"channel": STORAGE, "ts": "1.0", "action_id": "open"}),
            ("press", {"action_id": "open"}),
            ("say", {"channel": STORAGE, "text": "x", "thread_ts": "1.0"}),
            ("submit", {"view": "V1"}),
            ("close", {"view": "V1"}),
        ],
    )
    async def test_what_is_gone_is_said(self, browser: Browser, act: str, parts: Json) -> None:
        refused = await browser.act(ALICE, act, **parts)
        assert refused["status"] == 409
        assert refused["sentence"].endswith(".")

    async def test_an_unknown_person_is_refused(self, browser: Browser) -> None:
        status, sentence = await browser.get("/api/events?who=mallory")
        assert status == 409
        assert "no user 'mallory'" in sentence

    async def test_the_setting_names_people_and_commands(self, browser: Browser) -> None:
        setting = await browser.json("/api/setting")
        assert [(person["name"], person["about"]) for person in setting["people"]] == [
            ("alice", "approver"),
            ("carol", "no approver"),
        ]
        assert setting["examples"] == [{"words": "/tintri reco", "meaning": "every pool"}]
        assert setting["note"] == "Soon."

    async def test_without_names_everybody_with_an_account_can_be_chosen(self, slack: Slack) -> None:
        async with Page(slack, port=0).serve() as address, aiohttp.ClientSession() as session:
            setting = await Browser(session, address).json("/api/setting")
        about = {person["name"]: person["about"] for person in setting["people"]}
        assert about["alice"] == "full member"
        assert about["gina"] == "guest"
        assert about["frank"] == "from another workspace"
        assert not about.keys() & {"tintri", "robot", "dave"}


class TestControls:
    async def test_what_the_analyses_find(self, browser: Browser, tgc: SimulatedTgc) -> None:
        pool = tgc.world.pools[0]
        before = tgc.world.current(pool)
        size = {"moves": 7, "waves": 3, "lose_replication": 2}
        assert (await browser.control("new_recommendation", pool=pool.uuid, **size))[0] == 200
        now = tgc.world.current(pool)
        assert (now.id != before.id, len(now.moves), len(now.waves), now.size.lose_replication) == (True, 7, 3, 2)
        seen = await browser.seen(ALICE, "tgc", lambda tgc: len(tgc["pools"][0]["plans"][0]["moves"]) == 7)
        assert seen["pools"][0]["state"] == "AVAILABLE"

    async def test_what_somebody_does_in_the_gui(self, browser: Browser, tgc: SimulatedTgc) -> None:
        pool = tgc.world.pools[0]
        vm = tgc.world.current(pool).moves[0].vm
        assert (await browser.control("fail_move", pool=pool.uuid, vm=vm.uuid))[0] == 200
        assert (await browser.control("accept", pool=pool.uuid))[0] == 200
        assert tgc.world.current(pool).state == "ACCEPTED"
        assert tgc.world.current(pool).moves[0].failure is not None
        status, sentence = await browser.control("accept", pool=pool.uuid)
        assert status == 409
        assert sentence == f"{pool.name} has nothing that can be decided: make a new recommendation first."
        seen = await browser.seen(ALICE, "tgc", lambda tgc: tgc["pools"][0]["plans"][0]["execution"])
        assert seen["pools"][0]["plans"][0]["moves"][0]["fails"]
        assert (await browser.control("cancel", pool=pool.uuid))[0] == 200
        assert tgc.world.current(pool).state == "CANCELLED"

    @pytest.mark.parametrize(
        ("control", "state"), [("expire", "EXPIRED"), ("invalidate", "INVALIDATED"), ("change_moves", "AVAILABLE")]
    )
    async def test_what_time_brings(self, browser: Browser, tgc: SimulatedTgc, control: str, state: str) -> None:
        pool = tgc.world.pools[0]
        before = [move.vm.name for move in tgc.world.current(pool).moves]
        assert (await browser.control(control, pool=pool.uuid))[0] == 200
        assert tgc.world.current(pool).state == state
        assert ([move.vm.name for move in tgc.world.current(pool).moves] != before) is (control == "change_moves")

    async def test_what_breaks(self, browser: Browser, tgc: SimulatedTgc) -> None:
        running = tgc.world.pools[0]
        tgc.world.accept_in_gui(running)
        assert (await browser.control("speed", move_minutes=0.1))[0] == 200
        run = tgc.world.current(running).run
        assert run is not None
        assert [pace for _, pace in run.paces] == [200.0]
        assert (await browser.control("latency", seconds=2.5))[0] == 200
        assert (tgc.world.move_minutes, tgc.latency_s) == (0.1, 2.5)
        tgc.session_table.open("bot", "Admin")
        assert (await browser.control("expire_sessions"))[0] == 200
        assert tgc.sessions == 0
        for state in ("down", "down", "up", "up"):
            assert (await browser.control("service", state=state))[0] == 200
            assert tgc.is_serving is (state == "up")
        assert (await browser.seen(ALICE, "tgc", bool))["is_serving"] is True

    async def test_a_pool_that_does_not_exist_is_said(self, browser: Browser) -> None:
        assert await browser.control("expire", pool="nowhere") == (409, "This pool does not exist.")

    async def test_without_a_tgc_there_is_none_to_control(self, slack: Slack) -> None:
        async with Page(slack, port=0).serve() as address, aiohttp.ClientSession() as session:
            alone = Browser(session, address)
            assert await alone.control("latency", seconds=1) == (409, "There is no simulated TGC here.")
            assert await alone.seen(ALICE, "tgc", lambda tgc: tgc is None) is None


class TestTraffic:
    @pytest.mark.usefixtures("app")
    async def test_it_shows_both_directions_with_their_payloads(self, browser: Browser, tgc: SimulatedTgc) -> None:
        await browser.act(ALICE, "command", channel=STORAGE, words="/ask now")
        credentials = {"username": tgc.username, "password": tgc.password, "typeId": "x"}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{tgc.url}/api/v310/session/login", json=credentials):
                pass
            async with session.get(f"{tgc.url}/api/info"):
                pass

        def whole(entries: list[Json]) -> bool:
            return {("slack", "app"), ("app", "slack"), ("app", "tgc")} <= {
                (entry["sender"], entry["receiver"]) for entry in entries
            }

        entries = await browser.seen(ALICE, "traffic", whole)
        by_what = {entry["what"]: entry for entry in entries}
        assert by_what["/ask now"]["outcome"].startswith("acknowledged in ")
        assert by_what["response_url"]["outcome"] == "ok"
        assert by_what["GET /api/info"]["outcome"] == "200"
        typed = await browser.json(f"/api/traffic/{by_what['/ask now']['id']}")
        assert typed["sent"]["user_name"] == "alice"
        told = await browser.json(f"/api/traffic/{by_what['GET /api/info']['id']}")
        assert told["answered"]["productName"] == "Tintri Global Center"
        login = await browser.json(f"/api/traffic/{by_what['POST /api/v310/session/login']['id']}")
        assert login["sent"]["password"] == HIDDEN

        everything = json.dumps([entries, *[await browser.json(f"/api/traffic/{entry['id']}") for entry in entries]])
        for secret in (BOT_TOKEN, APP_TOKEN, tgc.password, "/response/", "JSESSIONID"):
            assert secret not in everything

    async def test_what_the_validator_refuses_is_named(self, browser: Browser, app: AsyncApp) -> None:
        with pytest.raises(SlackApiError):
            await app.client.chat_postMessage(channel=STORAGE, text="x", blocks=[{"type": "header"}])
        entries = await browser.seen(ALICE, "traffic", lambda entries: entries[-1]["is_trouble"])
        assert (entries[-1]["what"], entries[-1]["outcome"]) == ("chat.postMessage", "invalid_blocks")
        assert "missing required field: text" in entries[-1]["problems"][0]

    @pytest.mark.parametrize("entry", ["call-99999", "call--1", "call-x", "nonsense", "tgc-²"])
    async def test_a_call_that_is_not_there_is_said(self, browser: Browser, entry: str) -> None:
        assert (await browser.get(f"/api/traffic/{entry}"))[0] == 409


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[dict[str, str]]:
    """`python -m playground`, and what it prints to start an app with; the page's address is `page`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "playground", *arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    printed: dict[str, str] = {}
    async with asyncio.timeout(30):
        while (line := (await process.stdout.readline()).decode().strip()) != "Ctrl-C ends it.":
            name, _, value = line.replace("The page: ", "page=").partition("=")
            printed[name] = value
        yield printed
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_another_app_talks_to_it_with_what_it_prints() -> None:
    async with started("--port", "0") as printed:
        app = AsyncApp(client=AsyncWebClient(token=printed["SLACK_BOT_TOKEN"], base_url=printed["SLACK_API_URL"]))

        @app.command("/hello")
        async def hello(ack: AsyncAck, command: Json) -> None:
            await ack(f"Hello {command['user_name']}.")

        handler = AsyncSocketModeHandler(app, printed["SLACK_APP_TOKEN"])
        await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so
        async with aiohttp.ClientSession() as session:
            browser = Browser(session, printed["page"])
            await browser.seen(ALICE, "slack", lambda state: state["is_app_connected"])
            assert await browser.act(ALICE, "command", channel=STORAGE, words="/hello") == {"trouble": None}
            (answer,) = await browser.messages(ALICE)
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so
    assert answer["text"] == "Hello alice."


async def test_an_app_with_a_request_url_gets_a_signing_secret() -> None:
    async with started("--port", "0", "--request-url", "http://127.0.0.1:9/slack/events") as printed:
        assert printed.keys() >= {"page", "SLACK_API_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"}
        assert "SLACK_APP_TOKEN" not in printed
