"""What policies make of pools, line by line, and what is said of them in threads."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.notices import (
    render_plan_came,
    render_plan_changed,
    render_policy_plans,
    render_policy_says,
    render_policy_withdraws,
)
from bot.rendering.policy import POLICIES_SHOWN, POOLS_SHOWN, render_policies
from bot.rendering.views import PolicyLine, PolicyView
from tests.bot.rendering.checks import check, size
from tests.bot.rendering.samples import AT, DAY_AND_TIME, reading
from tests.bot.rendering.strategies import MOMENTS, TEXTS
from tests.bot.rendering.test_properties import slow

WHEN = f"<!date^1773151920^{DAY_AND_TIME}|2026-03-10 14:12 UTC>"
NIGHTS = "policy:nights"


def line(policy: str = "nights", **changes: Any) -> PolicyLine:
    given: dict[str, Any] = {"is_dry": False, "why_not": (), "held_back": None, "at": AT}
    return PolicyLine(policy=policy, **given | changes)


def told(*lines: PolicyLine) -> list[str]:
    return reading(render_policies((PolicyView(pool_name="Production", lines=lines),)).blocks).splitlines()


def test_each_policy_says_in_a_line_what_it_does_or_why_not() -> None:
    lines = told(
        line(),
        line("careful", is_dry=True),
        line("small", why_not=("4 VMs move, and it takes 3 at most", "it is also about flash")),
        line("lab", held_back="Accepting is paused."),
    )
    assert lines == [
        "Production",
        "nights: matches, and accepts this 2026-03-10 14:12 UTC, unless that changes.",
        "careful (dry run): matches, and would accept this 2026-03-10 14:12 UTC, unless that changes.",
        "small: does not match, because 4 VMs move, and it takes 3 at most; it is also about flash.",
        "lab: matches, and does nothing now: Accepting is paused.",
    ]


def test_without_policies_it_says_that_nothing_is_accepted_by_itself() -> None:
    said = "There are no policies, so nothing is accepted unless somebody asks for it."
    assert render_policies(()).text == said
    assert render_policies((PolicyView(pool_name="Production"),)).text == said


def test_what_cannot_be_judged_says_why_and_what_is_left_out_is_counted() -> None:
    many = tuple(PolicyView(pool_name=f"pool-{number}", problem="It is away.") for number in range(POOLS_SHOWN + 2))
    lines = reading(render_policies(many).blocks).splitlines()
    assert lines[:2] == ["pool-0", "It is away."]
    assert lines[-1] == "and 2 more pools: type /tintri policy and a pool's name"
    assert told(*[line() for _ in range(POLICIES_SHOWN + 3)])[-1] == "and 3 more"


def test_the_thread_names_the_policy_and_what_somebody_can_do() -> None:
    plans = (
        f"policy nights accepts this for Production {WHEN}, unless somebody dismisses it, or presses Cancel the plan"
    )
    assert render_policy_plans("Production", NIGHTS, AT, as_first=False).text == f"{plans} on the card."
    assert render_policy_plans("Production", NIGHTS, AT, as_first=True).text.endswith(
        "It counts as the first of two: another approver must accept it too before anything moves."
    )
    assert render_plan_came(NIGHTS, AT, "Production: Nothing was done. It has expired.").text == (
        f"policy nights was to accept this {WHEN}. Production: Nothing was done. It has expired."
    )
    over = f"The plan of policy nights to accept this {WHEN} is over"
    assert render_plan_changed(NIGHTS, AT).text == (
        f"{over}, because its moves have changed. The new ones are judged anew."
    )
    assert render_policy_withdraws(NIGHTS, AT, "It is gone").text == f"{over}: It is gone."
    assert render_policy_says(NIGHTS, "does nothing").text == "policy nights does nothing."


LINES = st.builds(
    PolicyLine,
    policy=TEXTS,
    is_dry=st.booleans(),
    why_not=st.lists(TEXTS, max_size=4).map(tuple),
    held_back=st.none() | TEXTS,
    at=st.none() | MOMENTS,
)
VIEWS = st.builds(PolicyView, pool_name=TEXTS, lines=st.lists(LINES, max_size=12).map(tuple), problem=st.none() | TEXTS)


@slow
@given(st.lists(VIEWS, max_size=12).map(tuple))
def test_whatever_is_called_how_it_is_legal_and_harmless(pools: tuple[PolicyView, ...]) -> None:
    message = render_policies(pools)
    check(message)
    assert size(message.blocks) <= 40_000


@given(TEXTS, MOMENTS, TEXTS)
def test_what_a_policy_says_is_legal_and_harmless(pool_name: str, at: Any, said: str) -> None:
    policy = f"policy:{said[:40]}"  # so long a name may be
    for message in (
        render_policy_plans(pool_name, policy, at, as_first=True),
        render_policy_says(NIGHTS, said),
        render_policy_withdraws(NIGHTS, at, said),
        render_plan_came(policy, at, said),
    ):
        check(message)
