"""The decision protocol, step by step, between the two far ends (design: how a decision is made)."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.app import LEASE_LIFE
from bot.decisions import STILL_WANTED
from bot.pool_rules import Approvers
from bot.rendering import ids
from playground.estate import Pool
from playground.slack_workspace import Message
from playground.tgc import Call
from playground.tgc_faults import Fault, FaultKind
from tests.scenarios.records import answers, as_json, claims, journal, outcomes, plan_at_tgc, untold
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage

READING = r"/recommendation/(?!current$)[^/]+$"
"""A recommendation read by its id, as decisions do."""
SOON = timedelta(seconds=20)
"""Long before the next refresh, which would paint the card in any case."""
EVERYBODY = ("alice", "bob", "carol", "gina", "uma", "frank", "olga", "dave", "robot")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool; alice and bob may act. On a busy machine the clock would outrun leases: here they do not run out."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.lease_life = timedelta(hours=1)
        opened.world.move_minutes = 600
        yield opened
        opened.slack.faults.clear()


@pytest.fixture
def leases_run_out(stage: Stage) -> None:
    """For what is taken up again once nobody works on it any more."""
    stage.lease_life = LEASE_LIFE


@asynccontextmanager
async def pools_posted(folder: Path, count: int) -> AsyncIterator[Stage]:
    """Many pools, so that each can meet something else at the same time; a TGC that hangs is given up soon."""
    async with open_stage(folder, pools=count) as stage:
        stage.world.move_minutes = 600
        stage.tgc_timeout_s = 0.7
        stage.lease_life = timedelta(hours=1)
        await stage.start_bot()
        await stage.cards_posted(count)
        yield stage


@pytest.fixture
def no_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop cuts off what is under way, as a crash would."""
    monkeypatch.setattr("bot.app.DRAIN_S", 0.01)


def pool_of(stage: Stage) -> Pool:
    return stage.world.pools[0]


async def posted(stage: Stage) -> Message:
    """The card, after the bot has posted it."""
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


async def accepted(stage: Stage) -> Message:
    card = await posted(stage)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    return card


def button(message: Message, action_id: str) -> dict[str, Any]:
    """The button as the message has it now, to be pressed when the message has changed."""
    return next(
        dict(element)
        for block in message.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == action_id
    )


def has_button(stage: Stage, pool: Pool, label: str) -> bool:
    return label in buttons(stage.card(pool.name))


def asked(stage: Stage, verb: str) -> list[Call]:
    """The requests of that verb that reached the TGC, obeyed or not."""
    return [call for call in stage.tgc.calls if call.path.endswith(f"/{verb}")]


def asked_of(stage: Stage, pool: Pool, verb: str) -> list[Call]:
    return [call for call in asked(stage, verb) if pool.uuid in call.path]


def told(stage: Stage, who: str) -> list[str]:
    return [shown.text for shown in stage.shown_to(who)]


def has_been_told(stage: Stage, who: str, times: int) -> bool:
    return len(told(stage, who)) == times


async def reached(fault: Fault) -> None:
    """Wait for a request to meet the fault, while the clock stands still."""
    async with asyncio.timeout(5):
        await fault.reached.wait()


async def all_told(stage: Stage) -> None:
    await stage.until(lambda: untold(stage) == 0)


async def press_all(stage: Stage, who: str, action_id: str, pools: Iterable[Pool]) -> None:
    """Press the button on the cards of those pools at once, and wait until all is answered."""
    person, decided = stage.slack.person(who), len(journal(stage))
    cards = [stage.card(pool.name) for pool in pools]
    await asyncio.gather(*(person.click(card, action_id) for card in cards))
    # Not `until`: while a TGC hangs in real time, its clock would run for minutes.
    async with asyncio.timeout(20):
        while len(journal(stage)) < decided + len(cards) or untold(stage):
            await asyncio.sleep(0.02)
            stage.clock.move(timedelta(seconds=0.4))


# Carried out, answered, written down


async def test_each_decision_is_carried_out_answered_and_written_down_with_what_was_offered(stage: Stage) -> None:
    card = await posted(stage)
    offered = plan_at_tgc(stage, pool_of(stage))
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")

    await bob.click(card, ids.DISMISS)
    await stage.answer("bob", "Production: Dismissed.")
    await stage.until(lambda: buttons(card) == ["Reopen", "Say why", "Details"])
    assert stage.world.current(pool_of(stage)).state == "AVAILABLE_ACKED"
    await alice.click(card, ids.REOPEN)
    await stage.answer("alice", "Production: Reopened.")
    await stage.until(lambda: "Accept" in buttons(card))
    await alice.click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    await bob.click(card, ids.CANCEL)
    await stage.answer("bob", "Production: Cancelled.")
    await stage.until(lambda: "Cancel" not in buttons(card))

    assert stage.world.current(pool_of(stage)).state == "CANCELLED"
    assert outcomes(stage) == [
        ("bob", "dismiss", "done"),
        ("alice", "reopen", "done"),
        ("alice", "accept", "done"),
        ("bob", "cancel", "done"),
    ]
    assert {decided.offered for decided in journal(stage)} == {offered}
    assert {decided.tgc_answer for decided in journal(stage)} == {"The TGC took it."}
    assert [len(asked(stage, verb)) for verb in ("acknowledge", "accept", "cancel")] == [1, 1, 1]


async def test_a_press_in_an_answer_replaces_the_answer(stage: Stage) -> None:
    await posted(stage)
    alice = stage.slack.person("alice")
    await alice.command("/tintri reco prod")
    shown = await stage.answer("alice", "Production: 4 VMs to move")
    await alice.click(shown, ids.ACCEPT)
    await stage.until(lambda: told(stage, "alice") == ["Production: Accepted. The card shows how it goes."])


