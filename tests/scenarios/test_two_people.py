"""Where a pool asks for two people: two different ones, for the same moves, while both may act."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.config_file import Config, PoolConfig
from bot.pool_rules import Approvers, SecondApprover
from bot.rendering import ids
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios.records import outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

READING = r"/recommendation/(?!current$)[^/]+$"


def rules(second_approver: SecondApprover, approvers: Approvers | None = None, **changes: Any) -> Config:
    pool = PoolConfig(approvers=approvers, second_approver=second_approver)
    return Config(file="tintri-bot.toml", pools=(("Prod*", pool),), **changes)


ALWAYS = rules(SecondApprover(always=True))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production, where two of alice, bob and carol must accept."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.world.move_minutes = 600
        opened.lease_life = timedelta(hours=1)
        people = frozenset(opened.slack.person(name).user.id for name in ("alice", "bob", "carol"))
        opened.set(reco_approvers=Approvers(user_ids=people), config=ALWAYS)
        yield opened
        opened.slack.faults.clear()


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


async def accepted_first(stage: Stage, who: str = "alice") -> Message:
    card = await posted(stage)
    await press(stage, who, card, "Production: You accepted it as the first.")
    await stage.until(lambda: "accepted this" in card.text)
    return card


async def press(stage: Stage, who: str, card: Message, answered: str, action_id: str = ids.ACCEPT) -> None:
    """Press once the card has the button, and wait for the answer to this press."""
    await stage.until(lambda: action_id in str(card.blocks))
    before = len(stage.slack.ephemerals(who))
    await stage.slack.person(who).click(card, action_id)
    await stage.until(lambda: len(stage.slack.ephemerals(who)) > before)
    assert answered in stage.slack.ephemerals(who)[-1].text


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


def thread(stage: Stage, card: Message) -> list[str]:
    return [message.text for message in stage.slack.channel(STORAGE).replies(card.ts)]


async def test_the_first_accept_moves_nothing_and_the_second_does(stage: Stage) -> None:
    card = await posted(stage)
    assert "Two people must accept this, because this pool always asks for two." in card.text
    await press(stage, "alice", card, "A second person must accept it too, because this pool always asks for two;")
    assert accepts(stage) == 0
    await stage.until(lambda: "<@U0ALICE00> accepted this" in card.text)
    assert buttons(card) == ["Accept", "Dismiss", "Details"]
    await stage.until(lambda: thread(stage, card))
    assert thread(stage, card)[0].startswith("<@U0ALICE00> accepted this for Production. Another approver must accept")

    await press(stage, "bob", card, "Production: Accepted.")
    await stage.until(lambda: "Accepted by <@U0ALICE00> and <@U0BOB0000>" in card.text)
    assert accepts(stage) == 1
    assert len(thread(stage, card)) == 1
    assert outcomes(stage) == [("alice", "accept", "accepted_first"), ("bob", "accept", "done")]


async def test_one_person_is_not_two(stage: Stage) -> None:
    card = await accepted_first(stage)
    await press(stage, "alice", card, "Production: Nothing was done. You accepted it before. A second person")
    assert accepts(stage) == 0
    assert outcomes(stage) == [("alice", "accept", "accepted_first"), ("alice", "accept", "second_needed")]


async def test_two_at_once_are_one_first(stage: Stage) -> None:
    card = await posted(stage)
    await asyncio.gather(*(stage.slack.person(who).click(card, ids.ACCEPT) for who in ("alice", "bob")))
    await stage.until(lambda: stage.slack.ephemerals("alice") and stage.slack.ephemerals("bob"))
    came_of_it = sorted(outcome for *_, outcome in outcomes(stage))
    assert came_of_it in (["accepted_first", "taken"], ["accepted_first", "done"])
    assert accepts(stage) == came_of_it.count("done")


async def test_a_redelivered_press_is_not_a_second_person(stage: Stage) -> None:
    card = await posted(stage)
    pressed = await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "You accepted it as the first")
    assert (await stage.slack.redeliver(pressed)).acknowledged
    await stage.settle()
    assert outcomes(stage) == [("alice", "accept", "accepted_first")]


async def test_it_lapses_when_the_moves_change_also_where_they_change_back(stage: Stage) -> None:
    card = await accepted_first(stage)
    pool = stage.world.pools[0]
    current = stage.world.current(pool)
    waves, outcomes_then = current.drawn_waves, current.outcomes
    stage.world.change_moves(pool)
    await stage.until(lambda: "accepted this" not in card.text)
    current.drawn_waves, current.outcomes = waves, outcomes_then
    await stage.until(lambda: waves[0][0].vm.name in str(card.blocks))
    assert "accepted this" not in card.text
    await press(stage, "bob", card, "You accepted it as the first")
    assert accepts(stage) == 0


async def test_it_lapses_after_its_hours_and_the_thread_says_so(stage: Stage) -> None:
    stage.set(config=msgspec.structs.replace(ALWAYS, approval_lapse=timedelta(minutes=2)))
    card = await accepted_first(stage)
    await stage.live(minutes=2)
    await stage.until(lambda: len(thread(stage, card)) == 2)
    assert "has lapsed, because nobody else accepted it in time" in thread(stage, card)[1]
    await stage.until(lambda: "accepted this" not in card.text)
    await press(stage, "bob", card, "You accepted it as the first")
    assert accepts(stage) == 0


async def test_dismissing_ends_it(stage: Stage) -> None:
    card = await accepted_first(stage)
    await press(stage, "carol", card, "Dismissed", ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await press(stage, "carol", card, "Reopened", ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))
    assert "accepted this" not in card.text
    await press(stage, "bob", card, "You accepted it as the first")
    assert accepts(stage) == 0


async def test_who_may_not_act_any_more_does_not_count_as_the_first(stage: Stage) -> None:
    card = await accepted_first(stage)
    stage.slack.person("alice").user.deleted = True
    await stage.pass_time(seconds=61)
    await press(stage, "bob", card, "You accepted it as the first")
    assert accepts(stage) == 0
    await press(stage, "carol", card, "Production: Accepted.")
    assert accepts(stage) == 1


async def test_where_the_first_cannot_be_checked_nothing_is_done(stage: Stage) -> None:
    card = await accepted_first(stage)
    await stage.pass_time(seconds=61)
    stage.slack.faults.hook("users.info")  # bob himself is looked up first
    stage.slack.faults.fail("users.info", "internal_error")
    await press(stage, "bob", card, "I could not check whether alice may act still")
    assert accepts(stage) == 0
    await press(stage, "bob", card, "Production: Accepted.")


async def test_it_lapses_while_the_second_is_on_the_way(stage: Stage) -> None:
    """Between the look at the first approval and the accept that would rest on it."""
    stage.set(config=msgspec.structs.replace(ALWAYS, approval_lapse=timedelta(minutes=5)))
    card = await accepted_first(stage)
    alice = stage.slack.person("alice").user.id
    await stage.live(minutes=1)

    async def time_passes_over_alice(arguments: dict[str, Any]) -> None:
        if arguments["user"] == alice:
            stage.clock.move(timedelta(minutes=5))

    stage.slack.faults.hook("users.info", before=time_passes_over_alice, times=None)
    await press(stage, "bob", card, "What the first person accepted does not stand any more. Press again.")
    assert accepts(stage) == 0


async def test_an_accept_whose_answer_is_lost_rests_on_the_first_all_the_same(stage: Stage) -> None:
    card = await accepted_first(stage)
    stage.tgc.fault(Fault("drop_after", r"/accept$", method="POST"))
    await press(stage, "bob", card, "Production: Accepted.")
    await stage.until(lambda: "Accepted by <@U0ALICE00> and <@U0BOB0000>" in card.text)
    assert accepts(stage) == 1


async def test_an_accept_that_the_tgc_refuses_leaves_the_first_as_it_is(stage: Stage) -> None:
    card = await accepted_first(stage)
    stage.tgc.fault(Fault("drop_before", r"/accept$", method="POST"))
    await press(stage, "bob", card, "It is still as it was. Press again.")
    await stage.until(lambda: "Accept" in buttons(card))
    await press(stage, "bob", card, "Production: Accepted.")
    assert accepts(stage) == 2
    assert len(stage.tgc.accepts) == 1


async def test_a_restart_forgets_nothing(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    card = await accepted_first(stage)
    await stage.restart_bot()
    await press(stage, "bob", card, "Production: Accepted.")
    assert accepts(stage) == 1


async def test_with_a_lost_database_the_first_must_accept_anew(stage: Stage) -> None:
    card = await accepted_first(stage)
    await stage.until(lambda: thread(stage, card))
    await stage.stop_bot()
    for path in stage.folder.glob("bot.db*"):
        path.unlink()
    await stage.start_bot()
    await stage.until(lambda: "accepted this" not in card.text and "Accept" in buttons(card))
    await press(stage, "bob", card, "You accepted it as the first")
    assert accepts(stage) == 0
    await press(stage, "alice", card, "Production: Accepted.")
    assert accepts(stage) == 1


@pytest.mark.parametrize(
    ("second", "by_two"),
    [
        (SecondApprover(moves=4), True),
        (SecondApprover(moves=5), False),
        (SecondApprover(protection_loss=True), True),
        (SecondApprover(gib=10_000_000), False),
    ],
)
async def test_only_where_the_pools_rule_asks_for_it(stage: Stage, second: SecondApprover, by_two: bool) -> None:
    stage.set(config=rules(second))
    card = await posted(stage)
    assert ("Two people must accept" in card.text) == by_two
    await press(stage, "alice", card, "as the first" if by_two else "Production: Accepted.")
    assert accepts(stage) == (0 if by_two else 1)


async def test_where_only_one_person_can_accept_the_card_says_so(stage: Stage) -> None:
    alone = Approvers(user_ids=frozenset({stage.slack.person("alice").user.id}))
    stage.set(config=rules(SecondApprover(always=True), alone))
    card = await posted(stage)
    await stage.until(lambda: buttons(card) == ["Dismiss", "Details"])
    assert "names only one who can" in str(card.blocks)
