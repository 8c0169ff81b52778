"""What the channel sees when the TGC or Slack is in trouble, and when the trouble is over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from playground.estate import Pool
from playground.slack import Call
from playground.slack_workspace import BOT_USER_ID, Message
from playground.tgc_faults import Fault, FaultKind
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended

AWAY, BACK = "gives no answers since", "is back. It gave no answers"
DECIDE = ["Accept", "Dismiss", "Details"]


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """In HTTP mode: a clock that jumps looks to Socket Mode like a connection that was down."""
    stage.use_http()
    stage.set(reco_refresh_seconds=60)
    return stage


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[Stage]:
    """Five pools, and Slack's own rate limits in force."""
    async with open_stage(tmp_path, pools=5, moves=2) as opened:
        opened.use_http()
        opened.slack.limits.enforced = True
        yield opened


def pool(stage: Stage, name: str) -> Pool:
    return next(pool for pool in stage.world.pools if pool.name == name)


def notices(stage: Stage) -> list[str]:
    """What was said of the TGC as a whole."""
    return [said for message in stage.cards for said in (AWAY, BACK) if said in message.text]


def cards(stage: Stage) -> list[Message]:
    return [message for message in stage.cards if "Details" in buttons(message)]


async def refresh(stage: Stage, times: int = 1) -> None:
    for _ in range(times):
        await stage.jump(seconds=stage.settings.reco_refresh_seconds)


def calls(stage: Stage, method: str, channel: str = STORAGE) -> list[Call]:
    channel_id = stage.slack.channel(channel).id
    return [call for call in stage.slack.calls_of(method) if call.arguments["channel"] == channel_id]


# The TGC


async def test_a_tgc_that_is_away_at_the_start_is_told_of_once_and_its_cards_come_with_it(stage: Stage) -> None:
    await stage.tgc.stop()
    await stage.start_bot()
    await stage.settle()
    assert stage.cards == []  # one failed sweep may be a blip
    await refresh(stage)
    await stage.until(lambda: notices(stage) == [AWAY])
    await refresh(stage, 3)
    await stage.restart_bot()
    await refresh(stage, 2)
    assert notices(stage) == [AWAY]
    await stage.tgc.start()
    await refresh(stage)
    await stage.until(lambda: len(cards(stage)) == 3)
    assert notices(stage) == [AWAY, BACK]
    await stage.restart_bot()
    await refresh(stage, 2)
    assert notices(stage) == [AWAY, BACK]

    await stage.tgc.stop()
    await refresh(stage, 3)
    await stage.until(lambda: len(notices(stage)) == 3)
    assert notices(stage)[-1] == AWAY  # another outage is told of anew


async def test_one_failed_sweep_is_not_worth_a_notice(stage: Stage) -> None:
    await stage.tgc.stop()
    await stage.start_bot()
    await stage.settle()
    await stage.tgc.start()
    await refresh(stage)
    await stage.until(lambda: len(cards(stage)) == 3)
    await refresh(stage)
    assert notices(stage) == []


async def test_a_scheduled_sweep_that_failed_is_tried_again_at_each_refresh(stage: Stage) -> None:
    quiet = pool(stage, "Test")
    stage.world.balanced(quiet)
    await stage.start_bot()
    await stage.cards_posted(2)
    await stage.jump(hours=11)
    stage.world.new_recommendation(quiet)
    await stage.tgc.stop()
    await stage.jump(hours=1)  # 18:15 is past
    await refresh(stage)
    await stage.tgc.start()
    await refresh(stage)
    await stage.until(lambda: any(message.text.startswith("Test:") for message in stage.cards))
    assert buttons(stage.card("Test")) == DECIDE


