"""`/tintri pause` and `/tintri resume`: approvers stop all accepting, and everybody sees it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rendering import ids
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios.records import outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

READING = r"/recommendation/(?!current$)[^/]+$"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The pools Production and Test; alice and bob may act."""
    async with open_stage(tmp_path, pools=2) as opened:
        yield opened


async def posted(stage: Stage) -> Message:
    """Production's card, after the bot has posted both."""
    await stage.start_bot()
    await stage.cards_posted(2)
    return stage.card("Production")


def announcements(stage: Stage) -> list[str]:
    """What the channel was told besides the cards: these begin with the person who did it."""
    return [message.text for message in stage.slack.messages(STORAGE) if message.text.startswith("<@")]


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


async def say(stage: Stage, who: str, words: str, answered: str) -> Message:
    assert (await stage.slack.person(who).command(words)).acknowledged
    return await stage.answer(who, answered)


async def answer_to(stage: Stage, who: str, words: str) -> str:
    before = len(stage.slack.ephemerals(who))
    await stage.slack.person(who).command(words)
    await stage.until(lambda: len(stage.slack.ephemerals(who)) > before)
    return stage.slack.ephemerals(who)[-1].text


async def test_a_pause_of_every_pool_takes_accept_from_all_cards_until_somebody_resumes(stage: Stage) -> None:
    card = await posted(stage)
    elements = [element for block in card.blocks for element in block.get("elements", ())]
    (accept,) = [element for element in elements if element.get("action_id") == ids.ACCEPT]
    await say(stage, "bob", "/tintri pause", "Accepting is paused in every pool; /tintri resume ends that.")
    cards = [card, stage.card("Test")]
    await stage.until(lambda: all(buttons(shown) == ["Dismiss", "Details"] for shown in cards))
    for shown in cards:
        assert "Accepting is paused; an approver can end that with /tintri resume." in str(shown.blocks)
    await stage.until(lambda: announcements(stage))
    assert "paused accepting in all pools" in announcements(stage)[0]

    await stage.slack.person("alice").click_old(accept, card)
    await stage.answer("alice", "Production: Nothing was done. Accepting is paused;")
    assert outcomes(stage) == [("bob", "pause", "done"), ("alice", "accept", "paused")]
    assert accepts(stage) == 0

    await say(stage, "alice", "/tintri resume", "Accepting goes on in every pool.")
    await stage.until(lambda: "Accept" in buttons(card))
    await stage.until(lambda: len(announcements(stage)) == 2)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    assert [decided[1] for decided in outcomes(stage)] == ["pause", "accept", "resume", "accept"]


async def test_dismissing_reopening_and_cancelling_go_on_while_accepting_is_paused(stage: Stage) -> None:
    card = await posted(stage)
    bob = stage.slack.person("bob")
    await bob.click(stage.card("Test"), ids.ACCEPT)
    await stage.until(lambda: "Cancel" in buttons(stage.card("Test")))
    await say(stage, "bob", "/tintri pause", "Accepting is paused")
    await bob.click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await bob.click(card, ids.REOPEN)
    await stage.until(lambda: "Dismiss" in buttons(card))
    await bob.click(stage.card("Test"), ids.CANCEL)
    await stage.answer("bob", "Test: Cancelled.")


async def test_a_pause_of_one_pool_ends_by_the_clock_and_leaves_the_others_alone(stage: Stage) -> None:
    stage.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
    card = await posted(stage)
    await say(stage, "bob", "/tintri pause prod 1.5", "Accepting is paused in Production for 1.5 hours;")
    await stage.until(lambda: "Accept" not in buttons(card))
    assert "Accepting is paused until 2026-03-10 07:4" in str(card.blocks)
    assert "Accept" in buttons(stage.card("Test"))
    await stage.jump(hours=1, minutes=25)
    assert "Accept" not in buttons(card)
    await stage.pass_time(minutes=10)
    await stage.until(lambda: "Accept" in buttons(card))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    assert len(announcements(stage)) == 1
    await say(stage, "bob", "/tintri resume prod", "Accepting is not paused in Production alone")


