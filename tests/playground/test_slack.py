"""The stand-in for Slack, driven by the real slack_sdk client and by real Bolt apps over HTTP and Socket Mode."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.slack import APP_TOKEN, BOT_TOKEN, Forgery, Message, Slack, Workspace
from playground.slack_courier import DISPATCH_FAILED, OPERATION_TIMEOUT, signature
from playground.slack_person import TROUBLE
from playground.slack_sockets import FRAME_BYTES, TOO_BIG

STORAGE, GENERAL, SECRET = "C0STORAGE", "C0GENERAL", "C0SECRET0"
ALICE, BOB, DAVE = "U0ALICE00", "U0BOB0000", "U0DAVE000"
Block = dict[str, Any]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[Slack]:
    slack = Slack(clock=clock)
    async with slack.serve():
        yield slack


@pytest.fixture
def client(slack: Slack) -> AsyncWebClient:
    return AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, retry_handlers=[])


def section(text: str = "x", **parts: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **parts}


def button(action_id: str, value: str = "1", label: str = "Press") -> Block:
    return {
        "type": "button",
        "action_id": action_id,
        "value": value,
        "text": {"type": "plain_text", "text": label},
    }


def actions(*elements: Block, block_id: str = "buttons") -> Block:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def modal(*blocks: Block, **parts: Any) -> Block:
    return {"type": "modal", "title": {"type": "plain_text", "text": "Details"}, "blocks": list(blocks), **parts}


def home(*blocks: Block, **parts: Any) -> Block:
    return {"type": "home", "blocks": list(blocks), **parts}


async def refusal(call: Any) -> SlackApiError:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value


async def code(call: Any) -> str:
    return str((await refusal(call)).response["error"])


async def posted(client: AsyncWebClient, slack: Slack, *blocks: Block, text: str = "x", **more: Any) -> Message:
    answer = await client.chat_postMessage(channel=STORAGE, text=text, blocks=blocks, **more)
    message = slack.channel("storage").message(answer["ts"])
    assert message is not None
    return message


# ------------------------------------------------------------------ tokens, scopes, arguments


async def test_auth_test_tells_the_bot_and_its_scopes(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0PLAYGR0", "U0TINTRIB", "B0TINTRIB")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_tokens_are_checked_first(slack: Slack, client: AsyncWebClient) -> None:
    assert await code(client.auth_test(token="xoxb-wrong")) == "invalid_auth"
    assert await code(client.auth_test(token=APP_TOKEN)) == "not_allowed_token_type"
    assert await code(client.apps_connections_open(app_token=BOT_TOKEN)) == "not_allowed_token_type"
    async with aiohttp.ClientSession() as session, session.post(f"{slack.api_url}auth.test") as answer:
        assert await answer.json() == {"ok": False, "error": "not_authed"}
    slack.tokens[BOT_TOKEN].error = "token_revoked"
    assert await code(client.chat_postMessage(channel="nowhere", text="x")) == "token_revoked"


async def test_a_missing_scope_is_named(slack: Slack, client: AsyncWebClient) -> None:
    slack.scopes.remove("usergroups:read")
    answer = (await refusal(client.usergroups_users_list(usergroup="S0STORAGE"))).response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "usergroups:read")
    assert "chat:write" in answer["provided"]


async def test_the_history_of_each_kind_of_channel_has_its_own_scope(slack: Slack, client: AsyncWebClient) -> None:
    slack.scopes.remove("channels:history")
    answer = (await refusal(client.conversations_history(channel=STORAGE))).response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:history")


async def test_an_unknown_argument_is_refused_and_team_id_is_not(client: AsyncWebClient) -> None:
    await client.api_call("users.info", params={"user": ALICE, "team_id": "T0PLAYGR0"})
    answer = (await refusal(client.api_call("users.info", params={"user": ALICE, "userr": BOB}))).response
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] invalid additional property: userr [json-pointer:/userr]"
    ]
    assert await code(client.api_call("users.info")) == "invalid_arguments"
    assert await code(client.api_call("users.inform")) == "unknown_method"


async def test_a_form_carries_blocks_as_json_text(slack: Slack, client: AsyncWebClient) -> None:
    form = {"channel": STORAGE, "blocks": json.dumps([section("formed")]), "unfurl_links": "0"}
    await client.api_call("chat.postMessage", data=form)
    assert slack.messages("storage")[0].blocks[0]["text"]["text"] == "formed"
    twice = {**form, "blocks": json.dumps(json.dumps([section()]))}
    assert await code(client.api_call("chat.postMessage", data=twice)) == "invalid_blocks_format"
    nested = {"channel": STORAGE, "blocks": json.dumps([section()])}
    assert await code(client.api_call("chat.postMessage", json=nested)) == "invalid_blocks_format"


# ------------------------------------------------------------------ posting


async def test_a_posted_message_is_answered_as_slack_echoes_it(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(
        channel=STORAGE,
        text="a & b",
        blocks=[{"type": "header", "text": {"type": "plain_text", "text": "1 < 2"}}, actions(button("go"))],
    )
    message = answer["message"]
    assert message["text"] == "a &amp; b"
    assert message["blocks"][0]["text"] == {"type": "plain_text", "text": "1 &lt; 2", "emoji": True}
    assert message["blocks"][0]["block_id"]
    assert message["bot_id"] == "B0TINTRIB"
    assert slack.messages("storage")[0].text == "a & b"


async def test_each_message_has_its_own_ts_while_the_clock_stands_still(client: AsyncWebClient) -> None:
    answers = [await client.chat_postMessage(channel=STORAGE, text="x") for _ in range(3)]
    assert len({answer["ts"] for answer in answers}) == 3
    assert answers[0]["ts"] == "1700000000.000000"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        ("storage", "channel_not_found"),
        (GENERAL, "not_in_channel"),
        (SECRET, "channel_not_found"),
        (DAVE, "channel_not_found"),
    ],
)
async def test_where_the_bot_may_not_post(client: AsyncWebClient, channel: str, error: str) -> None:
    assert await code(client.chat_postMessage(channel=channel, text="x")) == error


async def test_an_archived_channel_takes_no_messages(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(client, slack)
    slack.channel("storage").is_archived = True
    assert await code(client.chat_postMessage(channel=STORAGE, text="x")) == "is_archived"
    assert await code(client.chat_update(channel=STORAGE, ts=message.ts, text="y")) == "is_inactive"


async def test_a_public_channel_is_open_with_the_public_scope(slack: Slack, client: AsyncWebClient) -> None:
    slack.scopes.add("chat:write.public")
    await client.chat_postMessage(channel=GENERAL, text="x")
    assert [message.text for message in slack.messages("general")] == ["x"]


async def test_a_post_to_a_user_is_a_direct_message(slack: Slack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel=ALICE, text="psst")
    assert answer["channel"] == "D0ALICE00"
    assert [message.text for message in slack.direct("alice")] == ["psst"]
    assert await code(client.chat_update(channel=ALICE, ts=answer["ts"], text="y")) == "channel_not_found"
    await client.chat_update(channel=answer["channel"], ts=answer["ts"], text="y")
    slack.workspace.messages_tab_enabled = False
    assert await code(client.chat_postMessage(channel=BOB, text="x")) == "messages_tab_disabled"


async def test_invalid_blocks_are_refused_in_slacks_words_and_remembered(slack: Slack, client: AsyncWebClient) -> None:
    answer = (await refusal(posted(client, slack, section("x" * 3001)))).response
    words = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer.data == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [words],
        "response_metadata": {"messages": [f"[ERROR] {words}"]},
    }
    assert [(seen.method, seen.error) for seen in slack.refusals] == [("chat.postMessage", "invalid_blocks")]
    assert slack.messages("storage") == []


async def test_a_message_too_long_as_a_whole_has_its_own_error(slack: Slack, client: AsyncWebClient) -> None:
    assert await code(posted(client, slack, *[section("x" * 2900)] * 5)) == "msg_blocks_too_long"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "two words", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": {"b": {"c": 1}}}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "x" * 8000}}, "metadata_too_large"),
    ],
)
async def test_what_metadata_may_not_be(client: AsyncWebClient, metadata: Any, error: str) -> None:
    assert await code(client.chat_postMessage(channel=STORAGE, text="x", metadata=metadata)) == error


async def test_an_ephemeral_message_is_seen_by_one_person_and_cannot_be_edited(
    slack: Slack, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel=STORAGE, user=ALICE, text="only you")
    assert [message.text for message in slack.ephemerals("alice")] == ["only you"]
    assert slack.ephemerals("bob") == slack.messages("storage") == []
    assert await code(client.chat_update(channel=STORAGE, ts=answer["message_ts"], text="x")) == "message_not_found"
    slack.person("bob").user.is_away = True
    await client.chat_postEphemeral(channel=STORAGE, user=BOB, text="only you")
    assert slack.ephemerals("bob") == []  # and Slack says that all is well
    slack.channel("storage").members.remove(BOB)
    assert await code(client.chat_postEphemeral(channel=STORAGE, user=BOB, text="x")) == "user_not_in_channel"


# ------------------------------------------------------------------ editing


async def test_a_text_without_blocks_removes_the_blocks(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(client, slack, section("before"))
    await client.chat_update(channel=STORAGE, ts=message.ts, text="after", blocks=[section("after")])
    assert message.blocks[0]["text"]["text"] == "after"
    await client.chat_update(channel=STORAGE, ts=message.ts, text="bare")
    assert (message.text, message.blocks) == ("bare", [])
    assert [version[0]["text"]["text"] for version in message.versions] == ["before", "after"]


async def test_the_text_of_an_update_has_4000_bytes(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(client, slack)
    await client.chat_update(channel=STORAGE, ts=message.ts, text="é" * 2000)
    update = client.chat_update(channel=STORAGE, ts=message.ts, text="é" * 2000 + "x", blocks=[section()])
    assert await code(update) == "msg_too_long"


async def test_metadata_stays_until_it_is_emptied(slack: Slack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "card", "event_payload": {"key": "1"}}
    message = await posted(client, slack, metadata=metadata)
    await client.chat_update(channel=STORAGE, ts=message.ts, text="y")
    assert message.metadata == metadata
    await client.chat_update(channel=STORAGE, ts=message.ts, text="y", metadata={})
    assert message.metadata is None


async def test_only_the_bots_own_messages_are_edited_and_deleted(slack: Slack, client: AsyncWebClient) -> None:
    ts = slack.person("alice").say("mine").ts
    assert await code(client.chat_update(channel=STORAGE, ts=ts, text="x")) == "cant_update_message"
    assert await code(client.chat_delete(channel=STORAGE, ts=ts)) == "cant_delete_message"
    own = await posted(client, slack)
    await client.chat_delete(channel=STORAGE, ts=own.ts)
    assert await code(client.chat_update(channel=STORAGE, ts=own.ts, text="x")) == "message_not_found"


async def test_a_permalink_leads_to_the_message(slack: Slack, client: AsyncWebClient) -> None:
    message = await posted(client, slack)
    answer = await client.chat_getPermalink(channel=STORAGE, message_ts=message.ts)
    assert answer["permalink"] == "https://playground.slack.test/archives/C0STORAGE/p1700000000000000"


# ------------------------------------------------------------------ reading


async def test_the_history_comes_newest_first_in_pages(slack: Slack, client: AsyncWebClient) -> None:
    for number in range(5):
        await posted(client, slack, text=str(number))
    found, cursor = [], None
    for _ in range(3):
        page = await client.conversations_history(channel=STORAGE, limit=2, cursor=cursor)
        found.append([message["text"] for message in page["messages"]])
        cursor = page["response_metadata"]["next_cursor"]
    assert found == [["4", "3"], ["2", "1"], ["0"]]
    assert cursor == ""
    assert await code(client.conversations_history(channel=STORAGE, cursor="nonsense")) == "invalid_cursor"


async def test_the_history_is_cut_by_time(slack: Slack, client: AsyncWebClient) -> None:
    first, second, third = [(await posted(client, slack, text=str(number))).ts for number in range(3)]

    async def between(**limits: Any) -> list[str]:
        page = await client.conversations_history(channel=STORAGE, **limits)
        return [message["text"] for message in page["messages"]]

    assert await between(oldest=first) == ["2", "1"]
    assert await between(oldest=first, latest=third) == ["1"]
    assert await between(oldest=first, latest=second, inclusive=True) == ["1", "0"]
    assert await code(between(oldest="yesterday")) == "invalid_ts_oldest"


async def test_the_history_has_whole_metadata_only_when_asked(slack: Slack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "card", "event_payload": {"key": "1"}}
    await posted(client, slack, metadata=metadata)
    short = await client.conversations_history(channel=STORAGE)
    whole = await client.conversations_history(channel=STORAGE, include_all_metadata=True)
    assert short["messages"][0]["metadata"] == {"event_type": "card"}
    assert whole["messages"][0]["metadata"] == metadata


async def test_replies_stand_in_their_thread_and_not_in_the_channel(slack: Slack, client: AsyncWebClient) -> None:
    parent = await posted(client, slack, text="parent")
    for text in ("one", "two"):
        await posted(client, slack, text=text, thread_ts=parent.ts)
    history = await client.conversations_history(channel=STORAGE)
    assert [(message["text"], message["reply_count"]) for message in history["messages"]] == [("parent", 2)]
    thread = await client.conversations_replies(channel=STORAGE, ts=parent.ts)
    assert [message["text"] for message in thread["messages"]] == ["parent", "one", "two"]
    assert [message.text for message in slack.thread("storage", parent.ts)] == ["one", "two"]
    assert await code(client.conversations_replies(channel=STORAGE, ts="1.000000")) == "thread_not_found"
    assert await code(posted(client, slack, thread_ts="1.000000")) == "cannot_reply_to_message"


async def test_people_groups_and_channels_are_looked_up(client: AsyncWebClient) -> None:
    assert (await client.usergroups_users_list(usergroup="S0STORAGE"))["users"] == [ALICE, BOB]
    assert await code(client.usergroups_users_list(usergroup="S0NOBODY0")) == "no_such_subteam"
    assert (await client.users_info(user="U0GINA000"))["user"]["is_restricted"] is True
    assert (await client.users_info(user="U0FRANK00"))["user"]["is_stranger"] is True
    assert (await client.users_info(user=DAVE))["user"]["deleted"] is True
    assert await code(client.users_info(user="U0NOBODY0")) == "user_not_found"
    assert (await client.conversations_info(channel=GENERAL))["channel"]["is_member"] is False
    assert await code(client.conversations_info(channel=SECRET)) == "channel_not_found"
    assert await code(client.conversations_history(channel=GENERAL)) == "not_in_channel"


# ------------------------------------------------------------------ views


async def test_a_trigger_opens_one_view_within_three_seconds(
    slack: Slack, client: AsyncWebClient, clock: Clock
) -> None:
    def trigger() -> str:
        return slack.workspace.issue_trigger(ALICE, clock())

    used = trigger()
    await client.views_open(trigger_id=used, view=modal())
    assert [view.title for view in slack.modals("alice")] == ["Details"]
    assert await code(client.views_open(trigger_id=used, view=modal())) == "exchanged_trigger_id"
    assert await code(client.views_open(trigger_id="1.2.abc", view=modal())) == "invalid_trigger_id"
    in_time, late = trigger(), trigger()
    clock.now += 3
    await client.views_open(trigger_id=in_time, view=modal())
    clock.now += 0.1
    assert await code(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"


async def test_an_invalid_view_is_refused_in_the_words_of_views(slack: Slack, client: AsyncWebClient) -> None:
    view = modal(title={"type": "plain_text", "text": "x" * 25})
    trigger = slack.workspace.issue_trigger(ALICE, 0)
    answer = (await refusal(client.views_open(trigger_id=trigger, view=view))).response
    assert answer.data == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {
            "messages": [
                "[ERROR] failed to match all allowed schemas [json-pointer:/view]",
                "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]",
            ]
        },
    }
    assert slack.refusals[0].method == "views.open"


async def test_a_stale_hash_is_a_conflict(slack: Slack, client: AsyncWebClient, clock: Clock) -> None:
    trigger = slack.workspace.issue_trigger(ALICE, clock())
    view = (await client.views_open(trigger_id=trigger, view=modal()))["view"]
    answer = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal(section("new")))
    assert answer["view"]["hash"] != view["hash"]
    update = client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    assert await code(update) == "hash_conflict"
    assert await code(client.views_update(view_id="V0", view=modal())) == "not_found"


async def test_an_external_id_belongs_to_one_open_view(slack: Slack, client: AsyncWebClient, clock: Clock) -> None:
    view = modal(external_id="mine")
    await client.views_open(trigger_id=slack.workspace.issue_trigger(ALICE, clock()), view=view)
    trigger = slack.workspace.issue_trigger(BOB, clock())
    assert await code(client.views_open(trigger_id=trigger, view=view)) == "duplicate_external_id"
    await client.views_update(external_id="mine", view=modal(section("found")))
    assert slack.modals("alice")[0].blocks[0]["text"]["text"] == "found"


async def test_three_modals_are_the_highest_stack(slack: Slack, client: AsyncWebClient, clock: Clock) -> None:
    view_id = None
    for method in (client.views_open, client.views_push, client.views_push):
        trigger = slack.workspace.issue_trigger(ALICE, clock(), view_id)
        view_id = (await method(trigger_id=trigger, view=modal()))["view"]["id"]
    assert len(slack.modals("alice")) == 3
    trigger = slack.workspace.issue_trigger(ALICE, clock(), view_id)
    assert await code(client.views_push(trigger_id=trigger, view=modal())) == "push_limit_reached"
    await slack.person("alice").close(slack.modals("alice")[-1])
    assert len(slack.modals("alice")) == 2


async def test_a_home_tab_is_published_for_one_person(slack: Slack, client: AsyncWebClient) -> None:
    await client.views_publish(user_id=ALICE, view=home(section("hello")))
    page = slack.home("alice")
    assert page is not None
    assert page.blocks[0]["text"]["text"] == "hello"
    assert slack.home("bob") is None
    assert await code(client.views_publish(user_id=ALICE, view=modal())) == "invalid_arguments"
    for stranger in ("frank", "dave", "robot"):
        user_id = slack.person(stranger).user.id
        assert await code(client.views_publish(user_id=user_id, view=home(section("hello")))) == "user_not_found"
    slack.workspace.home_tab_enabled = False
    assert await code(client.views_publish(user_id=ALICE, view=home())) == "not_enabled"


# ------------------------------------------------------------------ limits and faults


async def test_posting_is_paced_by_channel(slack: Slack, client: AsyncWebClient, clock: Clock) -> None:
    slack.limits.enforced = True
    for _ in range(3):
        await posted(client, slack)
    error = await refusal(posted(client, slack))
    assert (error.response.status_code, error.response["error"]) == (429, "ratelimited")
    assert error.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel=ALICE, text="another channel")
    clock.now += 1
    await posted(client, slack)


async def test_a_method_is_paced_by_its_tier(slack: Slack, client: AsyncWebClient, clock: Clock) -> None:
    slack.limits.enforced = True
    for _ in range(5):
        await client.usergroups_users_list(usergroup="S0STORAGE")
    assert await code(client.usergroups_users_list(usergroup="S0STORAGE")) == "ratelimited"
    clock.now += 3
    await client.usergroups_users_list(usergroup="S0STORAGE")


@pytest.mark.parametrize("done", [False, True])
async def test_an_answer_is_lost_before_or_after_the_message_is_posted(
    slack: Slack, client: AsyncWebClient, done: bool
) -> None:
    (slack.faults.drop_after if done else slack.faults.drop_before)("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await posted(client, slack)
    assert len(slack.messages("storage")) == int(done)
    assert [(call.ok, call.error) for call in slack.calls] == [(True, None) if done else (False, "drop")]
    await posted(client, slack)


@pytest.mark.parametrize("done", [False, True])
async def test_an_answer_never_comes(slack: Slack, client: AsyncWebClient, done: bool) -> None:
    (slack.faults.hang_after if done else slack.faults.hang)("chat.postMessage")
    posting = asyncio.create_task(posted(client, slack))
    await slack.until(lambda: slack.calls)
    assert not posting.done()
    assert len(slack.messages("storage")) == int(done)
    slack.faults.clear()
    with pytest.raises(aiohttp.ClientError):
        await posting


async def test_errors_are_answered_with_or_without_doing_the_work(slack: Slack, client: AsyncWebClient) -> None:
    slack.faults.fail("chat.*", "internal_error", done=True)
    slack.faults.fail("chat.postMessage", "fatal_error", times=2)
    slack.faults.fail("chat.postMessage", retry_after_s=7)
    assert await code(posted(client, slack)) == "internal_error"
    assert len(slack.messages("storage")) == 1
    assert [await code(posted(client, slack)) for _ in range(2)] == ["fatal_error"] * 2
    limited = await refusal(posted(client, slack))
    assert (limited.response.status_code, limited.response.headers["Retry-After"]) == (429, "7")
    assert len(slack.messages("storage")) == 1
    slack.faults.garbage("chat.postMessage", status=502)
    with pytest.raises(SlackApiError):
        await posted(client, slack)
    await posted(client, slack)
    assert slack.refusals == []


async def test_hooks_run_on_either_side_of_the_work(slack: Slack, client: AsyncWebClient) -> None:
    seen: list[tuple[str, int]] = []

    async def before(arguments: dict[str, Any]) -> None:
        seen.append((arguments["text"], len(slack.messages("storage"))))

    async def after(arguments: dict[str, Any]) -> None:
        seen.append((arguments["text"], len(slack.messages("storage"))))

    slack.faults.hook("chat.postMessage", before=before, after=after)
    await posted(client, slack, text="watched")
    assert seen == [("watched", 0), ("watched", 1)]


async def test_slack_comes_back_on_the_same_port_after_an_outage(slack: Slack, client: AsyncWebClient) -> None:
    await posted(client, slack)
    await slack.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.auth_test()
    await slack.start()
    await client.auth_test()
    assert len(slack.messages("storage")) == 1


async def test_until_gives_up_in_time(slack: Slack) -> None:
    with pytest.raises(TimeoutError):
        await slack.until(lambda: slack.calls, timeout_s=0.01)


# ------------------------------------------------------------------ a Bolt app

APPROVE = actions(button("accept", "1"), button("accept_other", "2"))


def bolt_app(slack: Slack) -> AsyncApp:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=slack.signing_secret)

    async def on_command(ack: AsyncAck, command: dict[str, Any], client: AsyncWebClient) -> None:
        words = command["text"]
        if words == "card":
            await ack()
            await client.chat_postMessage(channel=command["channel_id"], text="card", blocks=[APPROVE])
        elif words == "mine":
            await ack(text="yours", blocks=[APPROVE])
        elif words == "bad":
            await ack(text="bad", blocks=[{"type": "section"}])
        elif words == "slow":
            await slack.until(lambda: slack.courier.delivered[-1].error)
            await ack()
        else:
            await ack(f"heard {words}")

    async def on_accept(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        await respond(f"accepted by {body['user']['name']}", replace_original=True)

    async def on_other(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        field = {"type": "plain_text_input", "action_id": "reason", "max_length": 10}
        label = {"type": "plain_text", "text": "Why?"}
        block = {"type": "input", "block_id": "why", "label": label, "element": field}
        view = modal(block, section(), submit={"type": "plain_text", "text": "Go"}, callback_id="why")
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def on_view(ack: AsyncAck, view: dict[str, Any]) -> None:
        reason = view["state"]["values"]["why"]["reason"]["value"]
        answers: dict[str, dict[str, Any]] = {
            "wrong": {"response_action": "errors", "errors": {"why": "Not that."}},
            "stray": {"response_action": "errors", "errors": {"who": "Not that."}},
            "more": {"response_action": "push", "view": modal(section("more"))},
            "other": {"response_action": "update", "view": modal(section("other"))},
            "broken": {"response_action": "update", "view": modal({"type": "section"})},
        }
        await ack(**answers.get(reason, {}))

    async def on_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view=home(section("hello")))

    app.command("/tintri")(on_command)
    app.action("accept")(on_accept)
    app.action("accept_other")(on_other)
    app.view("why")(on_view)
    app.event("app_home_opened")(on_home)
    return app


@asynccontextmanager
async def over_http(slack: Slack) -> AsyncIterator[None]:
    app = bolt_app(slack)

    async def receive(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", receive)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def over_sockets(slack: Slack) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(bolt_app(slack), slack.app_token, ping_interval=0.5)
    connected = len(slack.sockets.connections) + 1
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so
    await slack.until(lambda: len(slack.sockets.connections) == connected)
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it so


@pytest.fixture(params=[over_http, over_sockets], ids=["http", "socket"])
async def app(slack: Slack, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    async with request.param(slack):
        yield


@pytest.mark.usefixtures("app")
async def test_the_answer_to_a_command_is_shown_to_the_person(slack: Slack) -> None:
    delivery = await slack.person("alice").command("/tintri now")
    assert (delivery.acknowledged, delivery.status, delivery.error) == (True, 200, None)
    assert [message.text for message in slack.ephemerals("alice")] == ["heard now"]


@pytest.mark.usefixtures("app")
async def test_an_invalid_answer_to_a_command_is_remembered(slack: Slack) -> None:
    delivery = await slack.person("alice").command("/tintri bad")
    assert delivery.error == "invalid_blocks"
    assert [seen.method for seen in slack.refusals] == ["command answer"]
    assert slack.ephemerals("alice") == []


@pytest.mark.usefixtures("app")
async def test_a_click_replaces_the_message(slack: Slack) -> None:
    await slack.person("alice").command("/tintri card")
    card = (await slack.until(lambda: slack.messages("storage")))[0]
    old = card.blocks[0]["elements"][0]
    await slack.person("bob").click(card, "accept")
    await slack.until(lambda: card.text == "accepted by bob")
    with pytest.raises(LookupError, match="0 elements are accept"):
        await slack.person("bob").click(card, "accept")
    delivery = await slack.person("alice").click_old(old, card)
    assert delivery.payload["actions"][0]["value"] == "1"
    await slack.until(lambda: card.text == "accepted by alice")


@pytest.mark.usefixtures("app")
async def test_a_click_in_an_ephemeral_message_carries_no_message(slack: Slack) -> None:
    await slack.person("alice").command("/tintri mine")
    mine = slack.ephemerals("alice")[0]
    delivery = await slack.person("alice").click(mine, "accept")
    assert delivery.payload["container"]["is_ephemeral"] is True
    assert "message" not in delivery.payload
    await slack.until(lambda: mine.text == "accepted by alice")
    assert slack.ephemerals("alice") == [mine]
    with pytest.raises(LookupError, match="bob does not see"):
        await slack.person("bob").click(mine, "accept")


async def opened(slack: Slack) -> Any:
    await slack.person("alice").command("/tintri mine")
    await slack.person("alice").click(slack.ephemerals("alice")[0], "accept_other")
    return (await slack.until(lambda: slack.modals("alice")))[-1]


@pytest.mark.usefixtures("app")
async def test_a_submitted_modal_closes(slack: Slack) -> None:
    view = await opened(slack)
    delivery = await slack.person("alice").submit(view, {"reason": "because"})
    assert delivery.payload["view"]["state"]["values"] == {
        "why": {"reason": {"type": "plain_text_input", "value": "because"}}
    }
    assert slack.modals("alice") == []


@pytest.mark.usefixtures("app")
async def test_a_modal_shows_errors_and_other_views(slack: Slack) -> None:
    view, alice = await opened(slack), slack.person("alice")
    await alice.submit(view, {"reason": "wrong"})
    assert view.errors == {"why": "Not that."}
    await alice.submit(view, {"reason": "more"})
    assert [shown.blocks[0]["type"] for shown in slack.modals("alice")] == ["input", "section"]
    assert slack.modals("alice")[1].previous_view_id == view.id
    await alice.submit(view, {"reason": "other"})
    assert view.blocks[0]["text"]["text"] == "other"


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("reason", ["broken", "stray"])
async def test_the_person_learns_of_a_bad_answer_and_the_app_does_not(slack: Slack, reason: str) -> None:
    view = await opened(slack)
    delivery = await slack.person("alice").submit(view, {"reason": reason})
    assert (delivery.acknowledged, delivery.error) == (True, TROUBLE)
    assert slack.modals("alice") == [view]


@pytest.mark.usefixtures("app")
async def test_a_field_that_slacks_client_would_not_submit(slack: Slack) -> None:
    view, alice = await opened(slack), slack.person("alice")
    with pytest.raises(ValueError, match="must be filled in"):
        await alice.submit(view)
    with pytest.raises(ValueError, match="too long"):
        await alice.submit(view, {"reason": "x" * 11})
    with pytest.raises(LookupError, match="no field"):
        await alice.submit(view, {"raeson": "x"})


async def test_a_date_and_time_are_submitted_as_unix_time(slack: Slack, client: AsyncWebClient) -> None:
    picker = {"type": "datetimepicker", "action_id": "when"}
    label = {"type": "plain_text", "text": "When?"}
    block = {"type": "input", "block_id": "b", "label": label, "element": picker}
    trigger = slack.person("alice")._trigger()
    await client.views_open(trigger_id=trigger, view=modal(block, submit={"type": "plain_text", "text": "Go"}))
    (view,), alice = slack.modals("alice"), slack.person("alice")
    for odd in ("2026-03-10", 999_999_999, 10**10):
        with pytest.raises(ValueError, match="is no moment"):
            await alice.submit(view, {"when": odd})
    with pytest.raises(ValueError, match="must be filled in"):
        await alice.submit(view)
    delivery = await alice.submit(view, {"when": 1_773_156_000})
    assert delivery.payload["view"]["state"]["values"] == {
        "b": {"when": {"type": "datetimepicker", "selected_date_time": 1_773_156_000}}
    }


@pytest.mark.usefixtures("app")
async def test_the_home_tab_is_filled_when_opened(slack: Slack) -> None:
    delivery = await slack.person("alice").open_home()
    assert delivery.acknowledged
    await slack.until(lambda: slack.home("alice"))
    again = await slack.person("alice").open_home()
    assert "view" in again.payload["event"]


@pytest.mark.usefixtures("app")
async def test_a_late_acknowledgement_is_a_timeout_for_the_person(slack: Slack) -> None:
    slack.courier.ack_timeout_s = 0.05
    delivery = await slack.person("alice").command("/tintri slow")
    assert (delivery.acknowledged, delivery.error) == (False, OPERATION_TIMEOUT)


@pytest.mark.usefixtures("app")
async def test_a_delivery_can_come_again_with_the_same_payload(slack: Slack) -> None:
    first = await slack.person("alice").command("/tintri now")
    second = await slack.redeliver(first)
    assert second.acknowledged
    assert (second.payload, second.envelope_id) == (first.payload, first.envelope_id)
    assert len(slack.ephemerals("alice")) == 2


@pytest.mark.usefixtures("app")
async def test_a_payload_can_claim_another_team(slack: Slack) -> None:
    honest = await slack.person("alice").command("/tintri now")
    forged = await slack.forge(honest, team_id="T0ANOTHER", text="forged")
    assert forged.payload["team_id"] == "T0ANOTHER"
    assert slack.ephemerals("alice")[-1].text == "heard forged"


# ------------------------------------------------------------------ HTTP mode


def test_the_signature_is_slacks() -> None:
    body = b"command=%2Ftintri&text=reco&user_id=U123&team_id=T123&channel_id=C123&trigger_id=1.2.abc"
    assert signature("test-signing-secret", 1_700_000_000, body) == (
        "v0=5768b1e40066fa9976f9c1bb6c0a59f6af769956cb92d35d103d8d5668810696"
    )


@pytest.mark.parametrize("forgery", [Forgery(signing_secret="guessed"), Forgery(sent_at=1_700_000_000)])
async def test_bolt_turns_a_forged_or_stale_request_away(slack: Slack, forgery: Forgery) -> None:
    async with over_http(slack):
        honest = await slack.person("alice").command("/tintri now")
        forged = await slack.forge(honest, forgery)
    assert (forged.acknowledged, forged.status, forged.error) == (False, 401, DISPATCH_FAILED)
    assert len(slack.ephemerals("alice")) == 1


async def test_nobody_listening_is_a_failure_for_the_person(slack: Slack) -> None:
    async with over_http(slack):
        pass
    assert (await slack.person("alice").command("/tintri now")).error == DISPATCH_FAILED
    slack.request_url = None
    assert (await slack.person("alice").command("/tintri now")).error == DISPATCH_FAILED


async def test_picking_an_option_and_telling_buttons_apart(slack: Slack, client: AsyncWebClient) -> None:
    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("one", "two")]
    menu = {"type": "overflow", "action_id": "menu", "options": options}
    rows = [actions(button("go", value), block_id=value) for value in ("1", "2")]
    card, alice = await posted(client, slack, section(accessory=menu), *rows), slack.person("alice")
    picked = await alice.click(card, "menu", "two")
    assert picked.payload["actions"][0]["selected_option"]["value"] == "two"
    pressed = await alice.click(card, "go", "2")
    assert pressed.payload["actions"][0]["block_id"] == "2"
    with pytest.raises(LookupError, match="2 elements are go"):
        await alice.click(card, "go")
    with pytest.raises(LookupError, match="No version"):
        await alice.click_old(button("never"), card)


# ------------------------------------------------------------------ response_url


async def answer_to(url: str, body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.text()


async def response_url(slack: Slack, where: Message | None = None) -> str:
    person = slack.person("alice")
    delivery = await (person.command("/tintri x") if where is None else person.click(where, "accept"))
    return str(delivery.payload["response_url"])


async def test_a_response_url_is_used_five_times_within_half_an_hour(slack: Slack, clock: Clock) -> None:
    url, late = await response_url(slack), await response_url(slack)
    assert [await answer_to(url, {"text": "x"}) for _ in range(5)] == [(200, "ok")] * 5
    assert await answer_to(url, {"text": "x"}) == (404, "used_url")
    clock.now += 1801
    assert await answer_to(late, {"text": "x"}) == (404, "expired_url")
    assert len(slack.ephemerals("alice")) == 5


async def test_a_response_url_refuses_in_plain_text(slack: Slack) -> None:
    url = await response_url(slack)
    assert await answer_to(url, {"blocks": [{"type": "section"}]}) == (400, "invalid_blocks")
    assert await answer_to(url, {}) == (400, "no_text")
    assert await answer_to(url, {"txt": "x"}) == (400, "invalid_payload")
    assert [seen.error for seen in slack.refusals] == ["invalid_blocks", "no_text", "invalid_payload"]


async def test_a_response_url_publishes_replaces_and_deletes(slack: Slack, client: AsyncWebClient) -> None:
    card = await posted(client, slack, APPROVE)
    url = await response_url(slack, card)
    await answer_to(url, {"text": "for you"})
    await answer_to(url, {"text": "for all", "response_type": "in_channel", "thread_ts": card.ts})
    await answer_to(url, {"text": "changed", "replace_original": True})
    assert [message.text for message in slack.ephemerals("alice")] == ["for you"]
    assert [message.text for message in slack.thread("storage", card.ts)] == ["for all"]
    assert [message.text for message in slack.messages("storage")] == ["changed"]
    await answer_to(url, {"delete_original": True})
    assert slack.messages("storage") == []


async def test_a_lost_answer_of_a_response_url(slack: Slack) -> None:
    url = await response_url(slack)
    slack.faults.drop_after("response_url")
    with pytest.raises(aiohttp.ClientError):
        await answer_to(url, {"text": "x"})
    assert [message.text for message in slack.ephemerals("alice")] == ["x"]


# ------------------------------------------------------------------ Socket Mode


async def socket_url(slack: Slack) -> str:
    client = AsyncWebClient(base_url=slack.api_url)
    return str((await client.apps_connections_open(app_token=APP_TOKEN))["url"])


async def test_a_ticket_opens_one_connection(slack: Slack) -> None:
    url = await socket_url(slack)
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_an_eleventh_connection_is_sent_away(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(await socket_url(slack)) for _ in range(11)]
        greetings = [await socket.receive_json() for socket in sockets]
        assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
        assert greetings[-1]["reason"] == "too_many_websockets"
        for socket in sockets:
            await socket.close()


@pytest.mark.parametrize(("size", "closes"), [(FRAME_BYTES, False), (FRAME_BYTES + 1, True)])
async def test_a_large_frame_closes_the_connection(slack: Slack, size: int, closes: bool) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(await socket_url(slack)) as socket:
        await socket.receive_json()
        waiting = asyncio.create_task(slack.person("alice").command("/tintri now"))
        envelope = await socket.receive_json()
        answer = {"envelope_id": envelope["envelope_id"], "payload": {"text": ""}}
        answer["payload"]["text"] = "x" * (size - len(json.dumps(answer)))
        await socket.send_str(json.dumps(answer))
        if closes:
            closing = await socket.receive()
            assert (closing.data, closing.extra) == (TOO_BIG, "Max frame length of 20480 has been exceeded.")
            waiting.cancel()
        else:
            assert (await waiting).acknowledged


async def test_pings_are_answered_unless_slack_is_deaf(slack: Slack) -> None:
    url = await socket_url(slack)
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.receive_json()
        await socket.ping(b"there?")
        assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
        slack.sockets.deaf = True
        await socket.ping(b"there?")
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)


async def test_an_envelope_goes_to_one_of_the_connections(slack: Slack) -> None:
    async with over_sockets(slack), over_sockets(slack):
        for _ in range(4):
            assert (await slack.person("alice").command("/tintri now")).acknowledged
    assert len(slack.ephemerals("alice")) == 4


@pytest.mark.parametrize("how", ["cut", "refresh_requested", "warning"])
async def test_bolt_connects_again_after_a_disconnect(slack: Slack, how: str) -> None:
    async with over_sockets(slack):
        before = slack.sockets.connections[0]
        if how == "cut":
            slack.sockets.cut()
        else:
            await slack.sockets.disconnect(how)
        await slack.until(lambda: slack.sockets.connections and before not in slack.sockets.connections)
        assert (await slack.person("alice").command("/tintri now")).acknowledged


async def test_an_outage_cuts_the_connections_and_bolt_comes_back(slack: Slack) -> None:
    async with over_sockets(slack):
        await slack.stop()
        assert slack.sockets.connections == []
        await slack.start()
        await slack.until(lambda: slack.sockets.connections)
        assert (await slack.person("alice").command("/tintri now")).acknowledged


async def test_two_workspaces_share_nothing() -> None:
    one, other = Workspace.default(), Workspace.default()
    one.channel("storage").members.clear()
    assert other.channel("storage").members
