"""The form that plans an accept, and what the modal says after it."""

import msgspec

from bot.rendering import ids
from bot.rendering.forms import render_waiting
from bot.rendering.planning import TITLE, render_plan_form, render_planned
from bot.rendering.views import Standing
from tests.bot.rendering.samples import AT, date, plain, reading, recommendation, view


def test_the_form_asks_for_a_moment_and_says_what_would_move_and_until_when() -> None:
    form = render_plan_form(view("available", Standing.OFFERED), "Central European Time (Europe/Prague)")
    assert (form["callback_id"], form["private_metadata"]) == (ids.PLAN_VIEW, "offer-1:")
    assert form["submit"] == plain("Plan it")
    *told, field, note = form["blocks"]
    assert (note["block_id"], note["optional"]) == (ids.NOTE, True)
    assert field == {
        "type": "input",
        "block_id": ids.PLAN_AT,
        "label": plain("Accept it at"),
        "element": {"type": "datetimepicker", "action_id": ids.PLAN_AT},
        "hint": plain("In your own time zone: Central European Time (Europe/Prague)."),
    }
    assert "4 VMs in Production will move. 1 VM would lose replication" in reading(told)
    assert date(1773190800, "2026-03-11 01:00 UTC") in told[2]["elements"][0]["elements"]


def test_without_a_known_zone_or_end_the_form_names_none() -> None:
    endless = msgspec.structs.replace(recommendation("available"), expiration_time=None)
    forever = view(endless, Standing.OFFERED)
    *told, field, _ = render_plan_form(forever, None)["blocks"]
    assert field["hint"] == plain("In your own time zone.")
    assert "expires" not in reading(told)


def test_what_was_planned_is_told_in_the_readers_time() -> None:
    told = render_planned("Production", AT)["blocks"]
    assert date(1773151920, "2026-03-10 14:12 UTC") in told[0]["elements"][0]["elements"]


def test_the_view_that_waits_can_be_closed_but_not_sent_again() -> None:
    waiting = render_waiting(TITLE)
    assert "submit" not in waiting
    assert "callback_id" not in waiting
