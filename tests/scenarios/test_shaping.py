"""Shaping a recommendation before it is accepted: what the TGC made of it is read again, and shown."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rendering import ids, numbers
from playground.estate import Recommendation
from playground.slack_workspace import Message, View
from playground.tgc_faults import Fault, FaultKind
from tests.scenarios.records import claims, outcomes
from tests.scenarios.stage import STORAGE, Stage, buttons, open_stage
from tests.scenarios.test_planning import details, planned, posted, result
from tests.scenarios.test_two_people import ALWAYS

pytestmark = pytest.mark.extended


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production; alice and bob may act. It is 06:15:30, and the recommendation expires at 18:15."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
        yield opened
        opened.slack.faults.clear()


def now(stage: Stage) -> Recommendation:
    return stage.world.current(stage.world.pools[0])


def updates(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.method == "PUT")


async def form(stage: Stage, who: str, card: Message, button: str, callback_id: str) -> View:
    modal = await details(stage, who, card)
    await stage.slack.person(who).click(modal, button)
    await stage.until(lambda: modal.content.get("callback_id") == callback_id)
    return modal


async def leave_out_form(stage: Stage, card: Message, who: str = "alice") -> View:
    return await form(stage, who, card, ids.LEAVE_OUT, ids.LEAVE_OUT_VIEW)


def options(view: View, action_id: str) -> dict[str, str]:
    """The values of a field's options, by what they show."""
    element = next(block["element"] for block in view.blocks if block.get("block_id") == action_id)
    return {option["text"]["text"]: option["value"] for option in element["options"]}


async def leave_out(stage: Stage, view: View, *numbers: int, who: str = "alice") -> str:
    """Leave out the VMs at these places of the list; what the modal says of it."""
    values = list(options(view, ids.LEAVE_OUT_VMS).values())
    await stage.slack.person(who).submit(view, {ids.LEAVE_OUT_VMS: [values[number] for number in numbers]})
    assert "One moment" in str(view.blocks)
    return await result(stage, view)


# ---------------------------------------------------------------- VMs left out this time


async def test_vms_are_left_out_this_time_and_the_new_outcomes_shown(stage: Stage) -> None:
    card = await posted(stage)
    first, second, third, _ = (move.vm for move in now(stage).moves)
    now(stage).not_now = [third.uuid]  # somebody set it in the TGC's own pages
    await stage.pass_time(minutes=3)
    before = now(stage).outcomes
    view = await leave_out_form(stage, card)
    assert next(iter(options(view, ids.LEAVE_OUT_VMS))).startswith(f"{first.name} · vmstore01 → ")

    shown = await leave_out(stage, view, 0, 1)
    assert f"Production: {first.name}, {second.name} are left out this time." in shown
    assert "The TGC now shows 1 VM to move" in shown
    assert now(stage).not_now == [third.uuid, first.uuid, second.uuid]
    assert now(stage).keep_current
    assert updates(stage) == 1
    assert now(stage).outcomes != before
    freed = -min(outcome["spaceInfo"]["spaceChangedPhysicalGiB"] for outcome in now(stage).outcomes)
    assert f"{numbers.gib(freed)} freed" in shown.replace("\\xa0", "\xa0")
    await stage.until(lambda: card.text.startswith("Production: 1 VM to move"))
    await stage.until(lambda: "left VMs out of this" in str(card.blocks))
    assert outcomes(stage) == [("alice", "leave_out", "done")]
    assert stage.place.rows("SELECT typed FROM decisions") == [[f"not this time: {first.name}, {second.name}"]]
    assert claims(stage) == ["open"]


async def test_only_approvers_get_the_form_and_may_send_it(stage: Stage) -> None:
    card = await posted(stage)
    modal = await details(stage, "carol", card)
    await stage.slack.person("carol").click(modal, ids.LEAVE_OUT)
    await stage.until(lambda: "You are not an approver of this pool" in str(modal.blocks))

    view = await leave_out_form(stage, card)
    stage.slack.person("alice").user.deleted = True
    await stage.pass_time(seconds=61)
    assert "This bot answers only people with an active account." in await leave_out(stage, view, 0)
    assert updates(stage) == 0
    assert outcomes(stage) == [("carol", "leave_out", "not_allowed"), ("alice", "leave_out", "not_allowed")]


