"""Policies: what one matches is accepted without a press, once, in its window, and nothing else is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from structlog.testing import capture_logs

from bot.config_file import Config, PoolConfig
from bot.policies import Policy
from bot.pool_rules import SecondApprover, TicketRule
from bot.rendering import ids
from bot.windows import parse_windows
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.records import claims, outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, free_port, open_stage
from tests.scenarios.test_command_line import run
from tests.scenarios.test_lost_database import lose_database
from tests.scenarios.test_planning import planned
from tests.scenarios.test_shaping import leave_out, leave_out_form
from tgc.models import IssueType

pytestmark = pytest.mark.extended

ANY_ISSUE = frozenset({IssueType.SPACE, IssueType.IOPS, IssueType.FLASH})
NIGHTS = Policy(
    name="nights",
    pools=("Prod*",),
    issue_types=ANY_ISSUE,
    max_moves=4,
    windows=parse_windows(["mon-sun 00:00-24:00"]),
    dry_run=False,
)
LATER = parse_windows(["tue 07:00-09:00"])


def config(*policies: Policy, **pool: Any) -> Config:
    return Config(file="tintri-bot.toml", policies=policies, pools=(("Prod*", PoolConfig(**pool)),))


def but(**changes: Any) -> Policy:
    return msgspec.structs.replace(NIGHTS, **changes)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production. It is Tuesday, 06:15:30, and the recommendation, without loss, expires at 18:15."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
        opened.world.move_minutes = 600
        lossless(opened)
        opened.set(config=config(NIGHTS))
        yield opened
        assert accepts(opened) <= 1


def lossless(stage: Stage) -> None:
    """Have the TGC recommend what takes replication from nobody."""
    for outcome in stage.world.current(stage.world.pools[0]).outcomes:
        outcome.pop("protectionInfo", None)


async def posted(stage: Stage) -> Message:
    await stage.start_bot()
    return (await stage.cards_posted(1))[0]


def accepts(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/accept"))


def thread(stage: Stage, card: Message) -> list[str]:
    return [message.text for message in stage.slack.channel(STORAGE).replies(card.ts)]


async def said_in_thread(stage: Stage, card: Message, words: str) -> str:
    return await stage.until(lambda: next((said for said in thread(stage, card) if words in said), None))


async def test_what_it_matches_is_accepted_once_announced_and_audited_and_cancel_stops_it(stage: Stage) -> None:
    card = await posted(stage)
    told = await said_in_thread(stage, card, "Production: Accepted")
    assert told.startswith("policy nights was to accept this ")
    assert told.endswith("Accepted, without anybody pressing. Cancel on the card stops what has not begun to move.")
    await stage.until(lambda: "Accepted by policy nights" in card.text)
    assert outcomes(stage) == [("policy:nights", "plan", "done"), ("policy:nights", "accept", "done")]
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 1
    assert len(thread(stage, card)) == 1
    assert "policy:nights" not in {call.arguments.get("channel") for call in stage.slack.calls}

    await stage.slack.person("bob").click(card, ids.CANCEL)
    await stage.answer("bob", "Production: Cancelled.")
    assert outcomes(stage)[-1] == ("bob", "cancel", "done")
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 1


async def test_before_its_window_the_card_says_when_and_anybody_who_may_can_stop_it(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    assert "2026-03-10 07:00 UTC" in card.text
    assert buttons(card) == ["Accept", "Dismiss", "Cancel the plan", "Details"]
    assert "unless somebody dismisses it" in await said_in_thread(
        stage, card, "policy nights accepts this for Production"
    )
    edits = sum(call.method == "chat.update" for call in stage.slack.calls)
    await stage.pass_time(minutes=10)
    assert sum(call.method == "chat.update" for call in stage.slack.calls) == edits
    await stage.slack.person("bob").click(card, ids.CANCEL_PLAN)
    await said_in_thread(stage, card, "<@U0BOB0000> cancelled the plan of policy nights")
    await stage.jump(hours=1)
    assert accepts(stage) == 0
    assert outcomes(stage)[1:] == [("bob", "cancel_plan", "done")]


async def test_it_is_accepted_when_the_window_opens_by_one_of_two_replicas(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER, zone=ZoneInfo("Europe/Berlin"))))
    await stage.start_bot()
    stage.set(port=free_port())
    card = await posted(stage)
    await said_in_thread(stage, card, "Production: Accepted")  # 07:00 in Berlin is a quarter past 6 here
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 1
    assert outcomes(stage) == [("policy:nights", "plan", "done"), ("policy:nights", "accept", "done")]


async def test_a_dry_run_says_so_once_and_sends_nothing(stage: Stage) -> None:
    few = but(name="few", max_moves=3, dry_run=True)
    stage.set(config=config(but(dry_run=True), few))
    card = await posted(stage)
    assert await said_in_thread(stage, card, "policy nights") == (
        "policy nights is a dry run, and would accept this now. Nothing was sent."
    )
    assert await said_in_thread(stage, card, "policy few") == (
        "policy few is a dry run, and would not accept this, because 4 VMs move, and it takes 3 at most."
    )
    with capture_logs() as logs:
        await stage.pass_time(minutes=3)
    assert [log for log in logs if log["log_level"] == "error"] == []
    assert len(thread(stage, card)) == 2
    assert buttons(card) == ["Accept", "Dismiss", "Details"]
    assert accepts(stage) == 0
    assert outcomes(stage) == [("policy:nights", "accept", "dry_run"), ("policy:few", "accept", "dry_run")]


async def test_it_is_the_first_of_two_and_never_the_second(stage: Stage) -> None:
    stage.set(config=config(NIGHTS, but(name="others"), second_approver=SecondApprover(always=True)))
    card = await posted(stage)
    told = await said_in_thread(stage, card, "was to accept this")
    assert "A policy, which counts as the first of two only, accepted it as the first." in told
    await stage.until(lambda: "policy nights accepted this" in card.text)
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 0
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: "Accepted by policy nights and <@U0ALICE00>" in card.text)
    assert outcomes(stage)[1:] == [("policy:nights", "accept", "accepted_first"), ("alice", "accept", "done")]


async def test_where_a_person_was_first_no_policy_is_the_second(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER), second_approver=SecondApprover(always=True)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "You accepted it as the first")
    await stage.jump(hours=1)
    assert "a policy is never the second of two" in await said_in_thread(stage, card, "was to accept this")
    assert accepts(stage) == 0
    assert outcomes(stage)[-1] == ("policy:nights", "accept", "second_needed")


async def test_the_command_line_is_no_second_where_a_policy_was_first(stage: Stage) -> None:
    stage.set(config=config(NIGHTS, second_approver=SecondApprover(always=True)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepted this" in card.text)
    ran = await run(stage)
    assert not ran.all_well
    assert "A policy was the first, and the command line, which may run by itself, is no second." in ran.out
    assert accepts(stage) == 0


async def test_a_policy_that_is_taken_out_of_the_file_does_not_count_as_the_first_any_more(stage: Stage) -> None:
    two = SecondApprover(always=True)
    stage.set(config=config(NIGHTS, second_approver=two))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepted this" in card.text)
    stage.set(config=config(but(dry_run=True), second_approver=two))
    await stage.restart_bot()
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.answer("alice", "You accepted it as the first")
    assert accepts(stage) == 0


async def test_a_pool_that_asks_for_a_ticket_is_left_to_people(stage: Stage) -> None:
    stage.set(config=config(NIGHTS, ticket=TicketRule()))
    card = await posted(stage)
    assert "the pool asks for a ticket" in await said_in_thread(stage, card, "policy nights does not accept this")
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 0
    assert outcomes(stage) == [("policy:nights", "accept", "ticket_needed")]


async def test_a_pause_holds_it_back_until_the_window_closes(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    await stage.slack.person("bob").command("/tintri pause Production")
    await stage.answer("bob", "Accepting is paused")
    await stage.jump(hours=2)
    assert accepts(stage) == 0
    await stage.slack.person("bob").command("/tintri resume Production")
    await said_in_thread(stage, card, "Production: Accepted")  # more than an hour late, and within the window
    assert accepts(stage) == 1


async def test_while_it_is_paused_nothing_is_planned(stage: Stage) -> None:
    stage.set(config=config())
    card = await posted(stage)
    await stage.slack.person("bob").command("/tintri pause Production 1")
    await stage.answer("bob", "Accepting is paused")
    stage.set(config=config(NIGHTS))
    await stage.restart_bot()
    await stage.pass_time(minutes=3)
    assert thread(stage, card) == []
    assert accepts(stage) == 0
    await stage.jump(hours=1)
    await said_in_thread(stage, card, "Production: Accepted")


async def test_what_somebody_dismissed_is_left_alone_also_when_it_is_reopened(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    await stage.slack.person("alice").click(card, ids.DISMISS)
    await said_in_thread(stage, card, "The plan of policy nights")
    await stage.until(lambda: "Reopen" in buttons(card))
    await stage.slack.person("alice").click(card, ids.REOPEN)
    await stage.until(lambda: "Accept" in buttons(card))
    shown = str(card.blocks)
    stage.world.change_moves(stage.world.pools[0])
    lossless(stage)
    await stage.until(lambda: str(card.blocks) != shown)
    await stage.jump(hours=1)
    assert accepts(stage) == 0
    assert outcomes(stage) == [
        ("policy:nights", "plan", "done"),
        ("alice", "dismiss", "done"),
        ("alice", "reopen", "done"),
    ]


async def test_what_somebody_planned_is_left_to_that_plan(stage: Stage) -> None:
    stage.set(config=config())
    card, _ = await planned(stage)
    await stage.slack.person("bob").command("/tintri pause Production 2")
    await stage.answer("bob", "Accepting is paused")
    stage.set(config=config(NIGHTS))
    await stage.restart_bot()
    await stage.jump(hours=1, minutes=45)
    await said_in_thread(stage, card, "so its time went by")
    await stage.jump(hours=1)
    assert accepts(stage) == 0
    assert [who for who, _, _ in outcomes(stage)] == ["alice", "bob", "alice"]


async def test_moves_that_changed_are_judged_anew(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    stage.world.change_moves(stage.world.pools[0])
    await said_in_thread(stage, card, "its moves have changed")
    lossless(stage)
    await stage.jump(hours=1)
    await said_in_thread(stage, card, "Production: Accepted")
    assert accepts(stage) == 1


async def test_what_is_not_as_it_was_judged_is_refused_and_not_tried_again(stage: Stage) -> None:
    """It changes between the last reading and the one that the decision protocol makes."""
    stage.set(config=config(but(windows=LATER)), reco_refresh_seconds=86_400)
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    for outcome in stage.world.current(stage.world.pools[0]).outcomes:
        outcome["protectionInfo"] = {"vmTintriUuids": [], "summary": "VMs would lose replication"}
    await stage.jump(minutes=50)
    told = await said_in_thread(stage, card, "was to accept this")
    assert "does not allow it, because VMs would lose replication" in told
    assert told.endswith("The policy does not try it again.")
    await stage.pass_time(minutes=3)
    assert accepts(stage) == 0
    assert outcomes(stage)[1:] == [("policy:nights", "accept", "not_allowed")]


async def test_a_policy_that_is_gone_accepts_nothing_that_it_planned(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    stage.set(config=config())
    await stage.restart_bot()
    assert "has no policy nights any more" in await said_in_thread(stage, card, "is over")
    await stage.until(lambda: "accepts it" not in card.text)
    await stage.jump(hours=1)
    assert accepts(stage) == 0


async def test_a_bot_that_dies_in_between_goes_on_when_it_is_back(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    await stage.settle()
    hang = stage.tgc.fault(Fault("hang_before", "/recommendation/", times=None))
    stage.clock.move(timedelta(minutes=45))
    await stage.until(lambda: claims(stage) == ["claimed"])
    await stage.until(hang.reached.is_set)
    await stage.stop_bot()
    stage.tgc.clear_faults()
    await stage.start_bot()
    await said_in_thread(stage, card, "Production: Accepted")
    assert accepts(stage) == 1
    assert outcomes(stage) == [("policy:nights", "plan", "done"), ("policy:nights", "accept", "done")]


async def test_somebody_who_asks_is_told_what_each_policy_makes_of_it(stage: Stage) -> None:
    lab, few = but(name="lab", pools=("Lab",)), but(name="few", max_moves=3)
    stage.set(config=config(few, lab, but(windows=LATER), but(name="late", windows=LATER, dry_run=True)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    await stage.slack.person("carol").command("/tintri policy prod")
    said = (await stage.answer("carol", "Production")).text.splitlines()
    assert said[:3] == [
        "Production",
        "few: does not match, because 4 VMs move, and it takes 3 at most.",
        "lab: does not match, because it is for other pools.",
    ]
    assert said[3].startswith("nights: matches, and accepts this <!date^")
    assert said[4].startswith("late (dry run): matches, and would accept this <!date^")


async def test_what_somebody_has_changed_is_left_alone_also_where_the_tgc_still_shows_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.until(lambda: "policy nights accepts it" in card.text)
    view = await leave_out_form(stage, card)
    monkeypatch.setattr(World, "update", lambda *_arguments, **_options: None)  # taken, and not to be seen yet
    await leave_out(stage, view, 0)
    assert "decided on it, so policies leave it alone" in await said_in_thread(stage, card, "Somebody")
    await stage.jump(hours=1)
    await stage.pass_time(minutes=2)
    assert accepts(stage) == 0


async def test_what_a_lost_database_may_have_known_as_dismissed_is_left_alone(stage: Stage) -> None:
    stage.set(config=config(but(windows=LATER)))
    card = await posted(stage)
    await stage.slack.person("alice").click(card, ids.DISMISS)
    await stage.until(lambda: "dismissed" in card.text)
    await stage.stop_bot()
    lose_database(stage)
    await stage.start_bot()
    await stage.jump(hours=1)
    await stage.pass_time(minutes=2)
    assert accepts(stage) == 0
    await stage.slack.person("alice").command("/tintri policy Production")
    await stage.answer("alice", "Its card comes from another database")


async def test_policies_that_a_reload_brings_are_looked_at_at_once(stage: Stage) -> None:
    stage.set(config=Config())
    await posted(stage)
    await stage.live(seconds=10)
    stage.set(config=config(but(windows=LATER)))
    since = stage.clock.now()
    await stage.reload()
    await stage.until(lambda: outcomes(stage))
    assert stage.clock.now() - since < timedelta(seconds=30)
