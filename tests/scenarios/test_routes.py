"""Routes: a recommendation's cards in the channels of its route, and what is left where they were before."""

from collections.abc import AsyncIterator
from datetime import time
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import REGISTRY

from bot.config_file import Config
from bot.rendering import ids
from bot.routes import QuietHours, Route
from playground.slack_workspace import BOT_USER_ID, Message
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended

GENERAL = "general"
SECRET = "secret"
SWEEP = 6
"""Minutes in which every pool is read again."""
OPEN = ["Accept", "Dismiss", "Details"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Two pools, Production and Test; the bot is in the channel general, too."""
    async with open_stage(tmp_path, pools=2) as opened:
        opened.use_http()
        opened.slack.channel(GENERAL).members.add(BOT_USER_ID)
        yield opened


def route(stage: Stage, *routes: Route) -> None:
    stage.set(config=Config(file="tintri-bot.toml", routes=routes))


def to(
    stage: Stage,
    *channels: str,
    pool: str = "Production",
    mentions: tuple[str, ...] = (),
    quiet: QuietHours | None = None,
) -> Route:
    channel_ids = tuple(stage.slack.channel(channel).id for channel in channels)
    return Route(channels=channel_ids, pools=(pool,), mentions=mentions, quiet=quiet)


def card(stage: Stage, channel: str, pool: str = "Production") -> Message | None:
    shown = [message for message in stage.slack.messages(channel) if f"{pool}:" in message.text]
    return shown[-1] if shown else None


async def the_card(stage: Stage, channel: str, pool: str = "Production") -> Message:
    return await stage.until(lambda: card(stage, channel, pool))


def link_to(message: Message) -> str:
    return f"/p{message.ts.replace('.', '')}"


def replies(stage: Stage, channel: str, of: Message) -> list[Message]:
    return stage.slack.channel(channel).replies(of.ts)


def paused_in_all(stage: Stage, channel: str) -> list[str]:
    return [one.text for one in stage.slack.messages(channel) if "paused accepting in all pools" in one.text]


def cannot_post() -> float | None:
    return REGISTRY.get_sample_value("tintri_bot_cannot_post")


async def channel_state(stage: Stage) -> str:
    """What /readyz says of channels."""
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return str((await response.json())["channel"])


async def test_a_press_on_one_of_two_cards_shows_on_both_and_the_end_calls_who_accepted_once(stage: Stage) -> None:
    route(stage, to(stage, GENERAL, STORAGE))
    await stage.start_bot()
    there, here = await the_card(stage, GENERAL), await the_card(stage, STORAGE)
    await the_card(stage, STORAGE, "Test")
    assert card(stage, GENERAL, "Test") is None
    alice = stage.slack.person("alice")
    await alice.click(here, ids.ACCEPT)
    await stage.until(lambda: all(buttons(one) == ["Cancel", "Details"] for one in (there, here)))
    assert len(stage.tgc.accepts) == 1

    await stage.jump(hours=2)
    await stage.until(lambda: replies(stage, GENERAL, there) and replies(stage, STORAGE, here))
    await stage.settle()
    (first,), (second,) = replies(stage, GENERAL, there), replies(stage, STORAGE, here)
    assert "4 of 4 VMs moved" in first.text
    assert alice.user.id in first.text
    assert alice.user.id in str(first.blocks)
    assert second.text == first.text.replace(f"<@{alice.user.id}>", "alice")
    assert alice.user.id not in str(second.blocks)
    assert "accepted by alice" in second.text
    assert "alice" in str(second.blocks)


async def test_a_card_that_is_routed_elsewhere_points_there(stage: Stage) -> None:
    await stage.start_bot()
    old, other = await the_card(stage, STORAGE), await the_card(stage, STORAGE, "Test")
    await stage.settle()
    await stage.stop_bot()
    route(stage, to(stage, GENERAL))
    await stage.start_bot()
    new = await the_card(stage, GENERAL)
    await stage.until(lambda: not buttons(old))
    general = stage.slack.channel(GENERAL).id
    link = f"archives/{general}/p{new.ts.replace('.', '')}"
    assert old.text.startswith(f"Production: this recommendation is shown in <#{general}> now: <")
    assert link in old.text
    assert link in str(old.blocks)
    assert (buttons(new), buttons(other)) == (OPEN, OPEN)
    edits = len(stage.slack.calls_of("chat.update"))

    await stage.slack.person("alice").click(new, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(new))
    await stage.settle()
    assert (buttons(old), replies(stage, STORAGE, old)) == ([], [])
    assert {call.arguments["ts"] for call in stage.slack.calls_of("chat.update")[edits:]} == {new.ts}

    await stage.stop_bot()
    route(stage)
    await stage.start_bot()
    await stage.until(lambda: "Reopen" in buttons(old))
    await stage.until(lambda: not buttons(new))
    assert [message.text.count("Production") for message in stage.slack.messages(GENERAL)] == [1]


async def test_a_route_back_to_where_nothing_could_be_posted_has_the_card_posted_there(stage: Stage) -> None:
    away, back = GENERAL, SECRET
    stage.slack.channel(away).members.discard(BOT_USER_ID)
    route(stage, to(stage, away))
    await stage.start_bot()
    await stage.pass_time(minutes=2)
    for channel in (back, away):
        route(stage, to(stage, channel))
        await stage.reload()
        await stage.pass_time(minutes=SWEEP)
    for channel in (back, away):
        stage.slack.channel(channel).members.add(BOT_USER_ID)
    assert buttons(await the_card(stage, away)) == OPEN
    assert stage.slack.messages(back) == []


async def test_no_card_points_to_a_deleted_one_when_the_route_comes_back(stage: Stage) -> None:
    await stage.start_bot()
    old = await the_card(stage, STORAGE)
    await stage.settle()
    await stage.stop_bot()
    stage.slack.channel(STORAGE).messages.remove(old)
    route(stage, to(stage, GENERAL))
    await stage.start_bot()
    new = await the_card(stage, GENERAL)
    await stage.pass_time(minutes=1)
    assert (buttons(new), card(stage, STORAGE)) == (OPEN, None)

    route(stage)
    await stage.reload()
    await stage.pass_time(minutes=SWEEP)
    anew = await the_card(stage, STORAGE)
    assert (buttons(anew), buttons(new)) == (OPEN, [])
    assert link_to(anew) in new.text


async def test_a_card_that_points_to_a_deleted_one_points_to_the_one_posted_anew(stage: Stage) -> None:
    await stage.start_bot()
    old = await the_card(stage, STORAGE)
    route(stage, to(stage, GENERAL))
    await stage.reload()
    deleted = await the_card(stage, GENERAL)
    await stage.until(lambda: link_to(deleted) in old.text)
    stage.slack.channel(GENERAL).messages.remove(deleted)
    await stage.slack.person("alice").command("/tintri pause")
    anew = await the_card(stage, GENERAL)
    await stage.until(lambda: link_to(anew) in old.text)


async def test_a_card_deleted_twice_comes_back_with_no_route_and_the_other_one_stays(stage: Stage) -> None:
    await stage.start_bot()
    for _ in range(2):
        stage.slack.channel(STORAGE).messages.remove(await the_card(stage, STORAGE))
        await stage.slack.person("alice").command("/tintri pause")
        await stage.pass_time(minutes=1)
        await stage.slack.person("alice").command("/tintri resume")
        await stage.pass_time(minutes=1)
    for routes in ((to(stage, GENERAL),), ()):
        route(stage, *routes)
        await stage.reload()
        await stage.pass_time(minutes=SWEEP)
    assert card(stage, STORAGE) is None
    assert buttons(await the_card(stage, GENERAL)) == OPEN


async def test_a_channel_that_is_left_out_of_the_routes_counts_as_refusing_no_more(stage: Stage) -> None:
    stage.slack.channel(GENERAL).members.discard(BOT_USER_ID)
    route(stage, to(stage, GENERAL))
    await stage.start_bot()
    await stage.until(lambda: cannot_post() == 1)
    assert "refuses" in await channel_state(stage)
    route(stage)
    await stage.reload()
    assert (await channel_state(stage), cannot_post()) == ("ok", 0)


async def test_what_runs_stays_where_it_is(stage: Stage) -> None:
    await stage.start_bot()
    old = await the_card(stage, STORAGE)
    await stage.slack.person("alice").click(old, ids.ACCEPT)
    await stage.until(lambda: buttons(old) == ["Cancel", "Details"])
    await stage.stop_bot()
    route(stage, to(stage, GENERAL))
    await stage.start_bot()
    await stage.jump(hours=2)
    await stage.until(lambda: replies(stage, STORAGE, old))
    assert "4 of 4 VMs moved" in old.text
    assert stage.slack.messages(GENERAL) == []


async def test_a_channel_that_refuses_keeps_no_other_one_waiting(stage: Stage) -> None:
    """And one that nothing is routed to any more is let go."""
    await stage.start_bot()
    old = await the_card(stage, STORAGE)
    await stage.settle()
    await stage.stop_bot()
    stage.slack.channel(STORAGE).is_archived = True
    route(stage, to(stage, STORAGE, GENERAL, pool="Test"), to(stage, GENERAL))
    await stage.start_bot()
    await the_card(stage, GENERAL)
    await the_card(stage, GENERAL, "Test")
    await stage.settle()
    edits_of_old = [call for call in stage.slack.calls_of("chat.update") if call.arguments["ts"] == old.ts]
    await stage.pass_time(minutes=5)
    assert [call for call in stage.slack.calls_of("chat.update") if call.arguments["ts"] == old.ts] == edits_of_old


async def test_a_new_card_calls_whom_its_route_mentions_but_not_in_quiet_hours(stage: Stage) -> None:
    """It is 06:15."""
    mentions = ("S0STORAGE", "here")
    loud = to(stage, GENERAL, mentions=mentions, quiet=QuietHours(time(22), time(6)))
    still = to(stage, GENERAL, pool="Test", mentions=mentions, quiet=QuietHours(time(22), time(6, 30)))
    route(stage, loud, still)
    await stage.start_bot()
    called, quiet = await the_card(stage, GENERAL), await the_card(stage, GENERAL, "Test")
    assert called.text.startswith("<!subteam^S0STORAGE> <!here> Production: ")
    assert [part["type"] for part in called.blocks[0]["elements"][0]["elements"]] == ["usergroup", "text", "broadcast"]
    assert "S0STORAGE" not in str((quiet.text, quiet.blocks))

    await stage.jump(minutes=30)
    alice = stage.slack.person("alice")
    await alice.command("/tintri pause")
    await stage.until(lambda: all(buttons(one) == ["Dismiss", "Details"] for one in (called, quiet)))
    assert "S0STORAGE" in called.text
    assert "S0STORAGE" not in quiet.text
    await alice.click(called, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(called))
    assert "S0STORAGE" not in str((called.text, called.blocks))


async def test_cards_of_a_lost_database_are_adopted_in_every_channel(stage: Stage) -> None:
    route(stage, to(stage, GENERAL, STORAGE))
    await stage.start_bot()
    cards = [await the_card(stage, GENERAL), await the_card(stage, STORAGE), await the_card(stage, STORAGE, "Test")]
    await stage.settle()
    await stage.stop_bot()
    for path in stage.folder.glob("bot.db*"):
        path.unlink()
    await stage.start_bot()
    await stage.until(lambda: all(one.edited_ts for one in cards))
    await stage.settle()
    assert sum(call.ok for call in stage.slack.calls_of("chat.postMessage")) == 3
    assert [buttons(one) for one in cards] == [OPEN] * 3


async def test_notices_go_to_every_channel_that_is_concerned(stage: Stage) -> None:
    route(stage, to(stage, GENERAL))
    await stage.start_bot()
    await the_card(stage, GENERAL)
    await stage.slack.person("alice").command("/tintri pause Production")
    await stage.until(
        lambda: any("paused accepting in Production" in one.text for one in stage.slack.messages(GENERAL))
    )
    await stage.slack.person("alice").command("/tintri pause Test")
    await stage.until(lambda: any("paused accepting in Test" in one.text for one in stage.slack.messages(STORAGE)))
    assert not any("paused accepting in Test" in one.text for one in stage.slack.messages(GENERAL))

    await stage.slack.person("alice").command("/tintri pause")
    await stage.until(lambda: all(paused_in_all(stage, channel) for channel in (GENERAL, STORAGE)))
    assert [paused_in_all(stage, channel)[0].split()[0] for channel in (GENERAL, STORAGE)] == ["<@U0ALICE00>", "alice"]


async def test_where_slack_asks_to_wait_in_one_channel_the_others_go_on(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=4) as stage:
        stage.use_http()
        stage.slack.channel(GENERAL).members.add(BOT_USER_ID)
        first, second, *_ = sorted(pool.name for pool in stage.world.pools)
        route(stage, to(stage, GENERAL, pool=first), to(stage, GENERAL, pool=second))
        stage.slack.faults.fail("chat.postMessage", retry_after_s=60)
        await stage.start_bot()
        await stage.until(lambda: stage.slack.calls_of("chat.postMessage"))
        await stage.live(seconds=15)
        assert (len(stage.slack.messages(GENERAL)), len(stage.slack.messages(STORAGE))) == (0, 2)
        await stage.live(seconds=60)
        assert (len(stage.slack.messages(GENERAL)), len(stage.slack.messages(STORAGE))) == (2, 2)
