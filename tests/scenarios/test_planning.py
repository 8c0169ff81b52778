"""Accept at…: what somebody planned is accepted at its time as if they pressed then, or its thread says why not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.app import bot
from bot.pool_rules import Approvers, SecondApprover
from bot.rendering import ids
from playground.slack_courier import Delivery
from playground.slack_workspace import Message, View
from playground.tgc_faults import Fault
from tests.scenarios.records import claims, outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, free_port, open_stage
from tests.scenarios.test_two_people import rules

pytestmark = pytest.mark.extended

PLANNED = ["Accept", "Dismiss", "Cancel the plan", "Details"]
UNPLANNED = ["Accept", "Dismiss", "Details"]
SOON = timedelta(minutes=30)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production; alice and bob may act. It is 06:15:30, and the recommendation expires at 18:15."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
        opened.world.move_minutes = 600
        yield opened
        opened.slack.faults.clear()
        assert accepts(opened) <= 1


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


async def details(stage: Stage, who: str, card: Message) -> View:
    person = stage.slack.person(who)
    for modal in stage.slack.modals(who):
        await person.close(modal)
    await person.click(card, ids.DETAILS)
    (modal,) = await stage.until(lambda: stage.slack.modals(who))
    await stage.settle()  # what was opened at once is filled then
    return modal


async def form(stage: Stage, who: str, card: Message) -> View:
    modal = await details(stage, who, card)
    await stage.slack.person(who).click(modal, ids.PLAN)
    await stage.until(lambda: modal.content.get("callback_id") == ids.PLAN_VIEW)
    return modal


async def submit(stage: Stage, who: str, view: View, at: datetime) -> Delivery:
    return await stage.slack.person(who).submit(view, {ids.PLAN_AT: int(at.timestamp())})


async def result(stage: Stage, view: View) -> str:
    await stage.until(lambda: ids.PLAN_AT not in str(view.blocks) and "One moment" not in str(view.blocks))
    return str(view.blocks)


async def planned(stage: Stage, who: str = "alice", by: timedelta = SOON) -> tuple[Message, datetime]:
    """The card, once it shows the plan, and when it is due."""
    card = stage.cards[-1] if stage.cards else await posted(stage)
    at = stage.clock.now() + by
    view = await form(stage, who, card)
    assert (await submit(stage, who, view, at)).acknowledged
    assert ": planned for " in await result(stage, view)
    await stage.until(lambda: "accepts it" in card.text)
    return card, at


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


def thread(stage: Stage, card: Message) -> list[str]:
    return [message.text for message in stage.slack.channel(STORAGE).replies(card.ts)]


async def said_in_thread(stage: Stage, card: Message, words: str) -> str:
    return await stage.until(lambda: next((said for said in thread(stage, card) if words in said), None))


async def say(stage: Stage, who: str, words: str, answered: str) -> None:
    await stage.slack.person(who).command(words)
    await stage.answer(who, answered)


def standing(stage: Stage) -> int:
    ((count,),) = stage.place.rows("SELECT count(*) FROM planned_accepts WHERE ended_at IS NULL")
    return int(count)


# ---------------------------------------------------------------- planning it


async def test_the_form_shows_what_will_move_the_readers_zone_and_the_end(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    shown = str(view.blocks)
    assert "4 VMs in Production will move." in shown
    assert "In your own time zone: Central European Time (Europe/Prague)." in shown
    expires = stage.world.current(stage.world.pools[0]).expires
    assert expires is not None
    assert f"'timestamp': {int(expires.timestamp())}" in shown


async def test_it_waits_and_is_accepted_at_its_time_as_if_pressed_then(stage: Stage) -> None:
    card, at = await planned(stage)
    assert f"<@U0ALICE00> accepts it <!date^{int(at.timestamp())}^" in card.text
    assert "unless that changes." in card.text
    assert buttons(card) == PLANNED
    await stage.jump(minutes=29)
    assert accepts(stage) == 0

    await stage.jump(minutes=1, seconds=10)
    await stage.until(lambda: accepts(stage) == 1)
    told = await said_in_thread(stage, card, "you planned to accept this")
    assert told.startswith(f"<@U0ALICE00>, you planned to accept this <!date^{int(at.timestamp())}^")
    assert told.endswith("Production: Accepted. The card shows how it goes.")
    await stage.until(lambda: stage.slack.direct("alice"))
    assert stage.slack.direct("alice")[-1].text == "Production: Accepted. The card shows how it goes."
    await stage.until(lambda: "Accepted by <@U0ALICE00>" in card.text)
    assert outcomes(stage) == [("alice", "plan", "done"), ("alice", "accept", "done")]
    await stage.pass_time(minutes=2)
    assert accepts(stage) == 1
    assert len(thread(stage, card)) == 1


async def test_the_form_is_acknowledged_with_a_view_that_waits_before_anything_is_looked_up(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    asked = len(stage.slack.calls) + len(stage.tgc.calls)
    delivery = await submit(stage, "alice", view, stage.clock.now() + SOON)
    assert delivery.acknowledged
    assert "One moment" in str(view.blocks)
    assert len(stage.slack.calls) + len(stage.tgc.calls) == asked
    assert ": planned for " in await result(stage, view)


async def test_over_socket_mode_the_form_is_answered_the_same(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=1) as stage:
        card = await posted(stage)
        view = await form(stage, "alice", card)
        assert (await submit(stage, "alice", view, stage.clock.now() + SOON)).acknowledged
        assert "One moment" in str(view.blocks)
        assert ": planned for " in await result(stage, view)
        await stage.until(lambda: buttons(card) == PLANNED)


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (timedelta(0), "A time can only be planned that is still to come."),
        (timedelta(days=-400), "A time can only be planned that is still to come."),
        (timedelta(hours=12), "It expires at 2026-03-10 18:15 (UTC): choose a time before that."),
        (timedelta(days=40_000), "It expires at 2026-03-10 18:15 (UTC): choose a time before that."),
    ],
)
async def test_a_time_that_cannot_be_is_refused_at_once(stage: Stage, by: timedelta, why: str) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    await submit(stage, "alice", view, stage.clock.now() + by)
    assert f"Production: Nothing was done. {why}" in await result(stage, view)
    assert outcomes(stage) == [("alice", "plan", "wrong_time")]
    assert standing(stage) == 0
    assert buttons(card) == UNPLANNED


async def test_who_may_not_accept_may_not_plan_it(stage: Stage) -> None:
    card = await posted(stage)
    modal = await details(stage, "carol", card)
    await stage.slack.person("carol").click(modal, ids.PLAN)
    await stage.until(lambda: "You are not an approver of this pool" in str(modal.blocks))
    assert outcomes(stage) == [("carol", "plan", "not_allowed")]


async def test_who_lost_the_right_before_sending_the_form_plans_nothing(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    stage.slack.person("alice").user.deleted = True
    await stage.pass_time(seconds=61)
    await submit(stage, "alice", view, stage.clock.now() + SOON)
    assert "This bot answers only people with an active account." in await result(stage, view)
    assert outcomes(stage) == [("alice", "plan", "not_allowed")]
    assert standing(stage) == 0


async def test_a_submission_that_is_delivered_again_plans_once(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    sent = await submit(stage, "alice", view, stage.clock.now() + SOON)
    await result(stage, view)
    await stage.slack.redeliver(sent)
    await stage.settle()
    assert ": planned for " in await result(stage, view)
    assert standing(stage) == 1
    assert outcomes(stage) == [("alice", "plan", "done")]

    await stage.until(lambda: buttons(card) == PLANNED)
    await stage.slack.person("bob").click(card, ids.CANCEL_PLAN)
    await stage.answer("bob", "The plan is cancelled")
    await stage.slack.redeliver(sent)  # even so late it brings nothing back
    await stage.settle()
    assert standing(stage) == 0


async def test_of_two_who_plan_it_at_once_one_does(stage: Stage) -> None:
    card = await posted(stage)
    views = {who: await form(stage, who, card) for who in ("alice", "bob")}
    at = stage.clock.now() + SOON
    await asyncio.gather(*(submit(stage, who, view, at) for who, view in views.items()))
    said = sorted([await result(stage, view) for view in views.values()], key=lambda shown: "Nothing" in shown)
    assert ": planned for " in said[0]
    assert "has planned it for 2026-03-10 06:4" in said[1]
    assert standing(stage) == 1
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)


async def test_details_offer_it_for_what_is_undecided_and_unplanned(stage: Stage) -> None:
    card, _ = await planned(stage)
    modal = await details(stage, "bob", card)
    assert ids.PLAN not in str(modal.blocks)
    assert "accepts it" in str(modal.blocks)
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    assert ids.PLAN not in str((await details(stage, "bob", card)).blocks)


async def test_what_was_decided_meanwhile_cannot_be_planned(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    await submit(stage, "alice", view, stage.clock.now() + SOON)
    assert "bob dismissed it at 2026-03-10" in await result(stage, view)
    assert outcomes(stage)[-1] == ("alice", "plan", "taken")


async def test_moves_that_changed_under_the_form_are_not_planned(stage: Stage) -> None:
    card = await posted(stage)
    view = await form(stage, "alice", card)
    stage.world.change_moves(stage.world.pools[0])
    await stage.live(minutes=3)
    await submit(stage, "alice", view, stage.clock.now() + SOON)
    assert "Its moves are not the ones you saw." in await result(stage, view)
    assert outcomes(stage) == [("alice", "plan", "changed")]


# ---------------------------------------------------------------- cancelling it


async def test_any_approver_cancels_it_and_the_thread_and_the_journal_say_so(stage: Stage) -> None:
    card, _ = await planned(stage)
    pressed = await stage.slack.person("bob").click(card, ids.CANCEL_PLAN)
    await stage.answer("bob", "Production: The plan is cancelled.")
    assert "<@U0BOB0000> cancelled the plan of <@U0ALICE00>" in await said_in_thread(stage, card, "cancelled the plan")
    await stage.until(lambda: buttons(card) == UNPLANNED)
    assert "accepts it" not in card.text
    await stage.slack.redeliver(pressed)
    await stage.jump(hours=2)
    assert accepts(stage) == 0
    assert outcomes(stage) == [("alice", "plan", "done"), ("bob", "cancel_plan", "done")]
    await planned(stage, "bob", SOON)  # the same offer can be planned anew


async def test_who_may_not_accept_may_not_cancel_a_plan(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.slack.person("carol").click(card, ids.CANCEL_PLAN)
    await stage.answer("carol", "You are not an approver of this pool")
    assert standing(stage) == 1
    assert outcomes(stage)[-1] == ("carol", "cancel_plan", "not_allowed")


async def test_a_cancel_that_comes_too_late_says_so(stage: Stage) -> None:
    card, _ = await planned(stage)
    (button,) = [
        element
        for block in card.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == ids.CANCEL_PLAN
    ]
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)
    await stage.slack.person("bob").click_old(button, card)
    await stage.answer("bob", "That plan is over already")
    assert outcomes(stage)[-1] == ("bob", "cancel_plan", "taken")


async def test_a_cancel_in_the_very_moment_it_is_due_either_stops_it_or_is_too_late(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.settle()
    stage.clock.move(SOON)
    await stage.slack.person("bob").click(card, ids.CANCEL_PLAN)
    said = await stage.answer("bob", "plan is")
    await stage.settle()
    was_cancelled = "The plan is cancelled" in said.text
    assert accepts(stage) == (0 if was_cancelled else 1)
    assert standing(stage) == 0


# ---------------------------------------------------------------- when it is due


async def test_a_bot_that_starts_again_in_between_accepts_it(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.restart_bot()
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)
    await said_in_thread(stage, card, "Production: Accepted.")


async def test_two_replicas_accept_it_once(stage: Stage) -> None:
    card, _ = await planned(stage)
    stage.set(port=free_port())
    await stage.start_bot()
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)
    await said_in_thread(stage, card, "Production: Accepted.")
    await stage.pass_time(minutes=1)
    assert accepts(stage) == 1
    assert len(thread(stage, card)) == 1


async def test_a_replica_that_takes_over_the_lead_accepts_it(stage: Stage) -> None:
    async with AsyncExitStack() as first:
        await first.enter_async_context(bot(stage.settings, clock=stage.clock, lease_life=stage.lease_life))
        await stage.cards_posted(1)
        card, _ = await planned(stage)
        stage.set(port=free_port())
        stage.use_http()
        await stage.start_bot()
    await stage.jump(minutes=31)
    await stage.until(lambda: accepts(stage) == 1)
    await said_in_thread(stage, card, "Production: Accepted.")


@pytest.mark.parametrize(("away", "is_accepted"), [(timedelta(minutes=85), True), (timedelta(minutes=95), False)])
async def test_where_no_bot_ran_at_its_time_it_is_accepted_within_the_hour_only(
    stage: Stage, away: timedelta, is_accepted: bool
) -> None:
    card, _ = await planned(stage)
    await stage.until(lambda: buttons(card) == PLANNED)
    await stage.stop_bot()
    stage.clock.move(away)
    await stage.start_bot()
    told = await said_in_thread(stage, card, "you planned to accept this")
    await stage.until(lambda: stage.slack.direct("alice"))
    await stage.settle()
    assert ("Accepted" in told) == is_accepted
    assert accepts(stage) == is_accepted
    if not is_accepted:
        assert "the bot did not run until more than an hour after that, so its time went by." in told
        assert stage.slack.direct("alice")[-1].text.startswith("Production: Nothing was done. It was planned for 2026-")
        await stage.until(lambda: buttons(card) == UNPLANNED)
        assert outcomes(stage)[-1] == ("alice", "accept", "wrong_time")


async def test_a_bot_that_dies_at_its_time_and_is_back_late_accepts_nothing(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    card, _ = await planned(stage)
    await stage.settle()
    hang = stage.tgc.fault(Fault("hang_before", "/recommendation/", times=None))
    stage.clock.move(SOON)
    await stage.until(lambda: claims(stage) == ["claimed"])
    await stage.until(hang.reached.is_set)
    await stage.stop_bot()
    stage.tgc.clear_faults()
    stage.clock.move(timedelta(minutes=3))
    await stage.start_bot()
    told = await said_in_thread(stage, card, "you planned to accept this")
    assert "I was away at the time you planned: look at it again and press Accept." in told
    await stage.answer("alice", "I was away at the time you planned")
    assert accepts(stage) == 0


async def test_a_pause_holds_it_back_and_it_is_accepted_when_that_ends_within_the_hour(stage: Stage) -> None:
    card, _ = await planned(stage)
    await say(stage, "bob", "/tintri pause Production", "Accepting is paused")
    await stage.until(lambda: "Accept" not in buttons(card))
    await stage.jump(minutes=31)
    await said_in_thread(stage, card, "but accepting is paused. It is accepted as soon as the pause ends")
    await stage.until(lambda: "the pause holds that back" in card.text)
    assert "Cancel the plan" in buttons(card)
    await stage.pass_time(minutes=5)
    assert accepts(stage) == 0
    assert len(thread(stage, card)) == 1
    await say(stage, "bob", "/tintri resume Production", "Accepting goes on")
    await stage.until(lambda: accepts(stage) == 1)
    await said_in_thread(stage, card, "Production: Accepted.")


async def test_a_pause_of_every_pool_that_lasts_longer_than_the_hour_ends_it(stage: Stage) -> None:
    card, _ = await planned(stage)
    await say(stage, "bob", "/tintri pause", "Accepting is paused")
    await stage.jump(minutes=31)
    await said_in_thread(stage, card, "but accepting is paused")
    await stage.jump(minutes=61)
    told = await said_in_thread(stage, card, "you planned to accept this")
    assert "accepting was paused until more than an hour after that, so its time went by." in told
    await say(stage, "bob", "/tintri resume", "Accepting goes on")
    await stage.settle()
    assert accepts(stage) == 0
    assert outcomes(stage)[-2:] == [("alice", "accept", "wrong_time"), ("bob", "resume", "done")]


async def test_moves_that_change_before_end_it_and_the_thread_says_so(stage: Stage) -> None:
    card, _ = await planned(stage)
    stage.world.change_moves(stage.world.pools[0])
    await said_in_thread(stage, card, "is over, because its moves have changed")
    await stage.until(lambda: buttons(card) == UNPLANNED)
    await stage.jump(minutes=31)
    assert accepts(stage) == 0


async def test_moves_that_changed_are_not_accepted_whoever_sees_it_first(stage: Stage) -> None:
    """The plan that is due, or a reading at the same time."""
    stage.set(reco_refresh_seconds=86_400)
    card, _ = await planned(stage)
    stage.world.change_moves(stage.world.pools[0])
    await stage.jump(minutes=31)
    await stage.until(lambda: thread(stage, card))
    [said] = thread(stage, card)
    assert "Its moves are not the ones you saw." in said or "is over, because its moves have changed." in said
    await stage.until(lambda: buttons(card) == UNPLANNED)
    assert accepts(stage) == 0
    assert standing(stage) == 0


async def test_moves_that_changed_while_nothing_could_be_accepted_end_it_once_something_can(stage: Stage) -> None:
    card, _ = await planned(stage)
    pool = stage.world.pools[0]
    stage.world.current(pool).state = "REFRESH"
    stage.world.change_moves(pool)
    await stage.jump(seconds=stage.settings.reco_refresh_seconds)
    assert thread(stage, card) == []
    stage.world.current(pool).state = "AVAILABLE"
    await stage.jump(seconds=stage.settings.reco_refresh_seconds)
    await said_in_thread(stage, card, "is over, because its moves have changed.")
    assert standing(stage) == 0


async def test_dismissing_ends_it_and_reopening_does_not_bring_it_back(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await said_in_thread(stage, card, "is over, because <@U0BOB0000> dismissed it.")
    await stage.until(lambda: "Reopen" in buttons(card))
    await stage.slack.person("bob").click(card, ids.REOPEN)
    await stage.until(lambda: buttons(card) == UNPLANNED)
    await stage.jump(minutes=31)
    assert accepts(stage) == 0


async def test_an_accept_before_ends_it(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await said_in_thread(stage, card, "is over, because <@U0BOB0000> accepted it.")
    await stage.jump(minutes=31)
    assert accepts(stage) == 1
    assert outcomes(stage) == [("alice", "plan", "done"), ("bob", "accept", "done")]


async def test_what_was_accepted_in_the_gui_is_said_at_its_time(stage: Stage) -> None:
    card, _ = await planned(stage)
    stage.world.accept_in_gui(stage.world.pools[0])
    await stage.until(lambda: "accepts it" not in card.text)
    await stage.jump(minutes=31)
    assert "It was already accepted in the Tintri Global Center." in await said_in_thread(stage, card, "you planned")
    await stage.answer("alice", "It was already accepted in the Tintri Global Center.")
    assert accepts(stage) == 0
    assert outcomes(stage)[-1] == ("alice", "accept", "changed")


async def test_what_expired_early_is_said_at_its_time(stage: Stage) -> None:
    card, _ = await planned(stage)
    stage.world.expire(stage.world.pools[0])
    await stage.until(lambda: "expired" in card.text)
    await stage.jump(minutes=31)
    assert "Nothing was done. It has expired." in await said_in_thread(stage, card, "you planned")
    assert accepts(stage) == 0


async def test_who_is_no_approver_any_more_at_its_time_accepts_nothing(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.stop_bot()
    stage.set(reco_approvers=Approvers(user_ids=frozenset({stage.slack.person("bob").user.id})))
    await stage.start_bot()
    await stage.jump(minutes=31)
    assert "You are not an approver of this pool" in await said_in_thread(stage, card, "you planned")
    assert accepts(stage) == 0
    assert outcomes(stage)[-1] == ("alice", "accept", "not_allowed")


async def test_a_tgc_that_does_not_answer_at_its_time_is_said_and_nothing_is_done(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.settle()
    stage.tgc.fault(Fault("answer", "/recommendation/", times=None))
    await stage.jump(minutes=31)
    assert "The recommendation could not be read again" in await said_in_thread(stage, card, "you planned")
    stage.tgc.clear_faults()
    assert accepts(stage) == 0


async def test_an_accept_whose_answer_is_lost_is_found_out_and_told(stage: Stage) -> None:
    card, _ = await planned(stage)
    stage.tgc.fault(Fault("drop_after", r"/accept$", method="POST"))
    await stage.jump(minutes=31)
    await said_in_thread(stage, card, "Production: Accepted.")
    assert accepts(stage) == 1


# ---------------------------------------------------------------- where two people must accept


@pytest.fixture
def by_two(stage: Stage) -> Stage:
    stage.set(config=rules(SecondApprover(always=True)))
    return stage


async def test_a_plan_is_the_first_of_two_at_its_time(by_two: Stage) -> None:
    stage = by_two
    card, _ = await planned(stage)
    await stage.jump(minutes=31)
    await said_in_thread(stage, card, "you planned to accept this")
    await said_in_thread(stage, card, "Another approver must accept it too")
    assert accepts(stage) == 0
    await stage.until(lambda: "Accept" in buttons(card))
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "Production: Accepted.")
    assert accepts(stage) == 1
    assert outcomes(stage) == [
        ("alice", "plan", "done"),
        ("alice", "accept", "accepted_first"),
        ("bob", "accept", "done"),
    ]


async def test_a_plan_is_the_second_of_two_where_somebody_accepted_before(by_two: Stage) -> None:
    stage = by_two
    card, _ = await planned(stage)
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "You accepted it as the first")
    assert standing(stage) == 1
    await stage.jump(minutes=31)
    await said_in_thread(stage, card, "Production: Accepted.")
    assert accepts(stage) == 1
    await stage.until(lambda: "Accepted by <@U0BOB0000> and <@U0ALICE00>" in card.text)


async def test_a_plan_of_the_first_is_no_second_person(by_two: Stage) -> None:
    stage = by_two
    card, _ = await planned(stage)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "You accepted it as the first")
    await stage.jump(minutes=31)
    assert "You accepted it before." in await said_in_thread(stage, card, "you planned")
    assert accepts(stage) == 0


# ---------------------------------------------------------------- the journal


async def test_the_audit_shows_plans_and_their_refusals(stage: Stage) -> None:
    card, _ = await planned(stage)
    await stage.slack.person("carol").click(card, ids.CANCEL_PLAN)
    await stage.answer("carol", "You are not an approver")
    await stage.slack.person("bob").command("/tintri audit")
    page = await stage.answer("bob", "2 entries")
    assert "plan: done" in page.text
    assert "cancel plan: not allowed" in page.text
    assert "Told: Planned for 2026-03-10 06:4" in str(page.blocks)