async def test_what_is_dismissed_already_is_said_with_who_did_it(stage: Stage) -> None:
    card = await posted(stage)
    accept, dismiss = button(card, ids.ACCEPT), button(card, ids.DISMISS)
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    await bob.click(card, ids.DISMISS)
    await stage.answer("bob", "Dismissed")
    await alice.click_old(accept, card)
    assert (await stage.answer("alice", "bob dismissed it at 2026-03-10")).text.endswith("Reopen it first.")
    await bob.click_old(dismiss, card)
    assert not (await stage.answer("bob", "bob dismissed it at")).text.endswith("Reopen it first.")
    await stage.until(lambda: "Reopen" in buttons(card))
    reopen = button(card, ids.REOPEN)
    await bob.click(card, ids.REOPEN)
    await stage.answer("bob", "Reopened")
    await alice.click_old(reopen, card)
    await stage.answer("alice", "nothing to reopen")
    assert not asked(stage, "accept")
    assert claims(stage) == ["open"]


# Step 1: may this person?


@pytest.mark.parametrize("everyone", [False, True])
async def test_only_full_members_of_the_workspace_may_act_whoever_is_an_approver(stage: Stage, everyone: bool) -> None:
    people = frozenset() if everyone else frozenset(stage.slack.person(name).user.id for name in EVERYBODY)
    stage.set(reco_approvers=Approvers(everyone=everyone, user_ids=people))
    card = await posted(stage)
    refused = {
        "gina": "you are a guest",
        "uma": "you are a guest",
        "dave": "an active account",
        "robot": "an active account",
        "frank": "from another one",
        "olga": "from another one",
    }
    for who, why in refused.items():
        for action_id in (ids.ACCEPT, ids.DISMISS):
            await stage.slack.person(who).click(card, action_id)
        await stage.until(partial(has_been_told, stage, who, 2))
        assert all(why in text for text in told(stage, who))
    tried = {(who, action, "not_allowed") for who in refused for action in ("accept", "dismiss")}
    assert set(outcomes(stage)) == tried
    assert len(outcomes(stage)) == len(tried)
    assert stage.world.current(pool_of(stage)).state == "AVAILABLE"

    await stage.slack.person("carol").click(card, ids.ACCEPT)
    await stage.answer("carol", "Accepted")


async def test_who_is_no_approver_is_refused(stage: Stage) -> None:
    card = await posted(stage)
    await stage.slack.person("carol").click(card, ids.ACCEPT)
    await stage.answer("carol", "You are not an approver")
    assert outcomes(stage) == [("carol", "accept", "not_allowed")]
    assert not asked(stage, "accept")


async def test_who_is_in_a_user_group_of_approvers_may_act(stage: Stage) -> None:
    stage.set(reco_approvers=Approvers(group_ids=frozenset({"S0STORAGE"})))
    card = await posted(stage)
    await stage.slack.person("carol").click(card, ids.ACCEPT)
    await stage.answer("carol", "You are not an approver")
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "Accepted")


async def test_whoever_cannot_be_checked_may_not_act(stage: Stage) -> None:
    stage.set(reco_approvers=Approvers(group_ids=frozenset({"S0STORAGE"})))
    card = await posted(stage)
    alice = stage.slack.person("alice")
    for disturb, undo, why in (
        (
            partial(stage.slack.faults.fail, "users.info", "internal_error", times=None),
            stage.slack.faults.clear,
            "I could not check who you are",
        ),
        (
            partial(stage.slack.faults.garbage, "users.info", times=None),
            stage.slack.faults.clear,
            "I could not check who you are",
        ),
        (
            partial(stage.slack.scopes.discard, "users:read"),
            partial(stage.slack.scopes.add, "users:read"),
            "missing scope users:read",
        ),
        (
            partial(stage.slack.scopes.discard, "usergroups:read"),
            partial(stage.slack.scopes.add, "usergroups:read"),
            "missing scope usergroups:read",
        ),
    ):
        before = len(told(stage, "alice"))
        disturb()
        await alice.click(card, ids.ACCEPT)
        await stage.until(partial(has_been_told, stage, "alice", before + 1))
        assert why in told(stage, "alice")[-1]
        undo()
        await stage.pass_time(seconds=61)
    assert outcomes(stage) == [("alice", "accept", "not_allowed")] * 4
    await alice.click(card, ids.ACCEPT)
    await stage.answer("alice", "Accepted")


@pytest.mark.usefixtures("leases_run_out")
async def test_without_approvers_nobody_may_act_not_even_by_a_card_posted_before(stage: Stage) -> None:
    card = await posted(stage)
    accept = button(card, ids.ACCEPT)
    await stage.stop_bot()
    stage.set(reco_approvers=Approvers())
    await stage.start_bot()
    await stage.until(lambda: buttons(card) == ["Details"])
    assert "RECO_APPROVERS is empty" in str(card.blocks)
    await stage.slack.person("alice").click_old(accept, card)
    await stage.answer("alice", "RECO_APPROVERS is empty")
    assert outcomes(stage) == [("alice", "accept", "not_allowed")]
    assert not asked(stage, "accept")


@pytest.mark.usefixtures("leases_run_out")
async def test_an_account_that_only_reads_lets_nobody_act_not_even_by_a_card_posted_before(stage: Stage) -> None:
    card = await posted(stage)
    accept = button(card, ids.ACCEPT)
    await stage.stop_bot()
    stage.tgc.role = "Read Only"
    await stage.start_bot()
    await stage.until(lambda: buttons(card) == ["Details"])
    assert "only reads (role “Read Only”)" in str(card.blocks)
    await stage.slack.person("alice").click_old(accept, card)
    await stage.answer("alice", "only reads")
    assert outcomes(stage) == [("alice", "accept", "read_only")]
    assert not asked(stage, "accept")


