"""Between Slack and the bot: everything is acknowledged, connections come back, nothing is sent twice by a library."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.rendering import ids
from bot.socket_mode import CONNECTIONS, REST
from playground.slack import Delivery
from playground.slack_courier import COMMAND, EVENT, INTERACTION
from playground.slack_sockets import FRAME_BYTES
from tests.scenarios.stage import Stage, open_stage

pytestmark = pytest.mark.extended


@pytest.fixture(params=["socket", "http"])
def either_way(request: pytest.FixtureRequest, stage: Stage) -> Stage:
    if request.param == "http":
        stage.use_http()
    return stage


async def send(stage: Stage, kind: str, payload: dict[str, Any]) -> Delivery:
    return await stage.slack.courier.deliver(kind, payload, lambda _: None)


# ---------------------------------------------------------------- acknowledged, whatever it is

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KNOWN_ACTIONS = st.sampled_from([value for name, value in vars(ids).items() if name.isupper()])
TYPES = st.sampled_from(
    [
        "block_actions",
        "interactive_message",
        "view_submission",
        "view_closed",
        "shortcut",
        "message_action",
        "block_suggestion",
        "dialog_submission",
        "dialog_cancellation",
        "dialog_suggestion",
        "workflow_step_edit",
        "something_new",
    ]
)
ACTIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "action_id": KNOWN_ACTIONS | JSON,
            "value": st.text(max_size=8) | JSON,
            "action_ts": st.text(max_size=8) | JSON,
            "type": st.just("button") | JSON,
            "url": st.just("https://example.com") | JSON,
        },
    ),
    max_size=2,
)
PEOPLE = {"user": st.just({"id": "U0ALICE00", "team_id": "T0PLAYGR0"}) | JSON, "team": st.just({"id": "T0"}) | JSON}
VIEWS = st.fixed_dictionaries({}, optional={"callback_id": JSON, "id": JSON, "private_metadata": JSON, "state": JSON})
INTERACTIONS = st.fixed_dictionaries(
    {"type": TYPES},
    optional={
        **PEOPLE,
        "actions": ACTIONS | JSON,
        "view": VIEWS | JSON,
        "callback_id": JSON,
        "channel": st.just({"id": "C0STORAGE"}) | JSON,
        "container": JSON,
        "message": JSON,
        "trigger_id": JSON,
        "response_url": JSON,
        "enterprise": JSON,
        "is_enterprise_install": JSON,
    },
)
FIELDS = ("text", "team_id", "user_id", "user_name", "channel_id", "trigger_id", "enterprise_id", "api_app_id")
COMMANDS = st.fixed_dictionaries(
    {"command": st.sampled_from(["/tintri", "/other"]) | st.text(max_size=5)},
    optional={name: st.text(max_size=8) for name in FIELDS},
)
EVENTS = st.fixed_dictionaries(
    {"type": st.just("event_callback") | JSON},
    optional={
        "event": st.fixed_dictionaries(
            {"type": st.sampled_from(["app_home_opened", "message", "function_executed", "app_uninstalled"]) | JSON},
            optional={"subtype": JSON, "user": JSON, "channel": JSON, "bot_id": JSON, "function": JSON, "inputs": JSON},
        )
        | JSON,
        "team_id": JSON,
        "authorizations": JSON,
        "event_id": JSON,
    },
)
ANYTHING = st.one_of(
    st.tuples(st.just(INTERACTION), INTERACTIONS),
    st.tuples(st.just(COMMAND), COMMANDS),
    st.tuples(st.just(EVENT), EVENTS),
)


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_whatever_arrives_is_acknowledged_in_time(tmp_path: Path, mode: str) -> None:
    """Slack would show people an error else, and repeat events."""
    batches: list[list[tuple[str, dict[str, Any]]]] = []

    @settings(max_examples=6, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ANYTHING, min_size=15, max_size=25))
    def draw(batch: list[tuple[str, dict[str, Any]]]) -> None:
        batches.append(batch)

    draw()
    async with open_stage(tmp_path) as stage:
        if mode == "http":
            stage.use_http()
        await stage.start_bot()
        for batch in batches:
            deliveries = await asyncio.gather(*(send(stage, kind, payload) for kind, payload in batch))
            for delivery in deliveries:
                assert delivery.acknowledged, (delivery.kind, delivery.payload, delivery.error)
        # Nothing of it did anything, or harm.
        await stage.settle()
        assert stage.tgc.accepts == []
        alice = stage.slack.person("alice")
        assert (await alice.command("/tintri help")).acknowledged
        await stage.answer("alice", "What you can ask for")


async def test_what_nobody_listens_to_is_acknowledged_and_an_unknown_button_answered(either_way: Stage) -> None:
    stage = either_way
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, card = stage.slack.person("alice"), stage.card("Production")
    pressed = await alice.click(card, ids.DETAILS)
    await stage.until(lambda: stage.slack.modals("alice"))
    modal = stage.slack.modals("alice")[0]

    of_an_older_version = {**pressed.payload["actions"][0], "action_id": "reco_polish"}
    assert (await stage.slack.forge(pressed, actions=[of_an_older_version])).acknowledged
    await stage.answer("alice", "I do not know this button any more")
    stage.slack.workspace.ephemerals.clear()

    link = {"type": "button", "action_id": "open", "block_id": "b", "url": "https://tgc.example.com", "action_ts": "2"}
    assert (await stage.slack.forge(pressed, actions=[link])).acknowledged
    assert (await alice.open_home()).acknowledged
    for payload in (
        {**pressed.payload, "type": "view_submission", "view": modal.payload()},
        {**pressed.payload, "type": "view_closed", "view": modal.payload()},
        {**pressed.payload, "type": "shortcut", "callback_id": "reco"},
        {**pressed.payload, "type": "message_action", "callback_id": "reco"},
        {**pressed.payload, "type": "block_suggestion", "action_id": "pool", "value": "Pro"},
    ):
        assert (await send(stage, INTERACTION, payload)).acknowledged
    await stage.settle()
    assert stage.slack.ephemerals("alice") == []

    assert (await alice.command("/other words")).acknowledged
    await stage.answer("alice", "This command is not mine")


async def test_a_failure_right_after_the_acknowledgement_loses_nothing_and_is_told(
    either_way: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bolt loses an acknowledgement where an exception follows it within 10 ms (slack/README 6.2)."""
    stage = either_way
    await stage.start_bot()
    await stage.cards_posted(3)
    alice, card = stage.slack.person("alice"), stage.card("Production")
    await alice.command("/tintri reco")
    shown = await stage.answer("alice", "3 of 3 pools")
    show = next(block["accessory"]["value"] for block in shown.blocks if "accessory" in block)

    def fail(_: object) -> None:
        raise KeyError("a surprise")

    for module, name in (("tintri", "command"), ("reco", "click"), ("decide", "click"), ("details", "click")):
        monkeypatch.setattr(f"handlers.{module}.read_{name}", fail)
    pressed = [await alice.click(card, action) for action in (ids.ACCEPT, ids.DISMISS, ids.DETAILS)]
    pressed += [await alice.click(shown, ids.SHOW, show), await alice.command("/tintri help")]
    for delivery in pressed:
        assert delivery.acknowledged
        assert delivery.elapsed_s < 1
    await stage.until(lambda: len(stage.slack.ephemerals("alice")) == 1 + len(pressed))
    log = capsys.readouterr().out
    for told in stage.slack.ephemerals("alice")[1:]:  # the first is the list
        assert told.text.startswith("That failed, and I wrote down why")
        assert told.text.rstrip(".").split()[-1] in log
    assert log.count("KeyError: 'a surprise'") == len(pressed)


