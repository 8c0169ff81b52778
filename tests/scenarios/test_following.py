"""From the accept to the end: the card follows the moves, and the thread says once what people must notice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rendering import ids
from playground.estate import Pool
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios import records
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

READING = r"/recommendation/(?!current$)[^/]+$"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production, with four moves in two waves; the clock may jump."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()
        opened.set(reco_refresh_seconds=60)
        yield opened
        opened.slack.faults.clear()


def production(stage: Stage) -> Pool:
    return stage.world.pools[0]


def thread(stage: Stage, card: Message) -> list[str]:
    return [message.text for message in stage.slack.channel(STORAGE).replies(card.ts)]


async def accepted(stage: Stage, who: str | None = "alice") -> Message:
    """The card of Production while its moves run; `who` None: accepted in the TGC's own GUI."""
    if not stage.cards:
        await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    if who is None:
        stage.world.accept_in_gui(production(stage))
        await stage.jump(seconds=60)
    else:
        await stage.slack.person(who).click(card, ids.ACCEPT)
    await stage.until(lambda: "Cancel" in buttons(card))
    return card


def fail_first(stage: Stage, category: str) -> str:
    vm = stage.world.current(production(stage)).moves[0].vm
    stage.world.fail_move(production(stage), vm, category=category, summary="It broke")
    return vm.name


# The end


async def test_the_end_is_said_once_in_the_thread_to_whoever_accepted(stage: Stage) -> None:
    card = await accepted(stage)
    assert thread(stage, card) == []
    await stage.jump(hours=2)
    await stage.until(lambda: thread(stage, card))
    assert "4 of 4 VMs moved" in thread(stage, card)[0]
    assert "accepted by <@U0ALICE00>" in thread(stage, card)[0]
    await stage.restart_bot()
    await stage.live(minutes=2)
    assert len(thread(stage, card)) == 1


async def test_the_end_names_nobody_where_it_was_accepted_in_the_gui(stage: Stage) -> None:
    card = await accepted(stage, None)
    await stage.jump(hours=2)
    await stage.until(lambda: thread(stage, card))
    assert "<@" not in thread(stage, card)[0]
    assert "accepted in Tintri Global Center" in thread(stage, card)[0]


async def test_trouble_is_no_end_and_a_failure_is_said_with_what_to_do(stage: Stage) -> None:
    card = await accepted(stage)
    vm = fail_first(stage, "replication")
    await stage.until(lambda: "in trouble" in str(card.blocks))
    assert "Cancel" in buttons(card)
    assert "It broke (replication)" in str(card.blocks)
    await stage.settle()
    assert thread(stage, card) == []
    await stage.jump(hours=2)
    await stage.until(lambda: thread(stage, card))
    (said,) = thread(stage, card)
    assert "3 of 4 VMs moved" in said
    assert f"{vm}: It broke (replication)" in said
    assert "Check that the VM's replication is healthy" in said
    assert "<@U0ALICE00>" in said


async def test_a_cancel_is_said_with_what_had_moved_and_who_did_what(stage: Stage) -> None:
    card = await accepted(stage)
    await stage.jump(minutes=45)
    await stage.until(lambda: "2 of 4 VMs moved" in card.text)
    moved = stage.world.current(production(stage)).moves[0].vm.name
    await stage.slack.person("bob").click(card, ids.CANCEL)
    await stage.jump(hours=2)
    await stage.until(lambda: thread(stage, card))
    (said,) = thread(stage, card)
    assert "cancelled by <@U0BOB0000>" in said
    assert "accepted by <@U0ALICE00>" in said
    assert moved in said


async def test_a_bot_that_was_away_goes_on_following_and_says_the_end(stage: Stage) -> None:
    card = await accepted(stage)
    await stage.until(lambda: "moving" in str(card.blocks))
    await stage.stop_bot()
    stage.clock.move(timedelta(minutes=5))
    await stage.start_bot()
    before = str(card.blocks)
    await stage.until(lambda: str(card.blocks) != before)
    assert "Cancel" in buttons(card)
    await stage.stop_bot()
    stage.clock.move(timedelta(hours=3))
    await stage.start_bot()
    await stage.until(lambda: thread(stage, card))
    await stage.live(minutes=2)
    assert len(thread(stage, card)) == 1
    assert "accepted by <@U0ALICE00>" in thread(stage, card)[0]


async def test_an_end_whose_answer_slack_lost_is_looked_for_and_not_said_twice(stage: Stage) -> None:
    card = await accepted(stage)
    stage.slack.faults.drop_after("chat.postMessage")
    await stage.jump(hours=2)
    await stage.live(minutes=2)
    assert len(thread(stage, card)) == 1


async def test_moves_that_ended_before_anybody_knew_whose_accept_it_was_are_said_to_be_theirs(stage: Stage) -> None:
    """The answer to the accept is lost, and by the time it can be found out all is over."""
    stage.world.move_minutes = 0.05
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    stage.tgc.fault(Fault("drop_after", "/accept$", method="POST"))

    async def fail_from_now_on() -> None:
        stage.tgc.fault(Fault("answer", READING, method="GET", status=503, times=None))

    stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=fail_from_now_on))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: records.states(stage) == ["ACCEPTED"])  # a refresh reads it as the pool's current one
    await stage.settle()
    assert thread(stage, card) == []
    stage.tgc.clear_faults()
    await stage.until(lambda: thread(stage, card))
    await stage.settle()
    assert ["accepted by <@U0ALICE00>" in said for said in thread(stage, card)] == [True]
    assert "accepted by <@U0ALICE00>" in card.text