# Step 2: one at a time


async def test_two_presses_of_one_person_are_one_accept_and_both_are_answered(stage: Stage) -> None:
    card = await posted(stage)
    alice = stage.slack.person("alice")
    await asyncio.gather(alice.click(card, ids.ACCEPT), alice.click(card, ids.ACCEPT))
    await stage.until(lambda: len(told(stage, "alice")) == 2)
    await stage.answer("alice", "Production: Accepted.")
    assert re.search(r"Nothing was done\. alice (is accepting|accepted) it", " ".join(told(stage, "alice")))
    assert sorted(outcome for _, _, outcome in outcomes(stage)) == ["done", "taken"]
    assert len(asked(stage, "accept")) == 1


async def test_two_people_at_once_are_one_accept_and_the_other_is_told_who(stage: Stage) -> None:
    card = await posted(stage)
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    await asyncio.gather(alice.click(card, ids.ACCEPT), bob.click(card, ids.ACCEPT))
    await stage.until(lambda: told(stage, "alice") and told(stage, "bob"))
    (winner,) = [who for who, _, outcome in outcomes(stage) if outcome == "done"]
    loser = {"alice": "bob", "bob": "alice"}[winner]
    assert "Production: Accepted." in told(stage, winner)[0]
    assert re.search(rf"Nothing was done\. {winner} (is accepting|accepted) it", told(stage, loser)[0])
    assert len(asked(stage, "accept")) == 1


async def test_accept_and_dismiss_at_once_are_one_decision(stage: Stage) -> None:
    card = await posted(stage)
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    await asyncio.gather(bob.click(card, ids.DISMISS), alice.click(card, ids.ACCEPT))
    await stage.until(lambda: told(stage, "alice") and told(stage, "bob"))
    assert sorted(outcome for _, _, outcome in outcomes(stage)) == ["done", "taken"]
    ((_, action, _),) = [decided for decided in outcomes(stage) if decided[2] == "done"]
    assert len(asked(stage, "accept")) == (1 if action == "accept" else 0)