async def test_slack_is_asked_once_who_the_bot_is(either_way: Stage) -> None:
    """Bolt would ask by itself within the first request's 3 s, and once for each of those that come together."""
    stage = either_way
    await stage.start_bot()
    typed = await asyncio.gather(*(stage.slack.person("alice").command("/tintri help") for _ in range(5)))
    assert all(delivery.acknowledged and delivery.elapsed_s < 1 for delivery in typed)
    assert len(stage.slack.calls_of("auth.test")) == 1


async def test_the_web_api_is_called_over_one_session(either_way: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """slack_sdk opens one for each call where it is given none."""
    stage = either_way
    await stage.start_bot()
    await stage.cards_posted(3)
    opened: list[aiohttp.ClientSession] = []
    make = aiohttp.ClientSession.__init__

    def count(session: aiohttp.ClientSession, *given: Any, **named: Any) -> None:
        opened.append(session)
        make(session, *given, **named)

    calls = len(stage.slack.calls)
    monkeypatch.setattr(aiohttp.ClientSession, "__init__", count)
    stage.world.accept_in_gui(stage.world.pools[0])
    stage.world.invalidate(stage.world.pools[1], "INVALID_VMS_CHANGED")
    await stage.until(lambda: len(stage.slack.calls) - calls >= 2)
    assert opened == []


# ---------------------------------------------------------------- Socket Mode


async def test_acknowledgements_stay_below_what_slack_takes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of 20,480 bytes would cut the socket."""
    frames: list[str] = []
    take = stage.slack.sockets._take

    def keep(text: str) -> None:
        frames.append(text)
        take(text)

    monkeypatch.setattr(stage.slack.sockets, "_take", keep)
    for _ in range(30):
        stage.world.new_recommendation(stage.world.add_pool(), moves=40)
    await stage.start_bot()
    await stage.cards_posted(3)
    alice = stage.slack.person("alice")
    assert (await alice.command("/tintri reco")).acknowledged
    await stage.answer("alice", "pools have a recommendation")
    assert (await alice.click(stage.cards[0], ids.DETAILS)).acknowledged
    await stage.until(lambda: stage.slack.modals("alice"))
    assert frames
    assert max(len(frame.encode()) for frame in frames) < FRAME_BYTES / 100


async def readiness(stage: Stage) -> tuple[int, str]:
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def is_heard(stage: Stage) -> None:
    """Somebody types, and the bot answers."""
    stage.slack.workspace.ephemerals.clear()
    assert (await stage.slack.person("alice").command("/tintri help")).acknowledged
    await stage.answer("alice", "What you can ask for")


async def both_connected(stage: Stage) -> None:
    await stage.until(lambda: len(stage.slack.sockets.connections) == CONNECTIONS)


async def test_a_wrong_app_token_is_told_and_waited_out(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    token = stage.slack.tokens[stage.slack.app_token]
    token.error = "invalid_auth"
    starting = asyncio.create_task(stage.start_bot())
    await stage.until(lambda: len(stage.cards) == 3)
    status, body = await readiness(stage)
    assert status == 503
    assert '"slack":"not connected"' in body
    assert "check SLACK_APP_TOKEN" in capsys.readouterr().out
    token.error = None
    await starting
    await both_connected(stage)
    assert (await readiness(stage))[0] == 200
    await is_heard(stage)


async def test_a_ticket_that_is_refused_is_not_tried_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """slack_sdk repeats a failed handshake with the same used ticket."""
    issue = stage.slack.sockets.ticket
    refused = ["used"] * (2 * CONNECTIONS)
    monkeypatch.setattr(stage.slack.sockets, "ticket", lambda: refused.pop() if refused else issue())
    await stage.start_bot()
    await both_connected(stage)
    await is_heard(stage)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_connection_that_slack_renews_comes_back(stage: Stage, reason: str) -> None:
    await stage.start_bot()
    await both_connected(stage)
    before = list(stage.slack.sockets.connections)
    await stage.slack.sockets.disconnect(reason)
    await stage.until(lambda: not set(before) & set(stage.slack.sockets.connections))
    await both_connected(stage)
    await is_heard(stage)


async def test_a_cut_connection_comes_back(stage: Stage) -> None:
    await stage.start_bot()
    await both_connected(stage)
    await stage.cards_posted(3)
    stage.slack.sockets.cut()
    await stage.until(lambda: not stage.slack.sockets.connections)
    assert (await readiness(stage))[0] == 503
    await both_connected(stage)
    assert (await readiness(stage))[0] == 200
    await is_heard(stage)


async def test_a_slack_that_was_away_is_found_again(stage: Stage) -> None:
    await stage.start_bot()
    await both_connected(stage)
    await stage.slack.stop()
    for _ in range(20):
        await asyncio.sleep(0.01)
        stage.clock.move(REST)
    await stage.slack.start()
    await both_connected(stage)
    await is_heard(stage)


@pytest.mark.parametrize("reason", ["link_disabled", "too_many_websockets"])
async def test_being_sent_away_each_time_makes_no_tight_loop(stage: Stage, reason: str) -> None:
    await stage.start_bot()
    await both_connected(stage)
    opened = len(stage.slack.calls_of("apps.connections.open"))
    for _ in range(60):
        await stage.slack.sockets.disconnect(reason)
        await asyncio.sleep(0.01)
        stage.clock.move(timedelta(seconds=1))
    asked = len(stage.slack.calls_of("apps.connections.open")) - opened
    assert CONNECTIONS <= asked <= CONNECTIONS * (60 / REST.total_seconds() + 1)
    await both_connected(stage)
    await is_heard(stage)