@pytest.mark.parametrize("kind", ["answer", "garbage", "hang_before"])
async def test_a_pool_that_cannot_be_read_hides_no_other_and_comes_when_it_can(stage: Stage, kind: FaultKind) -> None:
    stage.tgc_timeout_s = 0.2
    ill = pool(stage, "Production")
    stage.tgc.fault(Fault(kind, f"{ill.uuid}/recommendation", times=None))
    await stage.start_bot()
    await stage.cards_posted(2)
    await stage.slack.person("alice").command("/tintri reco")
    answer = await stage.answer("alice", "2 of 3 pools")
    assert "Production" in answer.text or "Production" in str(answer.blocks)
    assert [message.text.partition(":")[0] for message in stage.cards] == ["Test", "VDI"]
    stage.tgc.clear_faults()
    await refresh(stage)
    await stage.until(lambda: len(cards(stage)) == 3)
    assert notices(stage) == []


async def test_the_card_of_a_pool_that_cannot_be_read_stays_as_it_is(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card = stage.card("Production")
    stage.tgc.fault(Fault("answer", f"{pool(stage, 'Production').uuid}/recommendation", times=None))
    await refresh(stage, 3)
    assert buttons(card) == DECIDE
    assert card.versions == []
    assert len(stage.cards) == 3


async def test_a_tgc_of_which_no_pool_can_be_read_is_out(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    shown = stage.cards
    stage.tgc.fault(Fault("answer", "/recommendation/", times=None))
    await stage.jump(hours=11, minutes=59)  # the recommendations live on, and 18:15 is past
    await refresh(stage)
    await stage.until(lambda: notices(stage) == [AWAY])
    assert all(buttons(card) in (DECIDE, []) for card in shown)
    stage.tgc.clear_faults()
    await refresh(stage)
    await stage.until(lambda: notices(stage) == [AWAY, BACK])


# Slack


async def test_nothing_is_posted_before_slack_allows_it_again(stage: Stage) -> None:
    stage.slack.faults.fail("chat.postMessage", retry_after_s=40)
    await stage.start_bot()
    await stage.cards_posted(3)
    refused, *posted = calls(stage, "chat.postMessage")
    assert refused.error == "ratelimited"
    assert [call.ok for call in posted] == [True] * 3
    assert posted[0].at >= refused.at + 40
    assert all(later.at - earlier.at >= 1 for earlier, later in pairwise(posted))


async def test_nothing_is_edited_before_slack_allows_it_again(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.slack.faults.fail("chat.update", retry_after_s=40)
    for ended in stage.world.pools:
        stage.world.expire(ended)
    await refresh(stage)
    await stage.until(lambda: all(buttons(card) == [] for card in stage.cards))
    refused, *edited = calls(stage, "chat.update")
    assert refused.error == "ratelimited"
    assert len(edited) == 3
    assert edited[0].at >= refused.at + 40


@pytest.mark.parametrize("method", ["auth.test", "conversations.history"])
async def test_at_the_start_slack_is_not_asked_again_before_it_allows_it(stage: Stage, method: str) -> None:
    stage.slack.faults.fail(method, retry_after_s=60)
    starting = asyncio.create_task(stage.start_bot())
    await stage.cards_posted(3)
    await starting
    refused, allowed, *_ = stage.slack.calls_of(method)
    assert refused.error == "ratelimited"
    assert allowed.ok
    assert allowed.at >= refused.at + 60


async def test_many_cards_that_run_share_one_budget_and_none_starves(many: Stage) -> None:
    many.world.move_minutes = 4  # something has changed at each look
    many.set(follow_seconds=5)
    await many.start_bot()
    await many.cards_posted(5)
    for running in many.world.pools:
        many.world.accept_in_gui(running)
    await refresh(many)
    await many.until(lambda: all("Cancel" in buttons(card) for card in many.cards))
    before = {card.ts: len(card.versions) for card in many.cards}
    await many.until(lambda: all(len(card.versions) > before[card.ts] for card in many.cards))
    edited = [call.at for call in calls(many, "chat.update")]
    assert max(sum(1 for at in edited if first <= at < first + 60) for first in edited) <= 45
    assert not [call for call in many.slack.calls if call.error in {"ratelimited", "rate_limited"}]


@pytest.mark.parametrize(("refusals", "blocks"), [(1, "compact"), (2, "none")])
async def test_a_message_that_slack_does_not_take_goes_out_plainer(stage: Stage, refusals: int, blocks: str) -> None:
    stage.slack.faults.fail("chat.postMessage", "invalid_blocks", times=refusals)
    await stage.start_bot()
    plainer, full, _ = await stage.cards_posted(3)
    assert plainer.text.startswith("Production:")
    if blocks == "none":
        assert plainer.blocks == []
    else:
        assert buttons(plainer) == DECIDE
        assert len(plainer.blocks) < len(full.blocks)


def leave(stage: Stage) -> None:
    stage.slack.channel(STORAGE).members.discard(BOT_USER_ID)


def rejoin(stage: Stage) -> None:
    stage.slack.channel(STORAGE).members.add(BOT_USER_ID)


def archive(stage: Stage) -> None:
    stage.slack.channel(STORAGE).is_archived = True


def unarchive(stage: Stage) -> None:
    stage.slack.channel(STORAGE).is_archived = False


def cannot_post() -> float | None:
    return REGISTRY.get_sample_value("tintri_bot_cannot_post")


@pytest.mark.parametrize(("breaks", "heals"), [(leave, rejoin), (archive, unarchive)], ids=["removed", "archived"])
async def test_a_channel_that_takes_no_posts_is_told_to_each_approver_once(
    stage: Stage, breaks: Any, heals: Any
) -> None:
    breaks(stage)
    await stage.start_bot()
    await stage.until(lambda: stage.slack.direct("alice") and stage.slack.direct("bob"))
    await stage.live(minutes=2.5)
    assert len(stage.slack.direct("alice")) == len(stage.slack.direct("bob")) == 1
    assert "recommendation" in stage.slack.direct("alice")[0].text
    assert cannot_post() == 1

    tried = [call.at for call in calls(stage, "chat.postMessage")]
    tried = [at for at in tried if at > tried[0] + 30]  # each may have asked once before it heard of the first
    assert len(tried) >= 2
    assert all(later - earlier >= 55 for earlier, later in pairwise(tried))  # one asks for all

    heals(stage)
    await stage.cards_posted(3)
    await stage.until(lambda: cannot_post() == 0)

    await stage.settle()
    breaks(stage)
    stage.world.new_recommendation(pool(stage, "Production"))
    await refresh(stage)
    await stage.until(lambda: len(stage.slack.direct("alice")) == len(stage.slack.direct("bob")) == 2)


async def test_cards_in_an_archived_channel_do_not_spin_and_catch_up(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    archive(stage)
    for running in stage.world.pools:
        stage.world.accept_in_gui(running)
    await refresh(stage)
    began, before = stage.clock.now(), len(stage.slack.calls)
    await stage.live(minutes=2.5)
    minutes = (stage.clock.now() - began) / timedelta(minutes=1)
    assert 1 <= len(stage.slack.calls) - before <= minutes + 1
    unarchive(stage)
    await stage.until(lambda: all("Cancel" in buttons(card) for card in stage.cards))


async def test_a_deleted_card_is_posted_anew_once_and_then_forgotten(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    channel, production = stage.slack.channel(STORAGE), pool(stage, "Production")
    channel.messages.remove(stage.card("Production"))
    stage.world.accept_in_gui(production)
    await refresh(stage)
    await stage.until(lambda: len(stage.cards) == 3)
    assert buttons(stage.card("Production")) == ["Cancel", "Details"]

    channel.messages.remove(stage.card("Production"))
    await stage.jump(hours=3)
    await refresh(stage, 3)
    await stage.pass_time(minutes=2)
    [told] = [message for message in stage.cards if "Production" in message.text]
    assert told.metadata is not None
    assert told.metadata["event_payload"]["key"].startswith("ended/")  # no card: the end, which has no thread any more
    assert len(stage.cards) == 3


async def test_a_deleted_card_at_its_end_is_forgotten(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.slack.channel(STORAGE).messages.remove(stage.card("Production"))
    stage.world.expire(pool(stage, "Production"))
    await refresh(stage, 3)
    assert len(stage.cards) == 2
    assert len([call for call in calls(stage, "chat.update") if call.error == "message_not_found"]) == 1