async def test_while_somebody_decides_others_are_told_who_and_the_card_has_no_buttons(stage: Stage) -> None:
    card = await posted(stage)
    accept = button(card, ids.ACCEPT)
    hanging = stage.tgc.fault(Fault("hang_before", "/accept$"))
    stage.tgc.fault(Fault("drop_before", "/accept$"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await reached(hanging)
    began = stage.clock.now()
    await stage.until(lambda: buttons(card) == ["Details"])
    assert stage.clock.now() - began < SOON
    assert "is accepting this" in str(card.blocks)
    await stage.slack.person("bob").click_old(accept, card)
    await stage.answer("bob", "Nothing was done. alice is accepting it right now.")
    hanging.release()
    await stage.answer("alice", "Accepted")


async def test_a_decision_that_takes_long_to_begin_takes_the_buttons_and_one_that_is_quick_costs_one_edit(
    stage: Stage,
) -> None:
    card = await posted(stage)
    hanging = stage.tgc.fault(Fault("hang_before", READING))
    await stage.slack.person("alice").click(card, ids.DISMISS)
    began = stage.clock.now()
    await stage.until(lambda: buttons(card) == ["Details"])
    assert stage.clock.now() - began < SOON
    assert "is dismissing this" in str(card.blocks)
    hanging.release()
    await stage.until(lambda: buttons(card) == ["Reopen", "Say why", "Details"])
    assert len(card.versions) == 2
    await stage.slack.person("alice").click(card, ids.REOPEN)
    await stage.slack.until(lambda: "Accept" in buttons(card))  # quick: the clock stands still
    await stage.settle()
    assert len(card.versions) == 3


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_press_that_is_delivered_again_is_answered_once(stage: Stage, is_over: bool) -> None:
    card = await posted(stage)
    slow = stage.tgc.fault(Fault("latency", "/accept$", seconds=0.05))
    pressed = await stage.slack.person("alice").click(card, ids.ACCEPT)
    await (stage.answer("alice", "Accepted") if is_over else reached(slow))
    for _ in range(2):
        assert (await stage.slack.redeliver(pressed)).acknowledged
    await stage.answer("alice", "Accepted")
    await stage.settle()
    assert len(told(stage, "alice")) == 1
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert len(asked(stage, "accept")) == 1


async def test_a_button_of_an_older_card_does_nothing_and_the_new_one_works(stage: Stage) -> None:
    card = await posted(stage)
    accept = button(card, ids.ACCEPT)
    stage.world.change_moves(pool_of(stage))
    await stage.until(lambda: card.versions)
    alice = stage.slack.person("alice")
    await alice.click_old(accept, card)
    await stage.answer("alice", "Its moves are not the ones you saw")
    assert not asked(stage, "accept")

    await alice.click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    assert journal(stage)[-1].offered == plan_at_tgc(stage, pool_of(stage))


async def test_a_press_while_the_card_is_being_redrawn_counts_for_what_the_person_saw(stage: Stage) -> None:
    card = await posted(stage)
    stage.slack.faults.hang("chat.update")
    stage.world.change_moves(pool_of(stage))
    await stage.until(lambda: stage.slack.calls_of("chat.update"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Its moves are not the ones you saw")
    stage.slack.faults.release()
    await stage.until(lambda: card.versions)
    assert not asked(stage, "accept")


UNKNOWN = "I do not know this button any more"
UNREADABLE = "I could not read that, so nothing was done"
VALUES = (
    ("", UNKNOWN),
    ("garbage", UNKNOWN),
    ("x" * 2000, UNKNOWN),
    ("'; DROP TABLE offers; --", UNKNOWN),
    (7, UNREADABLE),
)


async def test_a_value_that_nobody_knows_is_answered_not_obeyed(stage: Stage) -> None:
    card = await posted(stage)
    pressed = await stage.slack.person("alice").click(card, ids.DETAILS)
    await stage.slack.until(lambda: stage.slack.modals("alice"))
    (action,) = pressed.payload["actions"]
    for number, (value, said) in enumerate(VALUES, start=1):
        forged = {**action, "action_id": ids.ACCEPT, "value": value, "action_ts": f"1.{number:06}"}
        await stage.slack.forge(pressed, actions=[forged])
        await stage.until(partial(has_been_told, stage, "alice", number))
        assert said in told(stage, "alice")[-1]
    await all_told(stage)
    assert not asked(stage, "accept")
    assert [decided.outcome for decided in journal(stage)] == ["unknown_offer"] * 4


# Step 3: what changed since the person saw it


def run_and_stop_in_gui(stage: Stage, pool: Pool) -> None:
    stage.world.accept_in_gui(pool)
    stage.world.cancel_in_gui(pool)


def forget_at_tgc(stage: Stage, pool: Pool) -> None:
    stage.tgc.fault(Fault("answer", pool.uuid + READING, status=404, code="ERR-API-8001", times=None))


CHANGES: dict[str, tuple[Callable[[Stage, Pool], object], str]] = {
    "other moves": (lambda stage, pool: stage.world.change_moves(pool), "Its moves are not the ones you saw."),
    "expired": (lambda stage, pool: stage.world.expire(pool), "It has expired."),
    "replaced": (lambda stage, pool: stage.world.new_recommendation(pool), "It has expired."),
    "invalidated": (
        lambda stage, pool: stage.world.invalidate(pool, "INVALID_VMS_CHANGED"),
        "The Tintri Global Center has replaced or withdrawn it.",
    ),
    "accepted in the GUI": (
        lambda stage, pool: stage.world.accept_in_gui(pool),
        "It was already accepted in the Tintri Global Center.",
    ),
    "accepted and cancelled in the GUI": (
        run_and_stop_in_gui,
        "It was already accepted and cancelled in the Tintri Global Center.",
    ),
    "forgotten": (forget_at_tgc, "The Tintri Global Center does not know this recommendation any more."),
}


@pytest.mark.parametrize("action_id", [ids.ACCEPT, ids.DISMISS])
async def test_what_changed_since_it_was_shown_is_told_and_not_decided_on(tmp_path: Path, action_id: str) -> None:
    async with pools_posted(tmp_path, len(CHANGES)) as stage:
        cards = [stage.card(pool.name) for pool in stage.world.pools]
        for pool, (happen, _) in zip(stage.world.pools, CHANGES.values(), strict=True):
            happen(stage, pool)
        await press_all(stage, "alice", action_id, stage.world.pools)

        action = {ids.ACCEPT: "accept", ids.DISMISS: "dismiss"}[action_id]
        for pool, (_, why) in zip(stage.world.pools, CHANGES.values(), strict=True):
            outcome, said = answers(stage, action)[pool.name]
            assert outcome == "changed"
            assert said.startswith(f"{pool.name}: Nothing was done. {why}")
            assert said in told(stage, "alice")
        assert not asked(stage, "accept")
        assert not asked(stage, "acknowledge")
        assert set(claims(stage)) == {"open"}
        await stage.until(lambda: all(card.versions for card in cards))
        assert ["Accept" in buttons(card) for card in cards] == [change == "other moves" for change in CHANGES]


async def test_what_the_tgc_lost_without_a_trace_is_told_and_not_decided_on(stage: Stage) -> None:
    card = await posted(stage)
    stage.world.vanish(pool_of(stage))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    answer = await stage.answer("alice", "Nothing was done. The recommendation could not be read again")
    assert "ERR-API-7102" in answer.text
    assert outcomes(stage) == [("alice", "accept", "not_done")]
    assert claims(stage) == ["open"]
    assert not asked(stage, "accept")
    stage.world.new_recommendation(pool_of(stage))
    await stage.until(lambda: "no longer knows" in card.text)
    assert buttons(card) == []


AWAY: tuple[Callable[[Pool], Fault], ...] = (
    lambda pool: Fault("answer", pool.uuid + READING, method="GET", status=500, times=None),
    lambda pool: Fault("answer", pool.uuid + READING, method="GET", status=503, times=None),
    lambda pool: Fault("answer", pool.uuid + READING, method="GET", status=502, body="html", times=None),
    lambda pool: Fault("garbage", pool.uuid + READING, method="GET", times=None),
    lambda pool: Fault("drop_before", pool.uuid + READING, method="GET", times=None),
    lambda pool: Fault("hang_before", pool.uuid + READING, method="GET", times=None),
)


async def test_nothing_is_done_while_the_recommendation_cannot_be_read_again(tmp_path: Path) -> None:
    async with pools_posted(tmp_path, len(AWAY)) as stage:
        for pool, fault in zip(stage.world.pools, AWAY, strict=True):
            stage.tgc.fault(fault(pool))
        await press_all(stage, "alice", ids.ACCEPT, stage.world.pools)
        for outcome, said in answers(stage, "accept").values():
            assert outcome == "not_done"
            assert re.search(r"Nothing was done\. The recommendation could not be read again: (The|A|127)\b", said)
            assert "GET /api" not in said
        assert set(claims(stage)) == {"open"}
        assert not asked(stage, "accept")

        stage.tgc.clear_faults()
        await stage.until(lambda: all(has_button(stage, pool, "Accept") for pool in stage.world.pools))
        await press_all(stage, "alice", ids.ACCEPT, stage.world.pools)
        assert len(stage.tgc.accepts) == len(AWAY)


async def test_another_id_in_the_answer_is_not_what_the_person_saw(stage: Stage) -> None:
    card = await posted(stage)
    other = {**as_json(stage, pool_of(stage)), "id": "SOMETHING-ELSE"}
    stage.tgc.fault(Fault("answer", READING, method="GET", status=200, body=other, times=None))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Nothing was done. The Tintri Global Center has replaced or withdrawn it.")
    assert not asked(stage, "accept")


# A plan that nobody could see whole


def with_parts(stage: Stage, **parts: object) -> dict[str, Any]:
    """What the TGC sends, with other parts in its first move."""
    answer: Any = as_json(stage, pool_of(stage))
    answer["actionGroups"][0]["actions"][0] |= parts
    return dict(answer)


async def test_a_plan_that_cannot_be_read_whole_is_not_offered_and_the_card_says_why(stage: Stage) -> None:
    broken = with_parts(stage, targetVmTintriUuid=7, targetVmDisplayName=None)
    stage.tgc.fault(Fault("answer", "/recommendation/", method="GET", status=200, body=broken, times=None))
    card = await posted(stage)
    assert buttons(card) == ["Dismiss", "Details"]
    assert "not every move of it could be read" in str(card.blocks)


async def test_a_plan_that_is_not_whole_any_more_is_not_accepted_by_an_old_button(stage: Stage) -> None:
    card = await posted(stage)
    broken = with_parts(stage, targetVmDisplayName=7)  # the ids alone, and with them the fingerprint, are the same
    stage.tgc.fault(Fault("answer", "/recommendation/", method="GET", status=200, body=broken, times=None))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "not every move of it could be read")
    assert outcomes(stage) == [("alice", "accept", "changed")]
    assert not asked(stage, "accept")
    await stage.until(lambda: buttons(card) == ["Dismiss", "Details"])


# Steps 4 and 5: one request, and what came of it


async def test_what_is_accepted_in_the_gui_between_our_reading_and_our_request_is_told(stage: Stage) -> None:
    card = await posted(stage)

    async def somebody_accepts() -> None:
        stage.world.accept_in_gui(pool_of(stage))

    stage.tgc.fault(Fault("hook_before", "/accept$", hook=somebody_accepts))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Nothing was done. It was already accepted in the Tintri Global Center.")
    (decided,) = journal(stage)
    assert decided.outcome == "changed"
    assert "ERR-API-7107" in str(decided.tgc_answer)
    assert len(asked(stage, "accept")) == 1
    assert claims(stage) == ["open"]
    await stage.until(lambda: "Accept" not in buttons(card))


async def test_what_is_viewed_in_the_gui_between_our_reading_and_our_acknowledge_is_dismissed(stage: Stage) -> None:
    card = await posted(stage)

    async def somebody_looks() -> None:
        pool = pool_of(stage)
        stage.world.acknowledge(pool.uuid, str(stage.world.current(pool).id))

    stage.tgc.fault(Fault("hook_before", "/acknowledge$", hook=somebody_looks))
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.answer("bob", "Dismissed")
    assert outcomes(stage) == [("bob", "dismiss", "done")]


async def test_what_ended_in_the_gui_before_our_cancel_is_told(stage: Stage) -> None:
    card = await accepted(stage)
    cancel = button(card, ids.CANCEL)

    async def somebody_cancels() -> None:
        stage.world.cancel_in_gui(pool_of(stage))

    stage.tgc.fault(Fault("hook_before", "/cancel$", hook=somebody_cancels))
    await stage.slack.person("bob").click(card, ids.CANCEL)
    await stage.answer("bob", "Production: Nothing was done. It was cancelled already.")
    await stage.slack.person("alice").click_old(cancel, card)
    await stage.until(lambda: "Production: Nothing was done. It was cancelled already." in told(stage, "alice"))
    assert claims(stage) == ["accepted"]


def refusal(status: int, code: str | None) -> Callable[[str], Fault]:
    return lambda path: Fault("answer", path, status=status, code=code)


def loss(kind: FaultKind) -> Callable[[str], Fault]:
    return lambda path: Fault(kind, path)


class Met(NamedTuple):
    """What a request meets, and what becomes of an accept, of a dismissal and of a cancel."""

    fault: Callable[[str], Fault]
    accept: str
    dismiss: str
    cancel: str


LOST_BEFORE: tuple[FaultKind, ...] = ("drop_before", "hang_before", "garbage")
LOST_AFTER: tuple[FaultKind, ...] = ("drop_after", "hang_after", "truncated")
MET = (
    Met(refusal(400, "ERR-API-7107"), "refused", "done", "refused"),
    Met(refusal(401, None), "refused", "refused", "refused"),
    Met(refusal(403, None), "refused", "refused", "refused"),
    Met(refusal(404, "ERR-API-8001"), "refused", "refused", "refused"),
    Met(refusal(500, "ERR-API-7108"), "not_done", "done", "not_done"),
    Met(refusal(503, None), "not_done", "done", "not_done"),
    Met(refusal(200, "ERR-API-7108"), "not_done", "done", "not_done"),
    *(Met(loss(kind), "not_done", "done", "not_done") for kind in LOST_BEFORE),
    *(Met(loss(kind), "done", "done", "done") for kind in LOST_AFTER),
)
SAID = {
    "done": re.compile(r": (Accepted|Dismissed|Cancelled)\."),
    "refused": re.compile(r": Nothing was done\. The TGC (forbids|refused|knows no)"),
    "not_done": re.compile(r": Nothing was done\. .+ Press again\. \((The|A|127)\b"),
}


def disturb_all(stage: Stage, verb: str, all_met: Iterable[Met] = MET) -> None:
    for pool, met in zip(stage.world.pools, all_met, strict=True):
        stage.tgc.fault(met.fault(f"{pool.uuid}/recommendation/[^/]+/{verb}$"))


def check_answers(stage: Stage, action: str, who: str, expected: list[str]) -> None:
    answered = [answers(stage, action)[pool.name] for pool in stage.world.pools]
    assert [outcome for outcome, _ in answered] == expected
    for outcome, said in answered:
        assert SAID[outcome].search(said)
        assert said in told(stage, who)


async def test_an_accept_is_sent_once_whatever_it_meets_and_its_end_is_told(tmp_path: Path) -> None:
    async with pools_posted(tmp_path, len(MET)) as stage:
        disturb_all(stage, "accept")
        expected = [met.accept for met in MET]
        await press_all(stage, "alice", ids.ACCEPT, stage.world.pools)
        check_answers(stage, "accept", "alice", expected)
        assert len(asked(stage, "accept")) == len(MET)
        assert len(stage.tgc.accepts) == expected.count("done")
        assert claims(stage) == ["accepted" if outcome == "done" else "open" for outcome in expected]
        for pool, outcome in zip(stage.world.pools, expected, strict=True):
            wanted = "Cancel" if outcome == "done" else "Accept"
            await stage.until(partial(has_button, stage, pool, wanted))

        left = [pool for pool, outcome in zip(stage.world.pools, expected, strict=True) if outcome != "done"]
        await press_all(stage, "alice", ids.ACCEPT, left)
        assert len(stage.tgc.accepts) == len(MET)


async def test_a_dismissal_is_sent_once_whatever_it_meets_and_its_end_is_told(tmp_path: Path) -> None:
    async with pools_posted(tmp_path, len(MET)) as stage:
        disturb_all(stage, "acknowledge")
        expected = [met.dismiss for met in MET]
        await press_all(stage, "bob", ids.DISMISS, stage.world.pools)
        check_answers(stage, "dismiss", "bob", expected)
        assert len(asked(stage, "acknowledge")) == len(MET)
        assert set(claims(stage)) == {"open"}
        for pool, outcome in zip(stage.world.pools, expected, strict=True):
            wanted = "Reopen" if outcome == "done" else "Dismiss"
            await stage.until(partial(has_button, stage, pool, wanted))


async def test_a_cancel_is_sent_once_whatever_it_meets_and_its_end_is_told(tmp_path: Path) -> None:
    met_by_cancels = MET[::2]
    async with pools_posted(tmp_path, len(met_by_cancels)) as stage:
        await press_all(stage, "alice", ids.ACCEPT, stage.world.pools)
        await stage.until(lambda: all(has_button(stage, pool, "Cancel") for pool in stage.world.pools))
        disturb_all(stage, "cancel", met_by_cancels)
        expected = [met.cancel for met in met_by_cancels]
        await press_all(stage, "bob", ids.CANCEL, stage.world.pools)
        check_answers(stage, "cancel", "bob", expected)
        assert len(asked(stage, "cancel")) == len(met_by_cancels)
        assert set(claims(stage)) == {"accepted"}
        states = ["CANCELLED" if outcome == "done" else "ACCEPTED" for outcome in expected]
        assert [stage.world.current(pool).state for pool in stage.world.pools] == states


async def test_a_session_that_ended_costs_nobody_a_press(stage: Stage) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("expired_session", "/accept$"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    assert [call.status for call in asked(stage, "accept")] == [401, 204]


async def test_while_a_lost_answer_is_looked_for_the_card_shows_who_decides(stage: Stage) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_before", "/accept$"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: "is accepting this" in card.text)
    assert "Accept" not in buttons(card)
    await stage.answer("alice", "Press again.")


@pytest.mark.parametrize("was_done", [True, False])
@pytest.mark.usefixtures("leases_run_out")
async def test_a_tgc_that_falls_silent_is_said_at_once_and_the_end_is_told_when_it_is_back(
    stage: Stage, was_done: bool
) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_after" if was_done else "drop_before", "/accept$"))
    silence = stage.tgc.fault(Fault("answer", READING, method="GET", times=0))
    stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=lambda: _silence(silence)))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "do not press again")
    await stage.pass_time(minutes=5)
    assert journal(stage) == []
    assert claims(stage) == ["sent"]
    assert len(told(stage, "alice")) == 1

    silence.times = 0
    await stage.answer("alice", "Production: Accepted." if was_done else "It is still as it was. Press again.")
    assert len(asked(stage, "accept")) == 1
    assert claims(stage) == ["accepted" if was_done else "open"]


async def _silence(fault: Fault) -> None:
    fault.times = None


@pytest.mark.usefixtures("leases_run_out")
async def test_an_accept_in_the_gui_long_after_our_lost_one_is_not_ours(stage: Stage) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_before", "/accept$"))
    silence = stage.tgc.fault(Fault("answer", READING, method="GET", times=0))
    stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=lambda: _silence(silence)))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "do not press again")
    await stage.pass_time(minutes=5)
    stage.world.accept_in_gui(pool_of(stage))
    silence.times = 0
    await stage.answer("alice", "Nothing was done. It was already accepted in the Tintri Global Center.")
    assert outcomes(stage) == [("alice", "accept", "changed")]