async def test_a_pause_that_comes_between_the_check_and_the_request_holds_the_accept_back(stage: Stage) -> None:
    card = await posted(stage)

    async def pause() -> None:
        await stage.slack.person("bob").command("/tintri pause Production 8")
        await stage.slack.until(lambda: stage.slack.ephemerals("bob"))

    stage.tgc.fault(Fault("hook_before", READING, method="GET", hook=pause))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Nothing was done. Accepting is paused until 2026-03-10 14:1")
    assert outcomes(stage) == [("bob", "pause", "done"), ("alice", "accept", "paused")]
    assert accepts(stage) == 0
    await say(stage, "bob", "/tintri resume Production", "Accepting goes on")
    await stage.until(lambda: "Accept" in buttons(card))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")


@pytest.mark.parametrize("word", ["pause", "resume"])
async def test_only_approvers_pause_and_resume_and_others_are_written_down(stage: Stage, word: str) -> None:
    card = await posted(stage)
    await say(stage, "carol", f"/tintri {word}", "You are not an approver")
    await say(stage, "gina", f"/tintri {word}", "you are a guest")
    await stage.settle()
    assert outcomes(stage) == [("carol", word, "not_allowed"), ("gina", word, "not_allowed")]
    assert announcements(stage) == []
    assert "Accept" in buttons(card)


async def test_a_redelivery_is_announced_once_and_does_not_undo_what_came_after_it(stage: Stage) -> None:
    card = await posted(stage)
    paused = await stage.slack.person("bob").command("/tintri pause")
    await stage.answer("bob", "Accepting is paused")
    await stage.slack.redeliver(paused)
    await stage.until(lambda: len(stage.slack.ephemerals("bob")) == 2)
    await stage.settle()
    assert len(announcements(stage)) == 1
    resumed = await stage.slack.person("bob").command("/tintri resume")
    await stage.answer("bob", "Accepting goes on")
    await stage.until(lambda: len(announcements(stage)) == 2)

    await stage.slack.redeliver(paused)
    await stage.slack.redeliver(resumed)
    await stage.until(lambda: len(stage.slack.ephemerals("bob")) == 5)
    await stage.settle()
    assert len(announcements(stage)) == 2
    assert outcomes(stage) == [("bob", "pause", "done"), ("bob", "resume", "done")]
    await stage.until(lambda: "Accept" in buttons(card))


NOT_MEANT = (
    ("pause t", "may mean several pools (Tape, Test): type the whole name"),
    ("pause prodution", "No pool is called “prodution”"),
    ("pause prodution 8", "No pool is called “prodution”"),
    ("pause Production 8d", "No pool is called “Production 8d”. Type hours as 8, 8h or 1.5 hours."),
    ("pause Production for 30 minutes", "Type hours as 8, 8h or 1.5 hours."),
    ("pause 8,5", "Type hours as 8, 8h or 1.5 hours."),
    ("pause prodution 8h", "No pool is called “prodution”"),
    ("pause Production 0", "a pause lasts more than 0 and at most 720 hours"),
    ("pause Production 721", "a pause lasts more than 0 and at most 720 hours"),
    ("pause " + "9" * 400, "a pause lasts more than 0 and at most 720 hours"),
    ("pause -1", "No pool is called “-1”"),
    ("resume t", "may mean several pools (Tape, Test)"),
    ("resume prodution", "No pool is called “prodution”"),
    ("resume Production", "Accepting is not paused in Production alone"),
    ("resume", "Accepting is not paused in any pool"),
)


async def test_what_cannot_be_meant_is_told_and_changes_nothing(stage: Stage) -> None:
    stage.world.add_pool("Tape")
    card = await posted(stage)
    for typed, answered in NOT_MEANT:
        assert answered in await answer_to(stage, "bob", f"/tintri {typed}")
    await stage.settle()
    assert outcomes(stage) == []
    assert announcements(stage) == []
    assert "Accept" in buttons(card)


NUMBERS = (
    ("storage 2", "Accepting is paused in Storage 2; "),
    ("STORAGE 2 8", "Accepting is paused in Storage 2 for 8 hours; "),
    ("storage 24", "Accepting is paused in Storage 24; "),
    ("storage 24 1", "Accepting is paused in Storage 24 for 1 hour; "),
    ("7", "Accepting is paused in 7; "),
    ("7 7", "Accepting is paused in 7 for 7 hours; "),
    ("8", "Accepting is paused in every pool for 8 hours; "),
    ("two  spaces 3", "Accepting is paused in two  spaces 3; "),
)


