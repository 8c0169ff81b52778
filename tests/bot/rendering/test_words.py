from typing import Any

import pytest

from bot.rendering import words
from tgc.models import ExecutionState, IssueType, RecommendationState, StateReason


@pytest.mark.parametrize(
    ("say", "documented"),
    [
        (words.state, RecommendationState),
        (words.execution_state, ExecutionState),
        (words.move_state, ExecutionState),
        (words.issue_type, IssueType),
        (words.reason, StateReason),
        (words.remedy, StateReason),
    ],
)
def test_every_documented_value_has_words_of_its_own(say: Any, documented: Any) -> None:
    for value in documented:
        assert value.value not in say(value)
        assert "“" not in say(value) or value.value.endswith("DONT_MIGRATE_NOW")


def test_an_undocumented_value_is_shown_as_it_came_but_clean() -> None:
    assert words.state(RecommendationState("PAUSED\u202e<!channel>")) == "“PAUSED�<!channel>”"
    assert words.reason(StateReason("MOON")) == "Tintri Global Center gives the reason “MOON”"


@pytest.mark.parametrize("category", ["replication", "license", "hypervisor", "TGC", "VMSTORE"])
def test_every_category_of_error_has_advice_of_its_own(category: str) -> None:
    assert words.advice(category) != words.advice(None)


def test_a_long_list_of_names_says_how_many_it_leaves_out() -> None:
    assert words.listed(("a", "b", "c"), 2) == "a, b and 1 more"
    assert words.listed(("a", "b"), 2) == "a, b"