@pytest.mark.usefixtures("leases_run_out")
async def test_our_lost_accept_is_known_as_ours_after_somebody_cancelled_it(stage: Stage) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_after", "/accept$"))
    silence = stage.tgc.fault(Fault("answer", READING, method="GET", times=0))
    stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=lambda: _silence(silence)))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "do not press again")
    stage.world.cancel_in_gui(pool_of(stage))
    silence.times = 0
    await stage.answer("alice", "Production: Accepted.")
    await stage.until(lambda: "cancelled" in card.text)


@pytest.mark.parametrize("hours", [3, -3])
async def test_a_tgc_whose_clock_is_wrong_is_still_known_to_have_done_what_we_asked(stage: Stage, hours: int) -> None:
    def tgc_now() -> Any:
        return stage.clock.now() + timedelta(hours=hours)

    stage.world.now = stage.tgc._now = tgc_now
    stage.world.new_recommendation(pool_of(stage))
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_after", "/accept$"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    assert outcomes(stage) == [("alice", "accept", "done")]


@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.usefixtures("leases_run_out")
async def test_whoever_asked_for_what_the_tgc_then_forgets_is_told_that_nobody_can_tell(
    stage: Stage, status: int
) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault("drop_before", "/accept$"))
    gone = stage.tgc.fault(Fault("answer", READING, method="GET", status=status, code="ERR-API-7102", times=0))

    async def forget() -> None:
        gone.times = None
        stage.world.new_recommendation(pool_of(stage))

    stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=forget))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Nobody can tell whether it was accepted")
    assert outcomes(stage) == [("alice", "accept", "never_known")]
    await stage.until(lambda: buttons(card) == [])
    assert claims(stage)[0] == "open"


