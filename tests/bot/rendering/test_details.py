import json

import msgspec
import pytest

from bot.rendering import ids
from bot.rendering.details import LINES_PER_PAGE, render_details, render_details_problem
from bot.rendering.views import PlannedAct, Standing, View
from playground.blockkit import validate_view
from tests.bot.rendering.samples import (
    AT,
    actions,
    bold,
    button,
    date,
    items,
    line,
    plain,
    reading,
    recommendation,
    rich,
    text,
    view,
)


def test_a_small_plan_is_told_whole_on_one_page() -> None:
    modal = render_details(view("available", Standing.OFFERED))
    assert {key: value for key, value in modal.items() if key != "blocks"} == {
        "type": "modal",
        "callback_id": ids.DETAILS_VIEW,
        "title": plain("Production"),
        "close": plain("Close"),
        "private_metadata": "offer-1",
    }
    *told, foot = modal["blocks"]
    assert foot == actions(
        button("Accept at…", ids.PLAN),
        button("Choose issues…", ids.CHOOSE_ISSUES),
        button("Leave VMs out…", ids.LEAVE_OUT),
        button("Never move…", ids.SET_RULE),
    )
    headings = [block["elements"][0]["elements"][0]["text"] for block in told]
    assert headings == [
        "Recommendation",
        "1 VM would lose replication",
        "Issues, forecast for 7 days",
        "Expected",
        "Moves: 2 waves, 4 VMs",
    ]
    assert told[-1] == rich(
        line(bold("Moves: 2 waves, 4 VMs")),
        items(
            line(text("1  "), bold("erp-db-01"), text("  vmstore01 → vmstore02 · space, load · loses replication")),
            line(text("1  "), bold("erp-db-02"), text("  vmstore01 → vmstore03 · space")),
            line(text("2  "), bold("erp-db-03"), text("  vmstore01 → vmstore02 · space")),
            line(text("2  "), bold("erp-db-04"), text("  vmstore01 → vmstore03 · space, load")),
        ),
    )
    overview = modal["blocks"][0]["elements"][1]["elements"]
    assert line(text("State: available")) in overview
    assert line(text("Made: "), date(1773147604, "2026-03-10 13:00 UTC")) in overview
    assert line(text("Recommendation id: B74D0FB1-32E7-4629-8FAD-C1A606CB0FB3")) in overview


def test_every_move_of_a_large_plan_is_on_exactly_one_page() -> None:
    pages = _pages("large")
    shown = [name for page in pages for name in reading(page["blocks"]).splitlines() if " → " in name]
    moves = [name for name in shown if "erp-db-" in name]
    assert len(moves) == len(set(moves)) == 240
    assert all(sum(len(block["elements"][1]["elements"]) for block in _lists(page)) <= LINES_PER_PAGE for page in pages)


def test_pages_turn_back_and_forth_by_their_number() -> None:
    first, second, *_, last = _pages("large")
    assert _turns(first) == [(ids.DETAILS_NEXT, "1")]
    assert _turns(second) == [(ids.DETAILS_PREVIOUS, "0"), (ids.DETAILS_NEXT, "2")]
    assert [action_id for action_id, _ in _turns(last)] == [ids.DETAILS_PREVIOUS]


def test_every_page_of_what_can_be_accepted_now_offers_to_accept_it_later() -> None:
    assert all(ids.PLAN in str(page["blocks"][-1]) for page in _pages("large"))
    planned = PlannedAct(id="plan-1", user_id="U0ALICE", due_at=AT)
    for other in (
        view("available", Standing.OFFERED, planned=planned),
        view("available", Standing.OFFERED, can_accept=False),
        view("available", Standing.DISMISSED),
        view("running", Standing.RUNNING),
    ):
        assert ids.PLAN not in str(render_details(other)["blocks"])


def test_details_tell_who_accepts_it_later() -> None:
    planned = PlannedAct(id="plan-1", user_id="U0ALICE", due_at=AT)
    told = reading(render_details(view("available", Standing.OFFERED, planned=planned))["blocks"])
    assert " accepts it " in told
    assert ", unless that changes." in told


@pytest.mark.parametrize("page", [-1, 10**6])
def test_a_page_that_does_not_exist_shows_the_nearest(page: int) -> None:
    nearest = 0 if page < 0 else len(_pages("large")) - 1
    plan = view("large", Standing.OFFERED)
    assert render_details(plan, page) == render_details(plan, nearest)


def test_details_of_a_failure_hold_what_the_tgc_says_of_it() -> None:
    told = reading(render_details(view("failed", Standing.FAILED))["blocks"])
    assert "failed: Storage migration failed (hypervisor) · The host was disconnected during the migration" in told


def test_unreadable_parts_are_listed() -> None:
    unread = msgspec.structs.replace(recommendation("available"), unreadable=("/issues/0", "/actionGroups/1"))
    told = reading(render_details(view(unread, Standing.OFFERED))["blocks"])
    assert "2 parts of the TGC's answer could not be read: /issues/0 /actionGroups/1" in told


def test_why_there_are_no_details_is_a_modal_too() -> None:
    modal = render_details_problem("A pool with a rather long name", "The TGC does not answer: try again later.")
    assert validate_view(json.loads(json.dumps(modal))) == []
    assert modal["title"] == plain("A pool with a rather lo…")
    assert reading(modal["blocks"]) == "The TGC does not answer: try again later."


def _pages(sample: str) -> list[View]:
    plan = view(sample, Standing.OFFERED)
    pages = [render_details(plan, 0)]
    while any(action_id == ids.DETAILS_NEXT for action_id, _ in _turns(pages[-1])):
        pages.append(render_details(plan, len(pages)))
    return pages


def _lists(page: View) -> list[View]:
    return [block for block in page["blocks"] if block["type"] == "rich_text"]


def _turns(page: View) -> list[tuple[str, str]]:
    return [
        (button["action_id"], button["value"])
        for block in page["blocks"]
        if block["type"] == "actions"
        for button in block["elements"]
        if button["action_id"] in {ids.DETAILS_PREVIOUS, ids.DETAILS_NEXT}
    ]