async def test_a_pause_holds_it_back(stage: Stage) -> None:
    card = await posted(stage)
    view = await leave_out_form(stage, card)
    await stage.slack.person("bob").command("/tintri pause Production")
    await stage.answer("bob", "paused")
    assert "Accepting is paused" in await leave_out(stage, view, 0)
    assert updates(stage) == 0
    assert ids.LEAVE_OUT not in str((await details(stage, "alice", card)).blocks)


async def test_other_moves_than_those_of_the_form_change_nothing(stage: Stage) -> None:
    card = await posted(stage)
    view = await leave_out_form(stage, card)
    stage.world.change_moves(stage.world.pools[0])
    assert "Its moves are not the ones you saw." in await leave_out(stage, view, 0)
    view = await leave_out_form(stage, card)
    await stage.slack.person("alice").close(view)
    assert updates(stage) == 0
    assert outcomes(stage) == [("alice", "leave_out", "changed")]


@pytest.mark.parametrize(
    ("kind", "said"), [("drop_after", "left out this time"), ("drop_before", "It is still as it was.")]
)
async def test_an_answer_that_is_lost_is_looked_for_and_nothing_sent_again(
    stage: Stage, kind: FaultKind, said: str
) -> None:
    card = await posted(stage)
    view = await leave_out_form(stage, card)
    stage.tgc.fault(Fault(kind, method="PUT"))
    assert said in await leave_out(stage, view, 0)
    assert updates(stage) == 1
    assert bool(now(stage).not_now) == (kind == "drop_after")


async def test_what_rested_on_the_old_moves_is_over(stage: Stage) -> None:
    stage.set(config=ALWAYS)
    card, _ = await planned(stage)
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "You accepted it as the first.")
    view = await leave_out_form(stage, card)
    assert ids.PLAN not in str(view.blocks)
    assert "is left out this time." in await leave_out(stage, view, 0)
    await stage.until(lambda: "Two people must accept this" in card.text)
    await stage.jump(minutes=40)
    assert not any(call.path.endswith("/accept") for call in stage.tgc.calls)
    assert any("is over, because its moves have changed" in said for said in replies(stage, card))


async def test_without_any_vm_left_the_card_says_what_the_tgc_made_of_it(stage: Stage) -> None:
    card = await posted(stage)
    shown = await leave_out(stage, await leave_out_form(stage, card), 0, 1, 2, 3)
    assert "The TGC took the change. The Tintri Global Center has replaced or withdrawn it." in shown
    await stage.until(lambda: "no longer valid" in card.text)
    assert outcomes(stage) == [("alice", "leave_out", "done")]