# Other moves than offered


async def change_moves(stage: Stage) -> None:
    stage.world.change_moves(pool_of(stage))


@pytest.mark.parametrize("is_lost", [False, True])
async def test_other_moves_than_offered_are_said_loudly_once_and_can_be_cancelled(stage: Stage, is_lost: bool) -> None:
    card = await posted(stage)
    hook = partial(change_moves, stage)
    if is_lost:
        stage.tgc.fault(Fault("drop_after", "/accept$"))
        stage.tgc.fault(Fault("hook_after", READING, method="GET", hook=_nothing))
        stage.tgc.fault(Fault("hook_before", READING, method="GET", hook=hook))
    else:
        stage.tgc.fault(Fault("hook_before", "/accept$", hook=hook))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "Production: Accepted.")
    await stage.until(lambda: stage.slack.thread(STORAGE, card.ts))
    await stage.until(lambda: "other moves" in str(card.blocks))
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    await stage.pass_time(minutes=5)
    (warning,) = stage.slack.thread(STORAGE, card.ts)
    assert "other moves" in warning.text

    await stage.slack.person("bob").click(card, ids.CANCEL)
    await stage.answer("bob", "Cancelled")
    assert stage.world.current(pool_of(stage)).state == "CANCELLED"


async def _nothing() -> None: ...


