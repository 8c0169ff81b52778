"""Which pools somebody means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pool_names import TgcPool
from bot.pools import AmbiguousPoolError, UnknownPoolError, find_pools, matching_pools
from tgc.models import Pool

NAMES = ("Production", "Prod", "Test", "Straße", "VDI")


def pools(*names: str) -> list[TgcPool]:
    return [TgcPool("default", Pool(uuid=f"uuid-{number}", name=name)) for number, name in enumerate(names)]


def found(typed: str, *names: str) -> list[str]:
    return [pool.shown for pool in find_pools(pools(*(names or NAMES)), typed)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", [*NAMES]),
        ("  ", [*NAMES]),
        ("Production", ["Production"]),
        ("pRODUCTION ", ["Production"]),
        ("prod", ["Prod"]),
        ("pro", ["Production", "Prod"]),
        ("v", ["VDI"]),
        ("STRASSE", ["Straße"]),
    ],
)
def test_a_name_in_any_case_or_else_its_beginning(typed: str, meant: list[str]) -> None:
    assert found(typed) == meant


def test_two_pools_of_one_name_are_both_meant() -> None:
    assert len(found("test", "Test", "TEST", "Test 2")) == 2


def test_a_pool_without_a_name_is_found_by_its_id() -> None:
    nameless = TgcPool("default", Pool(uuid="BDD640FB"))
    assert find_pools([nameless], "bdd6") == [nameless]


def test_where_there_are_no_pools_all_of_them_are_none() -> None:
    assert find_pools([], "") == []


def test_an_unknown_name_gets_every_name_where_there_are_few() -> None:
    with pytest.raises(UnknownPoolError) as unknown:
        found("Marketing")
    assert list(unknown.value.close) == sorted(NAMES)
    assert unknown.value.are_all
    assert unknown.value.typed == "Marketing"


def test_an_unknown_name_gets_the_closest_first_and_none_that_is_not_close() -> None:
    cities = ("Alpha", "Backup", "Chicago", "Denver", "Erfurt", "Pre-production", "Production")
    with pytest.raises(UnknownPoolError) as unknown:
        found("Prodction", *cities)
    assert list(unknown.value.close) == ["Production", "Pre-production"]
    assert not unknown.value.are_all


def test_an_unknown_name_gets_the_close_ones_where_there_are_many() -> None:
    many = [f"Pool {number}" for number in range(50)]
    with pytest.raises(UnknownPoolError) as unknown:
        found("Prodcution", "Production", *many)
    assert unknown.value.close == ["Production"]


@given(names=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=20), typed=st.text())
def test_whatever_is_typed_either_finds_pools_or_is_unknown(names: list[str], typed: str) -> None:
    there = pools(*names)
    try:
        meant = find_pools(there, typed)
    except UnknownPoolError as unknown:
        assert typed.strip()
        assert set(unknown.close) <= set(names)  # noqa: PT017 - either way is right
    else:
        assert meant
        assert all(pool in there for pool in meant)


@pytest.mark.parametrize(
    ("patterns", "meant"),
    [
        ([], [*NAMES]),
        (["prod"], ["Prod"]),
        (["prod*"], ["Production", "Prod"]),
        (["vd?", "TEST"], ["Test", "VDI"]),
        (["*"], [*NAMES]),
    ],
)
def test_a_pattern_is_a_whole_name_or_a_glob(patterns: list[str], meant: list[str]) -> None:
    assert [pool.shown for pool in matching_pools(pools(*NAMES), patterns)] == meant


@pytest.mark.parametrize("patterns", [["Pro"], ["Prod", "VD"], ["lab*"], [""]])
def test_a_beginning_is_no_pattern_and_each_pattern_must_match(patterns: list[str]) -> None:
    with pytest.raises(UnknownPoolError):
        matching_pools(pools(*NAMES), patterns)


def test_a_name_with_signs_of_a_glob_is_found_as_it_is() -> None:
    there = pools("VDI [old]", "VDI o")
    assert [pool.shown for pool in matching_pools(there, ["vdi [old]"])] == ["VDI [old]"]
    assert [pool.shown for pool in matching_pools(there, ["vdi [*"])] == ["VDI [old]"]
    with pytest.raises(UnknownPoolError):
        matching_pools(there, ["VDI [o]"])


TWO = [
    TgcPool(tgc, Pool(uuid="1", name=f"{tgc}/{name}"))
    for tgc, name in (
        ("berlin", "Production"),
        ("berlin", "Test"),
        ("oslo", "Production"),
        ("oslo", "Berlin"),
        ("oslo", "x/Lab"),
    )
]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("oslo/production", ["oslo/Production"]),
        ("test", ["berlin/Test"]),
        ("te", ["berlin/Test"]),
        ("prod", ["berlin/Production", "oslo/Production"]),
        ("Berlin", ["oslo/Berlin"]),
        ("berlin/", ["berlin/Production", "berlin/Test"]),
        ("oslo/x/lab", ["oslo/x/Lab"]),
        ("x/l", ["oslo/x/Lab"]),
    ],
)
def test_with_several_tgcs_a_name_is_the_pools_own_or_the_full_one(typed: str, meant: list[str]) -> None:
    assert [pool.shown for pool in find_pools(TWO, typed)] == meant


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("oslo/prod*", ["oslo/Production"]),
        ("*/production", ["berlin/Production", "oslo/Production"]),
        ("prod*", ["berlin/Production", "oslo/Production"]),
        ("b*", ["oslo/Berlin"]),
        ("oslo/*", ["oslo/Production", "oslo/Berlin", "oslo/x/Lab"]),
    ],
)
def test_a_glob_looks_at_the_tgcs_name_only_where_it_has_a_slash(pattern: str, meant: list[str]) -> None:
    assert [pool.shown for pool in matching_pools(TWO, [pattern])] == meant


def test_a_name_at_several_tgcs_is_answered_with_the_full_ones() -> None:
    for find in (find_pools, lambda pools, typed: matching_pools(pools, [typed])):
        with pytest.raises(AmbiguousPoolError) as ambiguous:
            find(TWO, "production ")
        assert str(ambiguous.value) == (
            "“production” is a pool of several TGCs: type one of berlin/Production, oslo/Production."
        )


def test_while_a_tgc_cannot_be_read_only_a_full_name_is_certain() -> None:
    with pytest.raises(AmbiguousPoolError, match=r"may be a pool of turin, too.* type berlin/Test if"):
        matching_pools(TWO, ["test"], unread={"turin": "why"})
    assert [pool.shown for pool in matching_pools(TWO, ["berlin/test"], unread={"turin": "why"})] == ["berlin/Test"]


@pytest.mark.parametrize(
    ("typed", "what_to_type"),
    [
        ("tes ", "type berlin/Test if you mean that."),
        ("prod", "type one of berlin/Production, oslo/Production if you mean that."),
        ("x/l", "type oslo/x/Lab if you mean that."),
    ],
)
def test_while_a_tgc_cannot_be_read_a_beginning_may_be_one_of_its_pools(typed: str, what_to_type: str) -> None:
    with pytest.raises(AmbiguousPoolError) as ambiguous:
        find_pools(TWO, typed, unread={"turin": "why"})
    assert str(ambiguous.value) == (
        f"“{typed.strip()}” may be a pool of turin, too, of which the pools are not known now: {what_to_type}"
    )


@pytest.mark.parametrize(("typed", "meant"), [("berlin/te", ["berlin/Test"]), ("Oslo/X", ["oslo/x/Lab"])])
def test_while_a_tgc_cannot_be_read_a_beginning_after_another_ones_name_is_certain(
    typed: str, meant: list[str]
) -> None:
    assert [pool.shown for pool in find_pools(TWO, typed, unread={"turin": "why"})] == meant


def test_while_a_tgc_cannot_be_read_nothing_typed_is_all_that_are_known() -> None:
    assert find_pools(TWO, "", unread={"turin": "why"}) == TWO