async def test_killed_after_it_was_sent_it_is_not_sent_again(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    card = await posted(stage)
    view = await leave_out_form(stage, card)
    hanging = stage.tgc.fault(Fault("hang_after", method="PUT"))
    values = list(options(view, ids.LEAVE_OUT_VMS).values())
    await stage.slack.person("alice").submit(view, {ids.LEAVE_OUT_VMS: values[:1]})
    await stage.until(hanging.reached.is_set)
    await stage.stop_bot()
    stage.tgc.clear_faults()
    await stage.start_bot()
    await stage.jump(seconds=30)
    await stage.answer("alice", "is left out this time")
    assert updates(stage) == 1


# ---------------------------------------------------------------- issues


async def issues_form(stage: Stage, card: Message) -> View:
    return await form(stage, "alice", card, ids.CHOOSE_ISSUES, ids.ISSUES_VIEW)


def fields(view: View) -> dict[str, str]:
    """The action ids of the checkboxes, by the VMstores that label them."""
    return {block["label"]["text"]: block["block_id"] for block in view.blocks if block["type"] == "input"}


def replies(stage: Stage, card: Message) -> list[str]:
    return [reply.text for reply in stage.slack.channel(STORAGE).replies(card.ts)]


async def choose(stage: Stage, view: View, chosen: dict[str, list[str]]) -> str:
    """Tick these issues, by VMstore, and no others; what the modal says of it."""
    ticked = {action_id: chosen.get(vm_store, []) for vm_store, action_id in fields(view).items()}
    await stage.slack.person("alice").submit(view, ticked)
    return await result(stage, view)


async def test_another_recommendation_is_built_for_the_issues_chosen(stage: Stage) -> None:
    card = await posted(stage)
    now(stage).issues[1]["flashInfo"]["isDisabled"] = True
    await stage.pass_time(minutes=3)
    view = await issues_form(stage, card)
    assert list(fields(view)) == ["vmstore01"]
    assert "vmstore02: flash cannot be chosen, the TGC has disabled it." in str(view.blocks)
    (element,) = (block["element"] for block in view.blocks if block["type"] == "input")
    assert [option["value"] for option in element["initial_options"]] == ["SPACE", "IOPS"]

    asked_at = int(stage.clock.now().timestamp())
    assert "The TGC builds another recommendation" in await choose(stage, view, {"vmstore01": ["IOPS"]})
    await stage.until(lambda: "Production: replaced by a new recommendation, asked for by <@U0ALICE00>" in card.text)
    assert "Accept" not in buttons(card)
    assert stage.world.current(stage.world.pools[0]).state == "REFRESH"
    assert outcomes(stage) == [("alice", "choose_issues", "done")]

    (_, new) = await stage.cards_posted(2)
    assert stage.clock.now().timestamp() - asked_at < 3 * 60 + 20
    assert now(stage).issues[0]["spaceInfo"]["isSelected"] is False
    assert buttons(new) == ["Accept", "Dismiss", "Details"]
    await stage.live(minutes=8)
    assert len(stage.cards) == 2
    assert replies(stage, card) == []
    assert updates(stage) == 1


async def test_it_takes_long_and_that_is_said_once_over_a_restart(stage: Stage) -> None:
    card = await posted(stage)
    stage.world.rebuild_minutes = 9
    await choose(stage, await issues_form(stage, card), {"vmstore01": ["SPACE"]})
    await stage.live(minutes=4)
    assert replies(stage, card) == []
    await stage.restart_bot()
    await stage.live(minutes=2)
    (late,) = replies(stage, card)
    assert "The new recommendation that <@U0ALICE00> asked for" in late
    assert "is still being built." in late
    await stage.restart_bot()
    await stage.cards_posted(2)
    assert len(replies(stage, card)) == 1


async def test_where_none_is_built_the_thread_says_why(stage: Stage) -> None:
    card = await posted(stage)
    await choose(stage, await issues_form(stage, card), {"vmstore01": ["SPACE"]})
    stage.world.unavailable(stage.world.pools[0], "UNAVAILABLE_POOL_RESOURCES_EXHAUSTED")
    said = await stage.until(lambda: replies(stage, card))
    assert "and got none: no move would help, the whole pool is short of resources." in said[0]
    await stage.live(minutes=7)
    assert len(replies(stage, card)) == 1


async def test_nothing_ticked_is_answered_at_the_form_and_nothing_new_is_not_asked_for(stage: Stage) -> None:
    card = await posted(stage)
    view = await issues_form(stage, card)
    await stage.slack.person("alice").submit(view, {action_id: [] for action_id in fields(view).values()})
    assert list(view.errors) == [fields(view)["vmstore01"]]
    assert "These are the issues that it solves already." in await choose(
        stage, view, {"vmstore01": ["SPACE", "IOPS"], "vmstore02": ["FLASH"]}
    )
    assert updates(stage) == 0
    assert outcomes(stage) == [("alice", "choose_issues", "not_done")]


async def test_a_plan_of_the_replaced_one_is_over(stage: Stage) -> None:
    card, _ = await planned(stage)
    await choose(stage, await issues_form(stage, card), {"vmstore01": ["SPACE"]})
    await stage.until(lambda: any("had another one built." in said for said in replies(stage, card)))
    await stage.cards_posted(2)


async def test_whoever_accepts_at_the_same_time_and_is_second_is_told(stage: Stage) -> None:
    card = await posted(stage)
    view = await issues_form(stage, card)
    asked = stage.tgc.fault(Fault("hang_after", "/issues$"))
    ticked = {fields(view)["vmstore01"]: ["SPACE"], fields(view)["vmstore02"]: []}
    await stage.slack.person("alice").submit(view, ticked)
    await stage.until(asked.reached.is_set)
    await stage.slack.person("bob").click(card, ids.ACCEPT)
    await stage.answer("bob", "Nothing was done. alice is changing it right now.")
    stage.tgc.clear_faults()
    await stage.until(lambda: "replaced by a new recommendation" in card.text)
    assert not any(call.path.endswith("/accept") for call in stage.tgc.calls)


@pytest.mark.parametrize(
    ("kind", "said"), [("drop_after", "builds another"), ("drop_before", "It is still as it was.")]
)
async def test_a_choice_whose_answer_is_lost_is_looked_for(stage: Stage, kind: FaultKind, said: str) -> None:
    card = await posted(stage)
    stage.tgc.fault(Fault(kind, "/issues$"))
    assert said in await choose(stage, await issues_form(stage, card), {"vmstore01": ["SPACE"]})
    assert updates(stage) == 1


# ---------------------------------------------------------------- permanent rules


async def rule_form(stage: Stage, card: Message) -> View:
    return await form(stage, "alice", card, ids.SET_RULE, ids.RULE_VIEW)


async def set_rule(stage: Stage, view: View, numbers: list[int], vm_stores: list[str] | None = None) -> str:
    """Set a rule for the VMs at these places: never to move, or not to these VMstores."""
    vms = list(options(view, ids.RULE_VMS).values())
    values = options(view, ids.RULE_VM_STORES)
    filled = {
        ids.RULE_VMS: [vms[number] for number in numbers],
        ids.RULE_TYPE: "NEVER" if vm_stores is None else "EXCLUDE_DATASTORES",
        ids.RULE_VM_STORES: [values[one] for one in vm_stores or ()],
    }
    await stage.slack.person("alice").submit(view, filled)
    return await result(stage, view)


async def rules(stage: Stage, who: str = "alice", typed: str = "") -> Message:
    before = len(stage.slack.ephemerals(who))
    await stage.slack.person(who).command(f"/tintri rules {typed}".strip())
    await stage.until(lambda: len(stage.slack.ephemerals(who)) > before)
    return stage.slack.ephemerals(who)[-1]


async def clear(stage: Stage, who: str, shown: Message) -> str:
    """Press the first Clear; what is said then."""
    value = next(
        element["value"]
        for block in shown.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == ids.CLEAR_RULE
    )
    before = shown.text
    await stage.slack.person(who).click(shown, ids.CLEAR_RULE, value)
    await stage.until(lambda: stage.slack.ephemerals(who)[-1].text != before)
    return stage.slack.ephemerals(who)[-1].text


async def test_rules_are_set_listed_and_cleared(stage: Stage) -> None:
    card = await posted(stage)
    first, second, third, _ = (move.vm for move in now(stage).moves)
    shown = await set_rule(stage, await rule_form(stage, card), [0, 1])
    assert f"Production: Now never to move: {first.name}, {second.name}. The TGC now shows 2 VMs to move." in shown
    assert [vm.rule.rule_type if vm.rule else None for vm in (first, second, third)] == ["NEVER", "NEVER", None]
    await stage.until(lambda: card.text.startswith("Production: 2 VMs to move"))
    away = now(stage).moves[0].destination
    shown = await set_rule(stage, await rule_form(stage, card), [0], [away.name])
    assert f"Now never to move to {away.name}: " in shown
    assert updates(stage) == 3

    listed = await rules(stage, "carol", "prod")
    assert listed.text.startswith("3 VMs have a rule that was set here in “prod”.")
    assert f"{first.name} in Production: never to move · set by <@U0ALICE00>" in listed.text
    assert f": never to move to {away.name} · set by" in listed.text
    assert "does not tell which rules hold" in str(listed.blocks)
    assert "You are not an approver" in await clear(stage, "carol", listed)
    assert sum(1 for vm in stage.world.vms.values() if vm.rule) == 3

    said = await clear(stage, "bob", await rules(stage, "bob"))
    assert "The rule is cleared. The next analysis may plan this VM again." in said
    assert sum(1 for vm in stage.world.vms.values() if vm.rule) == 2
    assert (await rules(stage, "carol")).text.startswith("2 VMs have a rule")
    assert (await rules(stage, "carol", "Lab")).text.startswith("No VM in “Lab” has a rule")
    assert outcomes(stage) == [
        ("alice", "set_rule", "done"),
        ("alice", "set_rule", "done"),
        ("carol", "clear_rule", "not_allowed"),
        ("bob", "clear_rule", "done"),
    ]


async def test_a_rule_whose_answer_is_lost_is_told_as_such_and_not_asked_for_again(stage: Stage) -> None:
    card = await posted(stage)
    first, second, third, _ = (move.vm for move in now(stage).moves)
    passed = stage.tgc.fault(Fault("latency", "/affinity$"))
    stage.tgc.fault(Fault("drop_after", "/affinity$"))
    shown = await set_rule(stage, await rule_form(stage, card), [0, 1, 2])
    assert passed.reached.is_set()
    assert f"Now never to move: {first.name}." in shown
    assert f"answer was lost for {second.name}: the rule may hold or not." in shown
    assert f"Nothing was done for {third.name}" in shown
    assert updates(stage) == 2
    assert outcomes(stage) == [("alice", "set_rule", "never_known")]
    listed = await rules(stage)
    assert f"{second.name} in Production: never to move · asked for by <@U0ALICE00>" in listed.text
    assert "the TGC's answer was lost: it may not hold." in listed.text


async def test_killed_between_two_rules_the_rest_is_not_asked_for(stage: Stage) -> None:
    stage.lease_life = timedelta(seconds=20)
    card = await posted(stage)
    view = await rule_form(stage, card)
    hanging = stage.tgc.fault(Fault("hang_after", "/affinity$"))
    vms = list(options(view, ids.RULE_VMS).values())
    await stage.slack.person("alice").submit(view, {ids.RULE_VMS: vms[:2], ids.RULE_TYPE: "NEVER"})
    await stage.until(hanging.reached.is_set)
    await stage.stop_bot()
    stage.tgc.clear_faults()
    await stage.start_bot()
    await stage.jump(seconds=30)
    await stage.answer("alice", "the rule may hold or not.")
    assert updates(stage) == 1


async def test_the_tgcs_refusal_of_a_rule_is_told_and_nothing_listed(stage: Stage) -> None:
    card = await posted(stage)
    view = await rule_form(stage, card)
    stage.tgc.fault(Fault("answer", "/affinity$", status=403))
    assert "Nothing was done." in await set_rule(stage, view, [0])
    assert outcomes(stage) == [("alice", "set_rule", "refused")]
    assert (await rules(stage)).text.startswith("No VM has a rule that was set here.")


async def test_a_pause_and_a_lost_answer_show_where_a_rule_is_cleared(stage: Stage) -> None:
    card = await posted(stage)
    await set_rule(stage, await rule_form(stage, card), [0])
    await stage.slack.person("bob").command("/tintri pause Production")
    await stage.answer("bob", "paused")
    assert "Nothing was done. Accepting is paused" in await clear(stage, "alice", await rules(stage))
    await stage.slack.person("bob").command("/tintri resume Production")
    await stage.until(lambda: ("bob", "resume", "done") in outcomes(stage))
    stage.tgc.fault(Fault("drop_after", "/affinity$"))
    assert "The rule may be cleared or not" in await clear(stage, "alice", await rules(stage))
    listed = await rules(stage)
    assert "clearing was asked for by <@U0ALICE00>" in listed.text
    assert "The rule is cleared." in await clear(stage, "alice", listed)
    assert updates(stage) == 3
    assert (await rules(stage)).text.startswith("No VM has a rule")


async def test_vm_stores_and_kind_of_rule_must_fit(stage: Stage) -> None:
    card = await posted(stage)
    view = await rule_form(stage, card)
    vms = list(options(view, ids.RULE_VMS).values())
    for kind, stores in (("NEVER", list(options(view, ids.RULE_VM_STORES).values())[:1]), ("EXCLUDE_DATASTORES", [])):
        filled = {ids.RULE_VMS: vms[:1], ids.RULE_TYPE: kind, ids.RULE_VM_STORES: stores}
        await stage.slack.person("alice").submit(view, filled)
        assert list(view.errors) == [ids.RULE_VM_STORES]
        view.errors = {}
    assert updates(stage) == 0
