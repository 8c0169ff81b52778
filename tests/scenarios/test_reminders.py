"""Before an undecided recommendation expires its thread says so, once, and once more where an approver put it off."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rendering import ids
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios.records import outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production; its recommendation expires after twelve hours. The clock may jump."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()
        yield opened


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


def reminders(stage: Stage, card: Message) -> list[Message]:
    replies = stage.slack.channel(STORAGE).replies(card.ts)
    return [reply for reply in replies if "nobody has decided" in reply.text]


async def reminded(stage: Stage) -> tuple[Message, Message]:
    """The card and its reminder, ten hours later."""
    card = await posted(stage)
    await stage.jump(hours=10, minutes=1)
    await stage.until(lambda: reminders(stage, card))
    return card, reminders(stage, card)[0]


async def test_what_nobody_decides_is_reminded_of_once_two_hours_before_it_expires(stage: Stage) -> None:
    card = await posted(stage)
    await stage.jump(hours=9, minutes=58)
    assert reminders(stage, card) == []
    await stage.live(minutes=3)
    (reminder,) = reminders(stage, card)
    assert "Production: nobody has decided on this yet, and it expires" in reminder.text
    assert buttons(reminder) == ["Snooze"]
    await stage.restart_bot()
    await stage.jump(hours=1)
    await stage.jump(hours=2)
    assert len(reminders(stage, card)) == 1


@pytest.mark.parametrize("decided", ["dismissed", "accepted", "accepted in the GUI"])
async def test_what_is_decided_is_not_reminded_of(stage: Stage, decided: str) -> None:
    card = await posted(stage)
    if decided != "accepted in the GUI":
        await stage.slack.person("alice").click(card, ids.DISMISS if decided == "dismissed" else ids.ACCEPT)
        await stage.until(lambda: "Accept" not in buttons(card))
    await stage.jump(hours=9, minutes=55)
    if decided == "accepted in the GUI":
        stage.world.accept_in_gui(stage.world.pools[0])
    await stage.jump(minutes=6)
    await stage.jump(minutes=30)
    assert reminders(stage, card) == []


async def test_a_reminder_says_that_accepting_is_paused(stage: Stage) -> None:
    card = await posted(stage)
    await stage.slack.person("alice").command("/tintri pause")
    await stage.until(lambda: "Accept" not in buttons(card))
    await stage.jump(hours=10, minutes=1)
    await stage.until(lambda: reminders(stage, card))
    assert "Accepting is paused" in reminders(stage, card)[0].text


async def test_it_reminds_also_while_the_tgc_cannot_be_read(stage: Stage) -> None:
    card = await posted(stage)
    await stage.jump(hours=9, minutes=50)
    stage.tgc.fault(Fault("answer", "vmstorePool", status=503, times=None))
    await stage.jump(minutes=11)
    await stage.until(lambda: reminders(stage, card))


async def test_a_card_that_comes_shortly_before_it_expires_is_reminder_enough(stage: Stage) -> None:
    stage.clock.move(timedelta(hours=10, minutes=30))
    card = await posted(stage)
    await stage.jump(minutes=10)
    assert reminders(stage, card) == []


async def test_snooze_brings_one_more_reminder_half_way_to_the_end(stage: Stage) -> None:
    card, reminder = await reminded(stage)
    await stage.slack.person("alice").click(reminder, ids.SNOOZE)
    await stage.answer("alice", "Production: I remind of it once more at 2026-03-10 17:1")
    await stage.slack.person("bob").click(reminder, ids.SNOOZE)
    await stage.answer("bob", "Production: I remind of it once more at 2026-03-10 17:1")
    assert outcomes(stage) == [("alice", "snooze", "done")]
    assert buttons(card) == ["Accept", "Dismiss", "Details"]
    await stage.restart_bot()
    await stage.jump(minutes=57)
    assert len(reminders(stage, card)) == 1
    await stage.jump(minutes=4)
    await stage.until(lambda: len(reminders(stage, card)) == 2)
    assert buttons(reminders(stage, card)[1]) == []
    await stage.jump(minutes=30)
    await stage.jump(hours=2)
    assert len(reminders(stage, card)) == 2


async def test_what_was_decided_after_snooze_is_not_reminded_of_again(stage: Stage) -> None:
    card, reminder = await reminded(stage)
    await stage.slack.person("alice").click(reminder, ids.SNOOZE)
    await stage.answer("alice", "once more")
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await stage.jump(minutes=65)
    assert len(reminders(stage, card)) == 1
    await stage.slack.person("bob").click(reminder, ids.SNOOZE)
    await stage.answer("bob", "There is nothing left to be reminded of.")


async def test_only_an_approver_puts_a_reminder_off(stage: Stage) -> None:
    card, reminder = await reminded(stage)
    await stage.slack.person("carol").click(reminder, ids.SNOOZE)
    await stage.answer("carol", "You are not an approver of this pool")
    assert outcomes(stage) == [("carol", "snooze", "not_allowed")]
    await stage.jump(minutes=65)
    assert len(reminders(stage, card)) == 1
