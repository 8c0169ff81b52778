import msgspec
import pytest

from bot.rendering import limits, words
from bot.rendering.card import render_card
from bot.rendering.following import VMS_NAMED, render_ended, render_stalled
from bot.rendering.views import Action, CardView, Standing
from tests.bot.rendering.checks import check, size
from tests.bot.rendering.samples import AT, act, reading, recommendation, unparted, view
from tgc.models import Action as MoveAction
from tgc.models import ActionGroup, ActionResult, ExecutionState, Recommendation

WAITING = ExecutionState.AVAILABLE


def move(number: int, state: ExecutionState, **result: str | int) -> MoveAction:
    return MoveAction(
        target_vm_tintri_uuid=f"uuid-{number}",
        target_vm_display_name=f"vm-{number:03}",
        source_datastore_display_name="vmstore01",
        destination_datastore_display_name="vmstore02",
        result=msgspec.convert({"state": state, **result}, ActionResult),
    )


def running(*moves: MoveAction) -> Recommendation:
    plan = recommendation("running")
    return msgspec.structs.replace(plan, action_groups=(ActionGroup(actions=moves),))


def failed(*categories: str) -> CardView:
    moves = [
        move(number, ExecutionState.COMPLETED_FAILED, errorCategory=category, errorSummary=f"It broke ({number})")
        for number, category in enumerate(categories)
    ]
    return view(running(move(99, ExecutionState.COMPLETED_OK), *moves), Standing.FAILED, act=act(Action.ACCEPT))


def test_the_end_of_all_moves_names_who_accepted() -> None:
    ended = render_ended(view("running", Standing.DONE, act=act(Action.ACCEPT)))
    assert "<@U0ALICE>" in ended.text
    assert "VMs moved" in ended.text


def test_nobody_is_named_where_it_was_accepted_in_the_gui() -> None:
    ended = render_ended(view("running", Standing.DONE))
    assert "<@" not in ended.text
    assert "accepted in Tintri Global Center" in ended.text


@pytest.mark.parametrize("category", ["replication", "license", "hypervisor", "TGC", "VMSTORE"])
def test_a_failure_tells_what_the_tgc_says_and_what_to_do_about_its_category(category: str) -> None:
    shown = reading(render_ended(failed(category)).blocks)
    assert f"vm-000: It broke (0) ({category})" in shown
    assert f"{category}: {words.advice(category)}" in shown
    assert "<@U0ALICE>" in render_ended(failed(category)).text
    assert words.advice(category) in render_ended(failed(category)).text


def test_each_category_has_its_advice_once() -> None:
    shown = reading(render_ended(failed("license", "hypervisor", "license")).blocks)
    assert shown.count(words.advice("license")) == 1
    assert shown.count(words.advice("hypervisor")) == 1
    assert "Moved, and will stay" in shown


def test_a_failure_without_a_vm_still_says_what_to_do() -> None:
    assert words.advice(None) in reading(render_ended(view("running", Standing.FAILED)).blocks)


def test_a_cancel_names_who_cancelled_who_accepted_and_what_has_moved() -> None:
    cancelled = view("running", Standing.CANCELLED, act=act(Action.CANCEL, "U0BOB"), cancelled=act(Action.ACCEPT))
    ended = render_ended(cancelled)
    assert "cancelled by <@U0BOB>" in ended.text
    assert "accepted by <@U0ALICE>" in ended.text
    assert "erp-db-01  vmstore01 → vmstore02" in reading(ended.blocks)


def test_300_failures_are_counted_and_stay_within_slacks_limits() -> None:
    ended = render_ended(failed(*["hypervisor"] * 300))
    check(ended)
    assert f"and {300 - VMS_NAMED} more, see Details" in reading(ended.blocks)


def test_stalled_moves_are_named_with_how_far_they_are_and_since_when() -> None:
    plan = running(
        move(1, ExecutionState.RUNNING, progress=42), move(2, ExecutionState.RUNNING, progress=7), move(3, WAITING)
    )
    stalling = view(plan, Standing.RUNNING, act=act(Action.ACCEPT), stalled={"uuid-1": AT, "uuid-3": AT})
    told = render_stalled(stalling, {"uuid-1"})
    assert "Production: 1 move makes no progress." in told.text
    line = unparted("vm-001  vmstore01 → vmstore02 · moving 42 % · stalled, no progress since")
    assert line in reading(told.blocks)
    assert "vm-002" not in reading(told.blocks)
    assert "<@U0ALICE>" in told.text
    card = reading(render_card(stalling).blocks)
    assert card.count("stalled, no progress since") == 1  # what has not begun cannot stall


@pytest.mark.parametrize("standing", [Standing.FAILED, Standing.CANCELLED, Standing.RUNNING])
def test_the_longest_texts_of_300_moves_are_small_enough(standing: Standing) -> None:
    long = "&" * 5_000
    texts: dict[str, str | int] = {
        "errorCategory": long,
        "errorSummary": long,
        "errorDetail": long,
        "progressInfo": long,
        "progress": 1,
    }
    states = (ExecutionState.COMPLETED_FAILED, ExecutionState.COMPLETED_OK, ExecutionState.RUNNING)
    moves = [
        msgspec.structs.replace(
            move(number, states[number % 3], **texts),
            target_vm_display_name=f"{number}{long}",
            source_datastore_display_name=long,
            destination_datastore_display_name=long,
        )
        for number in range(300)
    ]
    stalled = {f"uuid-{number}": AT for number in range(300)}
    shown = view(running(*moves), standing, pool_name=long, stalled=stalled)
    for message in (render_ended(shown), render_stalled(shown, stalled), render_card(shown)):
        check(message)
        assert size(message.blocks) < limits.CARD_SIZE
