"""What became of recommendations, line by line."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import ids, limits
from bot.rendering.history import ENTRIES_PER_PAGE, render_history
from bot.rendering.views import Action, HistoryPage, PoolAnswer, Standing
from tests.bot.rendering.checks import buttons, check, size
from tests.bot.rendering.samples import act, reading, recommendation, unparted, view
from tests.bot.rendering.strategies import POOL_ANSWERS, TEXTS
from tests.bot.rendering.test_properties import slow
from tgc.models import Recommendation

FINDING = unparted("4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)")
MADE = "2026-03-10 13:00 UTC"
EXPIRES = "2026-03-11 01:00 UTC"


def page(*answers: PoolAnswer, **changes: Any) -> HistoryPage:
    unread = sum(1 for answer in answers if answer.view is None)
    given: dict[str, Any] = {"days": 7, "recommendations": len(answers) - unread, "unread": unread, "typed": "prod 7"}
    return HistoryPage(answers=answers, **given | changes)


def answer(standing: Standing, **changes: Any) -> PoolAnswer:
    return PoolAnswer(pool_name="Production", view=view("available", standing, **changes))


@pytest.mark.parametrize(
    ("shown", "became"),
    [
        (answer(Standing.OFFERED), f"expires {EXPIRES}"),
        (answer(Standing.DISMISSED, act=act(Action.DISMISS)), "dismissed by U0ALICE 2026-03-10 14:12 UTC"),
        (answer(Standing.EXPIRED), f"expired {EXPIRES}, nobody decided"),
        (answer(Standing.EXPIRED, act=act(Action.DISMISS)), f"expired {EXPIRES} · dismissed by U0ALICE"),
        (answer(Standing.DONE, act=act(Action.ACCEPT)), "4 VMs moved · accepted by U0ALICE 2026-03-10 14:12 UTC"),
        (answer(Standing.GONE), "Tintri Global Center no longer knows this recommendation"),
    ],
)
def test_a_line_says_when_what_and_what_became_of_it(shown: PoolAnswer, became: str) -> None:
    _, line = reading(render_history(page(shown)).blocks).splitlines()
    assert line.startswith(f"Production · {MADE} · {FINDING} · {became}")


def test_an_accept_in_the_tgcs_own_pages_is_told_as_such() -> None:
    running = PoolAnswer(pool_name="Production", view=view("running", Standing.RUNNING))
    assert "accepted in Tintri Global Center" in reading(render_history(page(running)).blocks)


def test_where_nothing_was_to_move_nothing_is_said_of_moves() -> None:
    balanced = view("not_needed", Standing.BALANCED, offer_id=None)
    made = msgspec.structs.replace(balanced, pool_name="Lab")
    told = reading(render_history(page(PoolAnswer(pool_name="Lab", view=made))).blocks)
    assert "balanced, nothing to move" in told
    assert "VMs to move" not in told


def test_pools_that_were_not_read_are_named_with_the_reason() -> None:
    unread = PoolAnswer(pool_name="Lab", problem="The TGC failed.")
    late = PoolAnswer(pool_name="Old", is_late=True)
    told = reading(render_history(page(unread, late, answer(Standing.OFFERED), typed="")).blocks).splitlines()
    assert told[0] == "1 recommendation in the last 7 days. 2 pools could not be read."
    assert told[1:3] == ["Lab: The TGC failed.", "Old: still being read; ask again in a minute."]
    nothing = render_history(page(days=1))
    assert reading(nothing.blocks) == "No recommendations in the last day."


def test_pages_are_turned_with_what_was_typed() -> None:
    message = render_history(page(answer(Standing.OFFERED), recommendations=30, page=1, last=3))
    assert "Page 2 of 4" in reading(message.blocks)
    for form in (message.blocks, message.compact):
        turners = [(button["action_id"], button["value"]) for button in buttons(form)]
        assert turners == [(ids.HISTORY_NEWER, "0:prod 7"), (ids.HISTORY_OLDER, "2:prod 7")]


@slow
@given(st.lists(POOL_ANSWERS, max_size=3), st.sampled_from([1, 3]), TEXTS)
def test_whatever_the_history_holds_its_pages_are_legal_harmless_and_small(
    answers: list[PoolAnswer], copies: int, typed: str
) -> None:
    shown = tuple(answers * copies)[:ENTRIES_PER_PAGE]
    message = render_history(page(*shown, typed=typed, page=1, last=9))
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE


def test_a_page_of_the_longest_entries_is_small_enough() -> None:
    long = "&" * 5_000
    sample = msgspec.json.encode(recommendation("failed")).replace(b"Storage migration failed", long.encode())
    failed = msgspec.json.decode(sample, type=Recommendation)
    shown = PoolAnswer(pool_name=long, view=view(failed, Standing.FAILED, pool_name=long, act=act(Action.ACCEPT)))
    message = render_history(page(*[shown] * ENTRIES_PER_PAGE, typed=long, page=1, last=9))
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE
