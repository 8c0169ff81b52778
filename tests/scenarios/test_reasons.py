"""Say why: tickets before an accept, notes on it, reasons for a dismissal, and feedback to the TGC, once at most."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.config_file import Config, PoolConfig
from bot.pool_rules import SecondApprover, TicketRule
from bot.rendering import ids
from playground import slack_payloads as payloads
from playground.slack_courier import Delivery
from playground.slack_workspace import Message, View
from playground.tgc_faults import Fault
from tests.scenarios.records import claims, outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

pytestmark = pytest.mark.extended

PATTERN = "CHG[0-9]{4}"
TICKET = "CHG0042"


def asking(pattern: str = PATTERN, **rules: Any) -> Config:
    pool = PoolConfig(ticket=TicketRule(pattern=pattern), **rules)
    return Config(file="tintri-bot.toml", pools=(("Production", pool),))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production; alice and bob may act."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()
        opened.world.move_minutes = 600
        yield opened
        opened.slack.faults.clear()
        assert accepts(opened) <= 1


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


async def form(stage: Stage, who: str, card: Message, action_id: str) -> View:
    await stage.until(lambda: action_id in str(card.blocks))
    person = stage.slack.person(who)
    for modal in stage.slack.modals(who):
        await person.close(modal)
    await person.click(card, action_id)
    (modal,) = await stage.until(lambda: stage.slack.modals(who))
    return modal


async def turned(stage: Stage, who: str, card: Message, action_id: str, callback_id: str) -> View:
    """The details, turned into a form."""
    view = await form(stage, who, card, ids.DETAILS)
    await stage.settle()
    await stage.slack.person(who).click(view, action_id)
    await stage.until(lambda: view.content.get("callback_id") == callback_id)
    return view


async def submit(stage: Stage, who: str, view: View, **fields: Any) -> Delivery:
    return await stage.slack.person(who).submit(view, fields)


async def result(stage: Stage, view: View, said: str) -> None:
    await stage.until(lambda: said in str(view.blocks))


async def accept(stage: Stage, who: str, card: Message, said: str, **fields: Any) -> View:
    view = await form(stage, who, card, ids.ACCEPT_IN_FORM)
    await submit(stage, who, view, **fields)
    await result(stage, view, said)
    return view


async def dismissed(stage: Stage, who: str = "bob") -> Message:
    card = await posted(stage)
    await stage.slack.person(who).click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    return card


def button(card: Message, action_id: str) -> dict[str, Any]:
    return payloads.find_element(card.blocks, action_id)[1]


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


def feedbacks(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.method == "PUT")


def thread(stage: Stage, card: Message) -> list[str]:
    return [message.text for message in stage.slack.channel(STORAGE).replies(card.ts)]


def written(stage: Stage) -> list[tuple[str, str | None, str | None, str | None]]:
    rows = stage.place.rows("SELECT action, ticket, note, feedback FROM decisions ORDER BY id")
    return [(action, ticket, note, feedback) for action, ticket, note, feedback in rows]


# ---------------------------------------------------------------- a ticket with each accept


async def test_accept_asks_for_a_ticket_in_a_form_that_shows_what_will_move(stage: Stage) -> None:
    stage.set(config=asking())
    card = await posted(stage)
    view = await form(stage, "alice", card, ids.ACCEPT_IN_FORM)
    assert "4 VMs in Production will move." in str(view.blocks)
    assert accepts(stage) == 0
    for wrong in ("CHG1", "xCHG0042", "CHG0042\u00a0x"):
        await submit(stage, "alice", view, ticket=wrong)
        assert view.errors == {ids.TICKET: "This pool asks for a ticket that matches CHG[0-9]{4}."}
    assert outcomes(stage) == []

    sent = await submit(stage, "alice", view, ticket=f" {TICKET} ", note="after the <!channel> backup")
    await result(stage, view, "Production: Accepted.")
    await stage.until(lambda: "Accepted by <@U0ALICE00>" in card.text)
    assert f"({TICKET}, “after the &lt;!channel&gt; backup”)" in card.text
    await stage.slack.redeliver(sent)
    await stage.settle()
    assert accepts(stage) == 1
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert written(stage) == [("accept", TICKET, "after the <!channel> backup", None)]


async def test_a_press_without_the_ticket_that_is_asked_for_now_accepts_nothing(stage: Stage) -> None:
    card = await posted(stage)
    old = button(card, ids.ACCEPT)
    stage.set(config=asking())
    await stage.restart_bot()
    await stage.slack.person("alice").click_old(old, card)
    await stage.answer("alice", "Nothing was done. This pool asks for a ticket with each accept: give its number.")
    assert (accepts(stage), claims(stage)) == (0, ["open"])
    assert outcomes(stage) == [("alice", "accept", "ticket_needed")]
    await accept(stage, "alice", card, "Production: Accepted.", ticket=TICKET)


async def test_what_a_forged_form_says_of_its_rule_is_not_believed(stage: Stage) -> None:
    stage.set(config=asking())
    card = await posted(stage)
    view = await form(stage, "alice", card, ids.ACCEPT_IN_FORM)
    offer_id = view.content["private_metadata"].partition(":")[0]
    view.content["private_metadata"] = f"{offer_id}:nothing"
    await submit(stage, "alice", view, ticket="no ticket")
    await result(stage, view, "This pool asks for a ticket that matches")
    assert accepts(stage) == 0
    assert outcomes(stage) == [("alice", "accept", "ticket_needed")]


async def test_who_may_not_act_gets_no_form_and_a_form_gives_no_right(stage: Stage) -> None:
    stage.set(config=asking())
    card = await posted(stage)
    await stage.slack.person("carol").click(card, ids.ACCEPT_IN_FORM)
    await stage.answer("carol", "You are not an approver of this pool")
    assert stage.slack.modals("carol") == []

    view = await form(stage, "alice", card, ids.ACCEPT_IN_FORM)
    stage.slack.person("alice").user.deleted = True
    await stage.pass_time(minutes=2)  # what is known of people is forgotten
    await submit(stage, "alice", view, ticket=TICKET)
    await result(stage, view, "This bot answers only people with an active account.")
    assert accepts(stage) == 0
    assert outcomes(stage) == [("carol", "accept", "not_allowed"), ("alice", "accept", "not_allowed")]


async def test_two_people_give_a_ticket_each(stage: Stage) -> None:
    stage.set(config=asking(second_approver=SecondApprover(always=True)))
    card = await posted(stage)
    await accept(stage, "alice", card, "You accepted it as the first.", ticket="CHG0001")
    await stage.until(lambda: "accepted this" in card.text)
    await accept(stage, "bob", card, "Production: Accepted.", ticket="CHG0002")
    await stage.until(lambda: "Accepted by <@U0ALICE00> and <@U0BOB0000>" in card.text)
    assert [row[:2] for row in written(stage)] == [("accept", "CHG0001"), ("accept", "CHG0002")]


async def test_whoever_closed_the_form_is_told_in_a_direct_message(stage: Stage) -> None:
    stage.set(config=asking())
    card = await posted(stage)
    view = await form(stage, "alice", card, ids.ACCEPT_IN_FORM)
    await submit(stage, "alice", view, ticket=TICKET)
    await stage.slack.person("alice").close(view)
    await stage.until(lambda: stage.slack.direct("alice"))
    assert stage.slack.direct("alice")[-1].text == "Production: Accepted. The card shows how it goes."


async def test_a_plan_keeps_its_ticket_until_its_time(stage: Stage) -> None:
    stage.set(config=asking())
    card = await posted(stage)
    view = await turned(stage, "alice", card, ids.PLAN, ids.PLAN_VIEW)
    at = int(stage.clock.now().timestamp()) + 1800
    await submit(stage, "alice", view, plan_at=at, ticket="nope")
    assert ids.TICKET in view.errors
    await submit(stage, "alice", view, plan_at=at, ticket=TICKET)
    await result(stage, view, ": planned for ")
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)
    await stage.until(lambda: TICKET in card.text)
    assert [row[:2] for row in written(stage)] == [("plan", TICKET), ("accept", TICKET)]


async def test_a_plan_of_a_pool_that_asks_since_is_refused_in_the_thread(stage: Stage) -> None:
    card = await posted(stage)
    view = await turned(stage, "alice", card, ids.PLAN, ids.PLAN_VIEW)
    await submit(stage, "alice", view, plan_at=int(stage.clock.now().timestamp()) + 1800)
    await result(stage, view, ": planned for ")
    stage.set(config=asking())
    await stage.restart_bot()
    await stage.jump(minutes=31)
    told = await stage.until(lambda: next((said for said in thread(stage, card) if "ticket" in said), None))
    assert "Nothing was done. This pool asks for a ticket" in told
    assert "Plan it anew" in told
    assert accepts(stage) == 0


# ---------------------------------------------------------------- reasons, notes and feedback


async def test_a_reason_shows_on_the_card_in_the_thread_and_in_the_audit(stage: Stage) -> None:
    card = await dismissed(stage)
    assert buttons(card) == ["Reopen", "Say why", "Details"]
    view = await form(stage, "bob", card, ids.SAY_WHY)
    sent = await submit(stage, "bob", view, note="after the release")
    await result(stage, view, "Production: Your reason is kept.")
    await stage.until(lambda: card.text.endswith("(“after the release”)"))
    await stage.slack.redeliver(sent)
    await stage.settle()
    assert "Your reason is kept." in str(view.blocks)
    said = [text for text in thread(stage, card) if "says why" in text]
    assert said == ["<@U0BOB0000> says why this was dismissed: “after the release”"]
    await stage.slack.person("bob").command("/tintri audit Production")
    assert "say why: done" in (await stage.answer("bob", "entries")).text
    assert "Wrote: after the release" in str(stage.slack.ephemerals("bob")[-1].blocks)

    other = await form(stage, "alice", card, ids.SAY_WHY)
    await submit(stage, "alice", other, note="no: the licence")
    await stage.until(lambda: card.text.endswith("(“no: the licence” by <@U0ALICE00>)"))
    assert feedbacks(stage) == 0

    await stage.slack.person("bob").click(card, ids.REOPEN)
    await stage.until(lambda: "Dismiss" in buttons(card))
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    assert "licence" not in card.text  # that was about the dismissal before


async def test_a_form_of_a_dismissal_that_is_over_keeps_nothing(stage: Stage) -> None:
    card = await dismissed(stage)
    view = await form(stage, "alice", card, ids.SAY_WHY)
    await stage.slack.person("bob").click(card, ids.REOPEN)
    await stage.until(lambda: "Dismiss" in buttons(card))
    await submit(stage, "alice", view, note="late", feedback="NOT_HELPFUL")
    await result(stage, view, "Nothing was done. It is not dismissed any more")
    assert feedbacks(stage) == 0
    assert outcomes(stage)[-1] == ("alice", "say_why", "taken")


async def test_feedback_goes_to_the_tgc_once_and_needs_a_choice(stage: Stage) -> None:
    card = await dismissed(stage)
    view = await form(stage, "bob", card, ids.SAY_WHY)
    await submit(stage, "bob", view, note="no", comment="wrong VMs")
    assert list(view.errors) == [ids.FEEDBACK]
    sent = await submit(stage, "bob", view, note="no", feedback="NOT_HELPFUL", comment="wrong VMs")
    await result(stage, view, "Your feedback was sent to the Tintri Global Center.")
    assert "Your reason is kept." in str(view.blocks)
    await stage.slack.redeliver(sent)
    await stage.settle()
    assert feedbacks(stage) == 1
    feedback = stage.world.current(stage.world.pools[0]).feedback
    assert feedback is not None
    assert (feedback["state"], feedback["comment"]) == ("NOT_HELPFUL", "wrong VMs")
    assert written(stage)[1:] == [("say_why", None, "no", None), ("feedback", None, "wrong VMs", "NOT_HELPFUL")]
    await stage.until(lambda: card.text.endswith("(“no”)"))
    assert buttons(card) == ["Reopen", "Say why", "Details"]  # it is dismissed still


async def test_feedback_whose_answer_was_lost_is_looked_for_and_not_sent_again(stage: Stage) -> None:
    card = await dismissed(stage)
    stage.tgc.fault(Fault("drop_after", r"/recommendation/[^/]+$", method="PUT"))
    view = await form(stage, "bob", card, ids.SAY_WHY)
    await submit(stage, "bob", view, note="no", feedback="VERY_HELPFUL")
    await result(stage, view, "Your feedback was sent to the Tintri Global Center.")
    assert feedbacks(stage) == 1


async def test_where_the_tgc_takes_no_feedback_any_more_the_reason_is_kept(stage: Stage) -> None:
    card = await dismissed(stage)
    view = await form(stage, "bob", card, ids.SAY_WHY)
    pool = stage.world.pools[0]
    stage.world.accept(pool.uuid, stage.world.current(pool).id or "")
    await submit(stage, "bob", view, note="no", feedback="VERY_HELPFUL")
    await result(stage, view, "The feedback was not sent. It was already accepted in the Tintri Global Center.")
    assert "Your reason is kept." in str(view.blocks)
    assert feedbacks(stage) == 0
    assert outcomes(stage)[1:] == [("bob", "say_why", "done"), ("bob", "feedback", "changed")]


async def test_an_accept_without_a_ticket_stays_one_press_and_takes_a_note_after_it(stage: Stage) -> None:
    card = await posted(stage)
    assert "confirm" in button(card, ids.ACCEPT)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: "Accepted by" in card.text)
    view = await turned(stage, "bob", card, ids.ADD_NOTE, ids.ADD_NOTE_VIEW)
    await submit(stage, "bob", view, note="agreed with the DBAs")
    await result(stage, view, "Production: Your note is kept.")
    await stage.until(lambda: "(“agreed with the DBAs” by <@U0BOB0000>)" in card.text)
    assert written(stage) == [("accept", None, None, None), ("add_note", None, "agreed with the DBAs", None)]