HOURS = ("8", "8h", "8 h", "8 hours", "8 Hours", "for 8", "for 8h", "for 8 hours", "8hrs", "8.0h", "for  8  hours")


async def test_hours_are_understood_as_people_write_them(stage: Stage) -> None:
    card = await posted(stage)
    for hours in HOURS:
        answered = await answer_to(stage, "bob", f"/tintri pause Production {hours}")
        assert answered == "Accepting is paused in Production for 8 hours; /tintri resume Production ends that."
        answered = await answer_to(stage, "bob", f"/tintri pause {hours}")
        assert answered == "Accepting is paused in every pool for 8 hours; /tintri resume ends that."
    assert "for 1 hour;" in await answer_to(stage, "bob", "/tintri pause test for 1 hour")
    await stage.until(lambda: "Accept" not in buttons(card))


async def test_a_pool_whose_name_ends_in_a_number_is_meant_before_hours_are(stage: Stage) -> None:
    for name in ("Storage 2", "Storage 24", "7", "two  spaces 3"):
        stage.world.add_pool(name)
    await posted(stage)
    for typed, answered in NUMBERS:
        assert answered in await answer_to(stage, "bob", f"/tintri pause {typed}")
    await stage.until(lambda: len(announcements(stage)) == len(NUMBERS))


async def test_every_pool_can_be_paused_while_the_tgc_is_away(stage: Stage) -> None:
    await posted(stage)
    await stage.tgc.stop()
    await say(stage, "bob", "/tintri pause", "Accepting is paused in every pool")
    await stage.until(lambda: announcements(stage))


async def test_a_pool_that_is_resumed_while_every_pool_is_paused_stays_paused_and_that_is_said(stage: Stage) -> None:
    card = await posted(stage)
    await say(stage, "bob", "/tintri pause", "Accepting is paused in every pool")
    await say(stage, "bob", "/tintri resume Production", "Accepting is not paused in Production alone")
    await say(stage, "bob", "/tintri pause Production 8", "Accepting is paused in Production for 8 hours")
    await say(stage, "bob", "/tintri resume Production", "but every pool is paused still")
    await stage.until(lambda: len(announcements(stage)) == 3)
    assert announcements(stage)[-1].endswith("ended the pause in Production. Paused still: all pools.")
    await stage.until(lambda: "Accept" not in buttons(card))
    await stage.settle()
    assert "Accept" not in buttons(card)


async def test_what_is_said_to_end_a_pause_ends_no_other(stage: Stage) -> None:
    card, test = await posted(stage), stage.card("Test")
    await say(stage, "bob", "/tintri pause Test", "Accepting is paused in Test; /tintri resume Test ends that.")
    said = await answer_to(stage, "alice", "/tintri pause Production 8")
    assert said == "Accepting is paused in Production for 8 hours; /tintri resume Production ends that."
    await stage.until(lambda: "Accept" not in buttons(card) and "Accept" not in buttons(test))
    assert "; an approver can end that with /tintri resume Production." in str(card.blocks)
    assert "Accepting is paused; an approver can end that with /tintri resume Test." in str(test.blocks)

    said = await answer_to(stage, "alice", "/tintri resume")
    assert said == (
        "There is no pause of every pool, so nothing was done. "
        "Paused still: Production (/tintri resume Production), Test (/tintri resume Test)."
    )
    await say(stage, "alice", "/tintri pause", "Accepting is paused in every pool; /tintri resume ends that.")
    said = await answer_to(stage, "alice", "/tintri resume")
    assert said == (
        "The pause of every pool is over. "
        "Paused still: Production (/tintri resume Production), Test (/tintri resume Test)."
    )
    await stage.until(lambda: len(announcements(stage)) == 4)
    assert announcements(stage)[-1].endswith("ended the pause in all pools. Paused still: Production, Test.")
    assert "Accepting goes on in Production." in await answer_to(stage, "alice", "/tintri resume Production")
    await stage.until(lambda: "Accept" in buttons(card))
    await stage.settle()
    assert "Accept" not in buttons(test)


async def test_what_stays_paused_is_named_while_the_tgc_is_away(stage: Stage) -> None:
    await posted(stage)
    await say(stage, "bob", "/tintri pause Test", "Accepting is paused in Test")
    await stage.tgc.stop()
    await say(stage, "bob", "/tintri resume", "Paused still: Test (/tintri resume Test).")
