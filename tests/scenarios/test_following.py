"""From the accept to the end: the card follows the moves, and the thread says once what people must notice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import chain, pairwise
from pathlib import Path

import pytest

from bot.config_file import Config
from bot.rendering import ids
from playground.estate import Pool
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios import records
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended

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


def fail_first(stage: Stage, category: str, at_percent: int = 37) -> str:
    """The first move fails in Production, and is in trouble from that percent on."""
    return fail_move(stage, production(stage), category, at_percent)


def fail_move(stage: Stage, pool: Pool, category: str, at_percent: int) -> str:
    move = stage.world.current(pool).moves[0]
    stage.world.fail_move(pool, move.vm, category=category, summary="It broke")
    assert move.failure is not None
    move.failure.at_percent = at_percent
    return move.vm.name


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
    assert f"What has moved stays where it is now ({moved}" in str(card.blocks)  # asked before cancelling
    await stage.slack.person("bob").click(card, ids.CANCEL)
    await stage.jump(hours=2)
    await stage.until(lambda: thread(stage, card))
    (said,) = thread(stage, card)
    assert "cancelled by <@U0BOB0000>" in said
    assert "accepted by <@U0ALICE00>" in said
    assert moved in said


async def test_moves_that_the_tgc_forgets_while_they_run_are_said_to_be_lost_sight_of(stage: Stage) -> None:
    card = await accepted(stage)
    await stage.until(lambda: "moving" in str(card.blocks))
    stage.world.delete_pool(production(stage))
    await stage.jump(seconds=60)
    await stage.until(lambda: thread(stage, card))
    assert "no longer knows this recommendation" in thread(stage, card)[0]
    assert "accepted by <@U0ALICE00>" in thread(stage, card)[0]


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


@pytest.mark.long
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


# How often the card is edited


def edits(stage: Stage, card: Message) -> list[float]:
    """When the card was edited, in the clock's seconds."""
    return [call.at for call in stage.slack.calls_of("chat.update") if call.arguments["ts"] == card.ts and call.ok]


async def test_progress_alone_is_drawn_every_ten_seconds_and_a_change_of_state_at_once(stage: Stage) -> None:
    stage.set(follow_seconds=2)
    card = await accepted(stage)
    await stage.until(lambda: "moving" in str(card.blocks))
    began = stage.clock.now().timestamp()
    await stage.live(seconds=80)
    drawn = [at for at in edits(stage, card) if at > began]
    assert len(drawn) > 5  # 5 percent a minute and VM
    assert all(later - earlier >= 10 for earlier, later in pairwise(drawn))

    await stage.until(lambda: edits(stage, card)[-1] > stage.clock.now().timestamp() - 2)  # drawn just now
    fail_first(stage, "hypervisor", at_percent=0)
    await stage.until(lambda: "in trouble" in str(card.blocks))
    *_, before, drawn_at = edits(stage, card)
    assert drawn_at - before < 8


@pytest.mark.long
async def test_ten_that_run_at_once_share_the_budget_and_changes_of_state_come_first(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=10) as stage:
        stage.use_http()
        stage.set(follow_seconds=4, reco_refresh_seconds=60)
        await stage.start_bot()
        shown = await stage.cards_posted(10)
        for pool in stage.world.pools:
            stage.world.accept_in_gui(pool)
        await stage.until(lambda: all("moving" in str(card.blocks) for card in shown))
        began = stage.clock.now().timestamp()
        await stage.live(minutes=1)
        in_trouble, troubled = stage.world.pools[-1], stage.card(stage.world.pools[-1].name)
        fail_move(stage, in_trouble, "hypervisor", 0)
        failed_at = stage.clock.now()
        await stage.until(lambda: "in trouble" in str(troubled.blocks))
        assert stage.clock.now() - failed_at <= timedelta(seconds=10)  # read within 4, then at the next turn

        drawn = {card.ts: [at for at in edits(stage, card) if at > began] for card in shown}
        assert min(map(len, drawn.values())) >= 3  # none waits for ever for the others
        at_all = sorted(chain.from_iterable(drawn.values()))
        assert all(at_46th - at_1st > 60 for at_1st, at_46th in zip(at_all, at_all[45:], strict=False))
        drawn.pop(troubled.ts)
        assert all(later - earlier >= 10 for of_card in drawn.values() for earlier, later in pairwise(of_card))


@pytest.mark.long
async def test_300_moves_in_20_waves_are_followed_within_slacks_limits(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=1) as stage:
        stage.use_http()
        stage.world.move_minutes = 1
        pool = stage.world.pools[0]
        stage.world.new_recommendation(pool, moves=300, waves=20, lose_replication=40)
        card = await accepted(stage)
        for move in stage.world.current(pool).moves[::7]:
            stage.world.fail_move(pool, move.vm)
        for _ in range(4):
            await stage.live(seconds=40)
            await stage.jump(minutes=5)
        assert "300 VMs moved" in card.text
        await stage.jump(hours=2)
        await stage.until(lambda: thread(stage, card))
        assert "257 of 300 VMs moved, 43 failed" in thread(stage, card)[0]
        assert all(len(call.arguments["text"].encode()) <= 4_000 for call in stage.slack.calls_of("chat.update"))


# What makes no progress


async def hang(stage: Stage) -> Message:
    """The card of moves of which the first hangs: the TGC goes on saying that it runs, at 40 percent."""
    stage.world.move_minutes = 600
    stage.set(config=Config(stall_after=timedelta(minutes=20)))
    card = await accepted(stage)
    await stage.jump(minutes=31)
    move = fail_first(stage, "hypervisor", at_percent=1)
    await stage.until(lambda: "in trouble" in str(card.blocks))
    assert move in str(card.blocks)
    return card


async def test_a_move_without_progress_is_called_stalled_once_also_after_a_restart(stage: Stage) -> None:
    card = await hang(stage)
    await stage.jump(minutes=12)
    assert "stalled" not in str(card.blocks)
    await stage.restart_bot()
    await stage.jump(minutes=9)
    await stage.until(lambda: "stalled, no progress since" in str(card.blocks))
    await stage.until(lambda: thread(stage, card))
    (said,) = thread(stage, card)
    assert "1 move makes no progress" in said
    assert "accepted by <@U0ALICE00>" in said
    await stage.restart_bot()
    await stage.jump(minutes=30)
    await stage.live(minutes=1)
    assert len(thread(stage, card)) == 1


async def test_a_tgc_that_cannot_be_read_makes_nothing_stall(stage: Stage) -> None:
    card = await accepted(stage)
    stage.set(config=Config(stall_after=timedelta(minutes=5)))
    await stage.restart_bot()
    await stage.until(lambda: "moving" in str(card.blocks))
    stage.tgc.fault(Fault("answer", "vmstorePool", status=503, times=None))
    await stage.jump(minutes=10)
    await stage.live(minutes=1)
    assert thread(stage, card) == []
    stage.tgc.clear_faults()
    await stage.live(minutes=1)
    assert thread(stage, card) == []
