"""What somebody may do, line by line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import limits
from bot.rendering.views import Hindrance, RuleForYou, WhoView
from bot.rendering.who import RULES_SHOWN, render_who
from tests.bot.rendering.checks import check, size
from tests.bot.rendering.samples import reading
from tests.bot.rendering.strategies import TEXTS
from tests.bot.rendering.test_properties import slow

REFUSED = "You are not an approver of this pool, so nothing was done; RECO_APPROVERS names Alice Adams."
MAY = "You may accept, plan, change, dismiss, reopen, cancel, snooze, pause and resume"


def rule(*pool_names: str, **changes: Any) -> RuleForYou:
    given: dict[str, Any] = {
        "rule": "RECO_APPROVERS",
        "named_in": "RECO_APPROVERS",
        "refusal": None,
        "everyone": False,
        "group_id": None,
        "two_for": (),
        "hindrances": (),
    }
    return RuleForYou(pool_names=pool_names, **given | changes)


def told(*rules: RuleForYou, **changes: Any) -> list[str]:
    return reading(render_who(WhoView(refusal=None, rules=rules, **changes)).blocks).splitlines()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "RECO_APPROVERS names you."),
        ({"everyone": True}, "RECO_APPROVERS names every full member."),
        ({"group_id": "S0STORAGE"}, "you are in the user group S0STORAGE, which RECO_APPROVERS names."),
    ],
)
def test_where_somebody_may_act_it_says_by_what(changes: dict[str, Any], why: str) -> None:
    assert told(rule("Production", **changes))[-2:] == ["Production", f"{MAY}: {why}"]


def test_where_they_may_comes_first_and_a_refusal_is_the_one_of_a_press() -> None:
    lines = told(rule("Lab", "Test", refusal=REFUSED), rule("Production"))
    assert lines[2:] == ["Production", f"{MAY}: RECO_APPROVERS names you.", "Lab, Test", f"You may not act: {REFUSED}"]


def test_what_two_must_accept_and_what_holds_back_is_named_with_where() -> None:
    paused = Hindrance(sentence="Accepting is paused.", pool_names=("Test",))
    reads = Hindrance(sentence="The account only reads.", pool_names=())
    lines = told(rule("Lab", "Test", two_for=("what moves 20 VMs or more", "x"), hindrances=(reads, paused)))
    assert lines[-3:] == [
        "Two people must accept what moves 20 VMs or more, and x.",
        "But now: The account only reads.",
        "But now in Test: Accepting is paused.",
    ]


def test_rights_over_all_pools_and_pools_that_are_not_known_are_told() -> None:
    lines = told(rule(), may_anywhere=True, may_everywhere=True, problem="The TGC is away.")
    assert [line.partition(",")[0] for line in lines[2:5]] == [
        "You may read the audit and pause every pool at once",
        "You may end a pause of every pool that somebody else made",
        "Which pools there are is not known now",
    ]
    assert lines[5] == "RECO_APPROVERS"


def test_whoever_may_not_even_read_is_told_why() -> None:
    message = render_who(WhoView(refusal="You are a guest."))
    assert reading(message.blocks) == "You are a guest. So you may neither read nor act here."


HINDRANCES = st.builds(Hindrance, sentence=TEXTS, pool_names=st.lists(TEXTS, max_size=6).map(tuple))
RULES = st.builds(
    RuleForYou,
    rule=TEXTS,
    pool_names=st.lists(TEXTS, max_size=9).map(tuple),
    named_in=TEXTS,
    refusal=st.none() | TEXTS,
    everyone=st.booleans(),
    group_id=st.none() | TEXTS,
    two_for=st.sampled_from([(), ("everything",), ("what moves 5 VMs or more", "what moves 1 GiB or more")]),
    hindrances=st.lists(HINDRANCES, max_size=4).map(tuple),
)


@slow
@given(st.lists(RULES, max_size=4), st.sampled_from([1, 9]), st.none() | TEXTS, st.none() | TEXTS)
def test_whatever_rules_say_it_is_legal_harmless_and_small(
    rules: list[RuleForYou], copies: int, refusal: str | None, problem: str | None
) -> None:
    message = render_who(WhoView(refusal=refusal, rules=tuple(rules * copies), problem=problem))
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE


def test_the_longest_answer_is_small_enough_and_says_how_many_more_rules_there_are() -> None:
    long = "&" * 5_000
    held = Hindrance(sentence=long, pool_names=(long,) * 30)
    longest = rule(*[long] * 30, named_in=long, group_id=long, two_for=("everything",), hindrances=(held,) * 9)
    message = render_who(WhoView(refusal=None, rules=(longest,) * (RULES_SHOWN + 2), problem=long))
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE
    assert reading(message.blocks).endswith("and 2 more rules; by 2 of them you may act")
