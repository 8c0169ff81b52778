"""What pools are called, and which patterns name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pool_names import PoolName, fits, is_meant, shown_name


@given(own=st.text() | st.text().map("default/{}".format), is_one_of_many=st.booleans())
def test_the_name_that_people_see_leads_back_to_the_pools_own(own: str, is_one_of_many: bool) -> None:
    assert PoolName("default", shown_name("default", own, is_one_of_many=is_one_of_many)).own == own


def test_a_tgcs_name_is_shown_where_there_are_several_or_the_pools_own_begins_with_it() -> None:
    assert shown_name("berlin", "Lab", is_one_of_many=True) == "berlin/Lab"
    assert shown_name("berlin", "Lab", is_one_of_many=False) == "Lab"
    assert shown_name("berlin", "oslo/Lab", is_one_of_many=False) == "oslo/Lab"
    assert shown_name("berlin", "berlin/Lab", is_one_of_many=False) == "berlin/berlin/Lab"


@pytest.mark.parametrize(
    ("name", "glob", "expected"),
    [
        ("Lab [2]", "Lab [2]", True),
        ("Lab 2", "Lab [2]", False),
        ("Lab [2]", "Lab [?]", True),
        ("Lab [2] old", "Lab [*", True),
        ("Lab [!a]", "Lab [!a]", True),
        ("Lab b", "Lab [!a]", False),
        ("Lab", "Lab*", True),
        ("lab", "Lab", False),
    ],
)
def test_only_the_star_and_the_question_mark_stand_for_others(name: str, glob: str, expected: bool) -> None:
    assert fits(name, glob) is expected


@given(name=st.text())
def test_every_name_fits_itself(name: str) -> None:
    assert fits(name, name)


@pytest.mark.parametrize(
    ("tgc", "own", "expected"),
    [("berlin", "Test1", True), ("paris", "berlin/Test1", False), ("berlin", "berlin/Test1", False)],
)
def test_the_name_of_any_tgc_before_the_slash_means_that_tgc(tgc: str, own: str, expected: bool) -> None:
    pool = PoolName(tgc, shown_name(tgc, own, is_one_of_many=True))
    assert is_meant(pool, "berlin/Test*", {"berlin", "paris"}) is expected


def test_what_is_no_tgcs_name_before_the_slash_is_part_of_the_pools() -> None:
    assert is_meant(PoolName("paris", "paris/x/Test1"), "x/Test*", {"berlin", "paris"})