async def test_a_dismissed_recommendation_whose_moves_change_raises_no_alarm(stage: Stage) -> None:
    card = await posted(stage)
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "Reopen" in buttons(card))
    stage.world.change_moves(pool_of(stage))
    await stage.pass_time(minutes=5)
    assert stage.slack.thread(STORAGE, card.ts) == []


# After a crash


@pytest.mark.parametrize("away", [timedelta(0), STILL_WANTED + timedelta(seconds=1), timedelta(hours=1)])
@pytest.mark.usefixtures("no_drain")
async def test_after_a_crash_each_press_is_brought_to_its_end_and_told(tmp_path: Path, away: timedelta) -> None:
    async with pools_posted(tmp_path, 5) as stage:
        unread, done, not_done, dismissed, running = pools = stage.world.pools
        await press_all(stage, "alice", ids.ACCEPT, [running])
        await stage.until(lambda: has_button(stage, running, "Cancel"))
        await stage.stop_bot()
        stage.tgc_timeout_s, stage.lease_life = 30, LEASE_LIFE
        await stage.start_bot()
        hanging = [
            stage.tgc.fault(Fault("hang_before", unread.uuid + READING, method="GET")),
            stage.tgc.fault(Fault("hang_after", f"{done.uuid}.*/accept$")),
            stage.tgc.fault(Fault("hang_before", f"{not_done.uuid}.*/accept$")),
            stage.tgc.fault(Fault("hang_before", f"{dismissed.uuid}.*/acknowledge$")),
            stage.tgc.fault(Fault("hang_before", f"{running.uuid}.*/cancel$")),
        ]
        alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
        for pool in (unread, done, not_done):
            await alice.click(stage.card(pool.name), ids.ACCEPT)
        await bob.click(stage.card(dismissed.name), ids.DISMISS)
        await bob.click(stage.card(running.name), ids.CANCEL)
        await asyncio.gather(*map(reached, hanging))
        await stage.stop_bot()
        assert claims(stage) == ["claimed", "sent", "sent", "sent", "sent"]

        stage.clock.move(away)
        await stage.start_bot()
        await all_told(stage)
        late = away > STILL_WANTED
        assert [answers(stage, "accept")[pool.name][0] for pool in (unread, done, not_done)] == [
            "not_done" if late else "done",
            "done",
            "not_done",
        ]
        assert ("I was away when you pressed Accept" in answers(stage, "accept")[unread.name][1]) is late
        assert answers(stage, "dismiss")[dismissed.name][0] == "done"
        assert answers(stage, "cancel")[running.name][0] == "not_done"
        assert len(told(stage, "alice")) == 4
        assert len(told(stage, "bob")) == 2
        assert claims(stage) == ["open" if late else "accepted", "accepted", "open", "open", "accepted"]
        assert [len(asked_of(stage, pool, "accept")) for pool in pools] == [0 if late else 1, 1, 1, 0, 1]
        assert len(asked(stage, "acknowledge")) == len(asked(stage, "cancel")) == 1
        wanted = ["Accept" if late else "Cancel", "Cancel", "Accept", "Reopen", "Cancel"]
        await stage.until(
            lambda: all(has_button(stage, pool, label) for pool, label in zip(pools, wanted, strict=True))
        )


