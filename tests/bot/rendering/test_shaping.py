"""The forms that change a recommendation before it is accepted: what can be chosen, and what cannot."""

import msgspec
import pytest

from bot.rendering import ids, limits
from bot.rendering.shapes import chosen, chosen_issues, issues_found, movable_vms
from bot.rendering.shaping import VMS_TO_CHOOSE, render_leave_out_form
from bot.rendering.views import Standing
from playground.blockkit import validate_view
from tests.bot.rendering.samples import reading, recommendation, view
from tgc.models import Action, ActionGroup, Recommendation


def of_vms(count: int) -> Recommendation:
    vms = (f"VM-{number}" for number in range(count))
    actions = tuple(Action(target_vm_tintri_uuid=vm, target_vm_display_name="vm") for vm in vms)
    return msgspec.structs.replace(recommendation("available"), action_groups=(ActionGroup(actions=actions),))


@pytest.mark.parametrize(("count", "groups"), [(limits.OPTIONS, None), (limits.OPTIONS + 1, 2), (VMS_TO_CHOOSE + 1, 3)])
def test_many_vms_come_in_groups_and_what_is_too_much_is_said(count: int, groups: int | None) -> None:
    form = render_leave_out_form(view(of_vms(count), Standing.OFFERED))
    assert validate_view(form) == []
    element = next(block["element"] for block in form["blocks"] if block.get("block_id") == ids.LEAVE_OUT_VMS)
    assert len(element.get("option_groups", ())) == (groups or 0)
    assert ("Only the first 300 of 301 VMs can be chosen here." in reading(form["blocks"])) == (count > VMS_TO_CHOOSE)


def test_an_option_that_stands_for_nothing_there_chooses_nothing() -> None:
    vms = movable_vms(of_vms(3), {})
    first, second, _ = (vm.option for vm in vms)
    assert chosen(vms, {first, second}) == vms[:2]
    assert chosen(vms, {first, "made up"}) is None
    assert chosen(vms, ()) is None


def test_only_issues_that_are_there_and_not_disabled_can_be_chosen() -> None:
    found = issues_found(recommendation("available"))
    option = found[0].vm_store.option
    picked = chosen_issues(found, {option: {"SPACE"}})
    assert picked is not None
    assert [one.issue_types for one in picked.issues] == [("SPACE",)]
    assert chosen_issues(found, {option: {"PROTECTION"}}) is None
    assert chosen_issues(found, {"made up": {"SPACE"}}) is None
    assert chosen_issues(found, {option: set()}) is None
