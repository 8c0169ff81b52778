"""Each call made once, and each failure told apart, against the stand-in for Slack."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.rendering.answers import render_sentence
from bot.rendering.views import Message
from bot.slack import (
    Slack,
    SlackAwayError,
    SlackBusyError,
    SlackError,
    SlackRefusedError,
    SlackUnsureError,
    SlackWithheldError,
    slack_session,
)
from playground.slack import Slack as StandIn

CHANNEL = "C0STORAGE"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HELLO = render_sentence("Hello")


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    slack = StandIn()
    async with slack.serve():
        yield slack


@pytest.fixture
async def slack(stand_in: StandIn) -> AsyncIterator[Slack]:
    async with aiohttp.ClientSession() as session:
        client = Slack(stand_in.bot_token, base_url=stand_in.api_url, session=session)
        await client.identify()
        yield client


async def post(slack: Slack, message: Message = HELLO, key: str = "key/1", thread_ts: str | None = None) -> str:
    return await slack.post(CHANNEL, message, key=key, facts={"pool": "P"}, thread_ts=thread_ts)


async def open_view(slack: Slack) -> None:
    await slack.open_view("1.2.a", {"type": "modal"})


async def tell(slack: Slack) -> None:
    await slack.tell(CHANNEL, "U0ALICE00", HELLO)


class TestWhatCountsOnce:
    """Bolt's and the SDK's defaults send a post again when the connection breaks (slack/README 6.5)."""

    @pytest.mark.parametrize(
        ("method", "call"),
        [("chat.postMessage", post), ("chat.postEphemeral", tell), ("views.open", open_view)],
    )
    @pytest.mark.parametrize("done", [True, False])
    async def test_it_is_never_repeated_where_the_answer_was_lost(
        self, stand_in: StandIn, slack: Slack, method: str, call: Callable[[Slack], Awaitable[object]], done: bool
    ) -> None:
        (stand_in.faults.drop_after if done else stand_in.faults.drop_before)(method)
        with pytest.raises(SlackUnsureError):
            await call(slack)
        assert len(stand_in.calls_of(method)) == 1

    async def test_a_read_is_repeated(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.faults.drop_before("users.info")
        assert (await slack.person("U0ALICE00")).name == "alice"
        assert len(stand_in.calls_of("users.info")) == 2


class TestFailures:
    async def test_a_slack_that_is_not_reached(self, stand_in: StandIn) -> None:
        await stand_in.stop()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(SlackAwayError, match="was not reached"):
                await post(Slack(stand_in.bot_token, base_url=stand_in.api_url, session=session))

    async def test_being_asked_to_wait(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.faults.fail("chat.postMessage", retry_after_s=7)
        with pytest.raises(SlackBusyError) as caught:
            await post(slack)
        assert caught.value.retry_after_s == 7
        assert len(stand_in.calls_of("chat.postMessage")) == 1

    async def test_a_refusal_with_its_reason(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.channel(CHANNEL).is_archived = True
        with pytest.raises(SlackRefusedError, match=r"Slack refused chat\.postMessage") as caught:
            await post(slack)
        assert (caught.value.code, caught.value.needed_scope) == ("is_archived", None)

    async def test_a_missing_scope_is_named(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.scopes.discard("users:read")
        with pytest.raises(SlackRefusedError, match="missing scope users:read") as caught:
            await slack.person("U0ALICE00")
        assert caught.value.needed_scope == "users:read"

    @pytest.mark.parametrize("status", [200, 404, 502])
    @pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", "{", "[]", '{"ok": false}'])
    async def test_an_answer_that_is_none_leaves_it_open(
        self, stand_in: StandIn, slack: Slack, body: str, status: int
    ) -> None:
        stand_in.faults.garbage("chat.postMessage", body, status=status)
        with pytest.raises(SlackUnsureError):
            await post(slack)

    @pytest.mark.parametrize("error", ["internal_error", "fatal_error", "service_unavailable"])
    async def test_slacks_own_failures_leave_it_open(self, stand_in: StandIn, slack: Slack, error: str) -> None:
        stand_in.faults.fail("chat.postMessage", error)
        with pytest.raises(SlackUnsureError):
            await post(slack)

    async def test_a_refused_token(self, stand_in: StandIn) -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(SlackRefusedError) as caught:
                await Slack("xoxb-other", base_url=stand_in.api_url, session=session).identify()
        assert caught.value.code == "invalid_auth"

    async def test_no_error_shows_a_token(self, stand_in: StandIn, slack: Slack) -> None:
        for fault in ("invalid_auth", "internal_error", "missing_scope"):
            stand_in.faults.fail("chat.postMessage", fault)
            with pytest.raises(SlackError) as caught:
                await post(slack)
            assert stand_in.bot_token not in f"{caught.value!r} {caught.value}"


class TestForms:
    """Full, compact, text: a refusal is certain, so the plainer form doubles nothing."""

    TOO_LONG = Message(
        text="short",
        blocks=({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},),
        compact=({"type": "section", "text": {"type": "plain_text", "text": "compact"}},),
    )

    async def test_a_plainer_one_goes_out_where_slack_refuses(self, stand_in: StandIn, slack: Slack) -> None:
        ts = await post(slack, self.TOO_LONG)
        (message,) = stand_in.messages("storage")
        assert message.ts == ts
        assert message.blocks[0]["text"]["text"] == "compact"

    async def test_the_last_is_the_text_alone(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.faults.fail("chat.postMessage", "msg_blocks_too_long")
        await post(slack)
        (message,) = stand_in.messages("storage")
        assert (message.text, message.blocks) == ("Hello", [])

    async def test_another_refusal_is_final(self, stand_in: StandIn, slack: Slack) -> None:
        stand_in.faults.fail("chat.postMessage", "not_in_channel")
        with pytest.raises(SlackRefusedError):
            await post(slack)
        assert len(stand_in.calls_of("chat.postMessage")) == 1


class TestHistory:
    async def test_own_messages_are_found_over_all_pages(
        self, stand_in: StandIn, slack: Slack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.slack._PAGE", 2)
        posted = [await post(slack, key=f"key/{number}") for number in range(5)]
        stand_in.person("alice").say("in between")
        found = [message async for message in slack.own_messages(CHANNEL, since=LONG_AGO)]
        assert [message.ts for message in found] == posted[::-1]
        assert found[0].metadata == {"key": "key/4", "pool": "P"}

    async def test_replies_are_found_in_their_thread(self, slack: Slack) -> None:
        root = await post(slack)
        reply = await post(slack, key="key/2", thread_ts=root)
        found = [message async for message in slack.own_messages(CHANNEL, since=LONG_AGO, thread_ts=root)]
        assert [message.ts for message in found] == [root, reply]


async def test_slack_tells_who_the_bot_is_and_what_it_may_do(stand_in: StandIn, slack: Slack) -> None:
    identity = await slack.identify()
    assert (identity.team_id, identity.user_id, identity.bot_id) == ("T0PLAYGR0", "U0TINTRIB", "B0TINTRIB")
    assert identity.scopes == stand_in.scopes


async def test_people_and_groups(slack: Slack) -> None:
    assert (await slack.person("U0GINA000")).is_guest
    assert (await slack.person("U0DAVE000")).deleted
    assert (await slack.person("U0FRANK00")).is_stranger
    assert await slack.group_members("S0STORAGE") == {"U0ALICE00", "U0BOB0000"}


async def edit(slack: Slack) -> None:
    await slack.update(CHANNEL, "1.0", HELLO, key="key/1", facts={})


@pytest.mark.parametrize(
    ("method", "call"), [("chat.postMessage", post), ("chat.postEphemeral", tell), ("chat.update", edit)]
)
async def test_what_people_see_is_withheld_where_another_process_may_be_at_it(
    stand_in: StandIn, method: str, call: Callable[[Slack], Awaitable[object]]
) -> None:
    async with slack_session(lambda: False) as session:
        slack = Slack(stand_in.bot_token, base_url=stand_in.api_url, session=session)
        await slack.identify()
        assert (await slack.person("U0ALICE00")).id == "U0ALICE00"  # reading harms nobody
        with pytest.raises(SlackWithheldError, match=rf"^{method} was not sent"):
            await call(slack)
    assert stand_in.calls_of(method) == []
