"""Cards stay one each, whatever is lost: the process, the database, an answer of Slack's, or the message itself."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import LEASE_LIFE
from bot.config_file import Config, PoolConfig
from bot.pool_rules import SecondApprover
from bot.rendering import ids
from playground.slack import Slack
from playground.slack_workspace import Message
from tests.scenarios.stage import STORAGE, Stage, buttons

pytestmark = pytest.mark.extended

OPEN = ["Accept", "Dismiss", "Details"]


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


async def posted(stage: Stage) -> list[Message]:
    """Start the bot and wait for its three cards."""
    await stage.start_bot()
    cards = await stage.cards_posted(3)
    await stage.settle()
    return cards


def lose_database(stage: Stage) -> None:
    for path in stage.folder.glob("bot.db*"):
        path.unlink()


def keep_copy(stage: Stage) -> Path:
    """A backup, made while nothing runs."""
    copy = stage.folder / "backup"
    copy.mkdir()
    for path in stage.folder.glob("bot.db*"):
        shutil.copy(path, copy)
    return copy


def restore(stage: Stage, copy: Path) -> None:
    lose_database(stage)
    for path in copy.iterdir():
        shutil.copy(path, stage.folder)


def posts(stage: Stage) -> int:
    """How many messages Slack has taken."""
    return sum(call.ok for call in stage.slack.calls_of("chat.postMessage"))


async def test_a_restart_posts_and_paints_nothing_again(stage: Stage) -> None:
    cards = await posted(stage)
    await stage.restart_bot()
    await stage.pass_time(minutes=5)
    assert stage.cards == cards
    assert posts(stage) == 3
    assert stage.slack.calls_of("chat.update") == []


async def test_cards_of_a_lost_database_are_adopted_with_buttons_that_work(stage: Stage) -> None:
    cards = await posted(stage)
    await stage.stop_bot()
    lose_database(stage)
    await stage.start_bot()
    await stage.until(lambda: all(card.edited_ts for card in cards))
    await stage.settle()
    assert stage.cards == cards
    assert posts(stage) == 3
    assert [buttons(card) for card in cards] == [OPEN] * 3

    card = stage.card("Production")
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted")
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    assert len(stage.tgc.accepts) == 1


async def test_a_button_from_before_the_loss_is_answered_and_not_obeyed(stage: Stage) -> None:
    await posted(stage)
    await stage.stop_bot()
    lose_database(stage)
    card = stage.card("Production")
    [old] = [part for block in card.blocks for part in block.get("elements", ()) if part.get("action_id") == ids.ACCEPT]
    await stage.start_bot()
    await stage.until(lambda: card.edited_ts)
    await stage.slack.person("alice").click_old(old, card)
    await stage.answer("alice", "I do not know this button any more")
    assert stage.tgc.accepts == []


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda stage, pool: stage.world.expire(pool), id="expired"),
        pytest.param(lambda stage, pool: stage.world.invalidate(pool, "INVALID_VMS_CHANGED"), id="invalidated"),
        pytest.param(lambda stage, pool: stage.world.new_recommendation(pool), id="replaced"),
        pytest.param(lambda stage, pool: stage.world.accept(pool.uuid, pool.current.id), id="accepted elsewhere"),
        pytest.param(lambda stage, pool: stage.world.delete_pool(pool), id="pool deleted"),
    ],
)
@pytest.mark.parametrize("keep", [False, True], ids=["lost", "kept"])
async def test_a_card_whose_recommendation_ended_meanwhile_loses_its_buttons(
    stage: Stage, end: Callable[[Stage, Any], None], *, keep: bool
) -> None:
    await posted(stage)
    card = stage.card("Production")
    await stage.stop_bot()
    [pool] = [pool for pool in stage.world.pools if pool.name == "Production"]
    end(stage, pool)
    if not keep:
        lose_database(stage)
    await stage.start_bot()
    await stage.until(lambda: "Accept" not in buttons(card))
    await stage.settle()
    assert "Dismiss" not in buttons(card)
    assert "Accept" not in buttons(card)


async def test_an_older_copy_of_the_database_learns_what_happened_since(stage: Stage) -> None:
    cards = await posted(stage)
    await stage.stop_bot()
    copy = keep_copy(stage)
    await stage.start_bot()
    accepted = stage.card("Production")
    await stage.slack.person("alice").click(accepted, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted")
    await stage.settle()
    await stage.stop_bot()

    restore(stage, copy)
    await stage.start_bot()
    await stage.settle()
    assert stage.cards == cards
    assert posts(stage) == 3
    assert "Accept" not in buttons(accepted)
    assert len(stage.tgc.accepts) == 1


@pytest.mark.long
async def test_what_an_older_copy_still_wanted_to_post_is_found_in_the_channel(stage: Stage) -> None:
    """The copy was made while Slack let nothing through: its cards and an announcement wait to be sent."""
    life, stage.lease_life = stage.lease_life, LEASE_LIFE  # who waits for its turn when it stops keeps its lease
    stage.slack.faults.fail("chat.postMessage", retry_after_s=600, times=None)
    await stage.start_bot()
    await stage.until(lambda: stage.slack.calls_of("chat.postMessage"))
    await stage.slack.person("alice").command("/tintri pause")
    await stage.settle()
    await stage.stop_bot()
    stage.lease_life = life
    copy = keep_copy(stage)
    stage.slack.faults.clear()
    await stage.start_bot()
    await stage.pass_time(minutes=11)
    before = list(stage.cards)
    assert len(before) == 4
    await stage.stop_bot()

    restore(stage, copy)
    await stage.start_bot()
    await stage.pass_time(minutes=11)
    assert stage.cards == before
    assert posts(stage) == 4


@pytest.mark.long
async def test_a_reply_that_an_older_copy_still_wanted_to_post_is_found_in_its_thread(stage: Stage) -> None:
    """The copy was made while Slack let nothing through."""
    stage.set(config=Config(file="", pools=(("*", PoolConfig(second_approver=SecondApprover(always=True))),)))
    await posted(stage)
    card = stage.card("Production")
    life, stage.lease_life = stage.lease_life, LEASE_LIFE
    await stage.restart_bot()
    stage.slack.faults.fail("chat.postMessage", retry_after_s=600, times=None)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: You accepted it as the first")
    await stage.settle()
    await stage.stop_bot()
    stage.lease_life = life
    copy = keep_copy(stage)
    stage.slack.faults.clear()
    await stage.start_bot()
    await stage.pass_time(minutes=11)
    [reply] = stage.slack.thread(STORAGE, card.ts)
    await stage.stop_bot()

    restore(stage, copy)
    await stage.start_bot()
    await stage.pass_time(minutes=11)
    assert stage.slack.thread(STORAGE, card.ts) == [reply]


async def test_without_the_history_scopes_a_restart_still_posts_nothing_again(stage: Stage, logged: list[Any]) -> None:
    stage.slack.scopes.discard("channels:history")
    await posted(stage)
    await stage.restart_bot()
    await stage.pass_time(minutes=5)
    assert posts(stage) == 3
    assert any("cards of a lost database would be posted again" in line["event"] for line in logged)


async def test_without_the_history_scopes_a_lost_database_posts_again_and_says_so(
    stage: Stage, logged: list[Any]
) -> None:
    await posted(stage)
    await stage.stop_bot()
    lose_database(stage)
    stage.slack.scopes.discard("channels:history")
    await stage.start_bot()
    await stage.until(lambda: len(stage.cards) == 6)
    await stage.pass_time(minutes=5)
    assert len(stage.cards) == 6
    assert any("cards of a lost database would be posted again" in line["event"] for line in logged)


async def test_without_the_history_scopes_a_lost_answer_posts_again_and_says_so(
    stage: Stage, logged: list[Any]
) -> None:
    stage.slack.scopes.discard("channels:history")
    stage.slack.faults.drop_after("chat.postMessage")
    await stage.start_bot()
    await stage.until(lambda: len(stage.cards) == 4)
    await stage.pass_time(minutes=5)
    assert len(stage.cards) == 4
    assert any("answer was lost goes out again" in line["event"] for line in logged)


def dropped_before(slack: Slack) -> None:
    slack.faults.drop_before("chat.postMessage")


def dropped_after(slack: Slack) -> None:
    slack.faults.drop_after("chat.postMessage")


def failed_after(slack: Slack) -> None:
    slack.faults.fail("chat.postMessage", status=500, done=True)


def failed_before(slack: Slack) -> None:
    slack.faults.fail("chat.postMessage", "service_unavailable", status=503)


def fatal_after(slack: Slack) -> None:
    slack.faults.fail("chat.postMessage", "fatal_error", done=True)


def dropped_while_looking(slack: Slack) -> None:
    slack.faults.drop_after("chat.postMessage")
    slack.faults.hook("conversations.history")  # the one at the start goes well
    slack.faults.drop_before("conversations.history", times=3)


@pytest.mark.parametrize(
    "lose",
    [dropped_before, dropped_after, failed_after, failed_before, fatal_after, dropped_while_looking],
    ids=lambda lose: str(lose.__name__),
)
async def test_an_answer_that_was_lost_leaves_one_card(stage: Stage, lose: Callable[[Slack], None]) -> None:
    lose(stage.slack)
    await stage.start_bot()
    cards = await stage.cards_posted(3)
    await stage.pass_time(minutes=3)
    assert len(stage.cards) == 3
    assert [buttons(card) for card in cards] == [OPEN] * 3
    card = stage.card("Production")
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: buttons(card) == ["Reopen", "Say why", "Details"])


@pytest.mark.parametrize("lose", [dropped_after, dropped_before, fatal_after], ids=lambda lose: str(lose.__name__))
async def test_a_post_whose_answer_died_with_the_process_leaves_one_card(
    stage: Stage, lose: Callable[[Slack], None]
) -> None:
    lose(stage.slack)
    stage.lease_life = LEASE_LIFE  # that of the post that was under way runs out
    await stage.start_bot()
    await stage.until(lambda: stage.slack.calls_of("chat.postMessage"))
    await stage.restart_bot()
    await stage.cards_posted(3)
    await stage.pass_time(minutes=3)
    assert [buttons(card) for card in stage.cards] == [OPEN] * 3


async def test_slack_is_given_the_time_it_asks_for(stage: Stage) -> None:
    stage.slack.faults.fail("chat.postMessage", retry_after_s=90)
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.settle()
    assert len(stage.cards) == 3
    first, *later = stage.slack.calls_of("chat.postMessage")
    assert first.error == "ratelimited"
    assert min(call.at for call in later) - first.at >= 90


async def test_an_edit_waits_as_well_and_is_not_lost(stage: Stage) -> None:
    await posted(stage)
    card = stage.card("Production")
    stage.slack.faults.fail("chat.update", retry_after_s=60)
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.answer("bob", "Production: Dismissed")
    await stage.until(lambda: buttons(card) == ["Reopen", "Say why", "Details"])
    refused, *later = stage.slack.calls_of("chat.update")
    assert min(call.at for call in later) - refused.at >= 60


async def test_a_deleted_card_is_posted_anew_once_and_not_again(stage: Stage) -> None:
    await posted(stage)
    channel, alice = stage.slack.channel(STORAGE), stage.slack.person("alice")
    deleted = stage.card("Production")
    channel.messages.remove(deleted)
    await alice.command("/tintri pause Production")
    anew = await stage.until(lambda: next((card for card in new_cards(stage, deleted)), None))
    await stage.settle()
    assert "Accept" not in buttons(anew)

    await alice.command("/tintri resume Production")
    await stage.until(lambda: "Accept" in buttons(anew))
    channel.messages.remove(anew)
    await alice.command("/tintri pause Production")
    await stage.pass_time(minutes=5)
    assert list(new_cards(stage, deleted)) == []


def new_cards(stage: Stage, deleted: Message) -> Iterator[Message]:
    """Messages about the pool with buttons, posted after that one."""
    return (
        message
        for message in stage.cards
        if message.text.startswith("Production:") and float(message.ts) > float(deleted.ts) and buttons(message)
    )