@pytest.mark.usefixtures("leases_run_out", "no_drain")
async def test_after_a_crash_before_the_request_the_person_must_still_be_allowed(stage: Stage) -> None:
    card = await posted(stage)
    reading = stage.tgc.fault(Fault("hang_before", READING, method="GET"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await reached(reading)
    await stage.stop_bot()
    stage.set(reco_approvers=Approvers(user_ids=frozenset({stage.slack.person("bob").user.id})))
    await stage.start_bot()
    await stage.answer("alice", "You are not an approver")
    assert claims(stage) == ["open"]
    assert not asked(stage, "accept")


@pytest.mark.usefixtures("leases_run_out", "no_drain")
async def test_after_a_crash_while_telling_the_kept_answer_is_told_and_nothing_decided_again(stage: Stage) -> None:
    card = await posted(stage)
    stage.slack.faults.hang("response_url")
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: stage.slack.calls_of("response_url"))
    await stage.stop_bot()
    assert told(stage, "alice") == []
    stage.slack.person("alice").user.is_away = True
    await stage.start_bot()
    await stage.until(lambda: stage.slack.direct("alice"))
    assert told(stage, "alice") == ["Production: Accepted. The card shows how it goes."]
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert len(asked(stage, "accept")) == 1


# Taken over: a process that slept through its lease finds out before it does anything


@pytest.fixture
def end_renewals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on no lease is renewed, as where the process sleeps or the database is away."""
    if request.config.getoption("database") == "postgresql":
        pytest.skip("a server tells the time of leases by itself, and no test moves it")
    return lambda: monkeypatch.setattr("bot.storage.leases._RENEWALS_PER_LEASE", 0.001)


@pytest.mark.usefixtures("leases_run_out")
async def test_whoever_lost_the_press_while_it_checks_the_person_claims_nothing(
    stage: Stage, end_renewals: Callable[[], None]
) -> None:
    card = await posted(stage)
    end_renewals()
    first, second = Gate(), Gate()
    stage.slack.faults.hook("users.info", before=first.pass_through)
    stage.slack.faults.hook("users.info", before=second.pass_through)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(first.reached.is_set)
    await stage.pass_time(seconds=25)
    await stage.until(second.reached.is_set)  # the press is taken over, and its new holder checks the person, too
    first.opened.set()
    await stage.settle()
    assert claims(stage) == ["open"]
    second.opened.set()
    await stage.answer("alice", "Production: Accepted.")
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert len(asked(stage, "accept")) == 1
    assert len(told(stage, "alice")) == 1


@pytest.mark.usefixtures("leases_run_out")
async def test_whoever_lost_the_press_while_it_reads_sends_nothing(
    stage: Stage, end_renewals: Callable[[], None]
) -> None:
    card = await posted(stage)
    end_renewals()
    first = stage.tgc.fault(Fault("hang_before", READING, method="GET"))
    second = stage.tgc.fault(Fault("hang_before", READING, method="GET"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await reached(first)
    await stage.pass_time(seconds=25)
    await reached(second)  # the press is taken over, and its new holder reads, too
    first.release()
    await stage.settle()
    assert not asked(stage, "accept")
    second.release()
    await stage.answer("alice", "Production: Accepted.")
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert len(asked(stage, "accept")) == 1
    assert len(told(stage, "alice")) == 1


@pytest.mark.usefixtures("leases_run_out")
async def test_whoever_lost_the_press_while_it_asks_leaves_the_answer_to_the_new_holder(
    stage: Stage, end_renewals: Callable[[], None]
) -> None:
    card = await posted(stage)
    end_renewals()
    hanging = stage.tgc.fault(Fault("hang_after", "/accept$"))
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await reached(hanging)
    await stage.pass_time(seconds=25)
    await stage.answer("alice", "Production: Accepted.")
    hanging.release()
    await stage.settle()
    assert outcomes(stage) == [("alice", "accept", "done")]
    assert len(asked(stage, "accept")) == 1
    assert len(told(stage, "alice")) == 1


class Gate:
    """Holds a request back until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def pass_through(self, _arguments: dict[str, Any]) -> None:
        self.reached.set()
        await self.opened.wait()


# Telling


@pytest.mark.usefixtures("leases_run_out")
async def test_an_answer_that_slack_does_not_take_now_is_told_later(stage: Stage) -> None:
    card = await posted(stage)
    stage.slack.faults.fail("response_url", status=500, times=None)
    posts = len(stage.slack.calls_of("chat.postMessage"))
    stage.slack.faults.drop_before("chat.postMessage", times=None)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: len(stage.slack.calls_of("chat.postMessage")) > posts)
    await stage.pass_time(minutes=1)
    assert told(stage, "alice") == []
    assert untold(stage) == 1
    stage.slack.faults.clear()
    await stage.answer("alice", "Production: Accepted.")
    await all_told(stage)
    await stage.pass_time(minutes=1)
    assert len(told(stage, "alice")) == 1
    assert outcomes(stage) == [("alice", "accept", "done")]


async def test_where_nobody_takes_direct_messages_the_channel_shows_the_answer_to_the_presser(stage: Stage) -> None:
    card = await posted(stage)
    stage.slack.workspace.messages_tab_enabled = False
    stage.slack.faults.fail("response_url", status=500, times=None)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: stage.slack.ephemerals("alice"))
    await all_told(stage)
    assert told(stage, "alice") == ["Production: Accepted. The card shows how it goes."]


async def test_whoever_pressed_where_the_bot_may_not_write_gets_a_direct_message(stage: Stage) -> None:
    await posted(stage)
    alice = stage.slack.person("alice")
    await alice.command("/tintri reco prod", channel="general")
    shown = await stage.answer("alice", "Production: 4 VMs to move")
    stage.slack.faults.fail("response_url", status=404, times=None)
    await alice.click(shown, ids.ACCEPT)
    await stage.until(lambda: stage.slack.direct("alice"))
    assert [message.text for message in stage.slack.direct("alice")] == [
        "Production: Accepted. The card shows how it goes."
    ]
    await all_told(stage)
