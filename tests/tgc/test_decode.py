import copy
import gc
import json
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tgc.conftest import sample
from tgc.decode import (
    decode_info,
    decode_page,
    decode_pool,
    decode_recommendation,
    decode_recommendations,
    decode_session,
    decode_vm_name,
)
from tgc.errors import TGCError, TGCResponseError
from tgc.models import ExecutionState, IssueType, Recommendation, RecommendationState

WHERE = "GET /api/v310/x"
DECODERS: list[Callable[[bytes, str], Any]] = [
    decode_recommendation,
    decode_recommendations,
    decode_pool,
    decode_page,
    decode_info,
    decode_session,
    decode_vm_name,
]
RECOMMENDATIONS = [
    "recommendation_available",
    "recommendation_failed",
    "recommendation_not_needed",
    "recommendation_running",
    "recommendation_sparse",
]


def read(tree: Any) -> Recommendation:
    return decode_recommendation(json.dumps(tree).encode(), WHERE)


def available() -> Any:
    return json.loads(sample("recommendation_available"))


@pytest.mark.parametrize("name", [*RECOMMENDATIONS, "recommendation_large"])
def test_both_ways_of_reading_agree_on_the_documented_shape(name: str) -> None:
    tree = json.loads(sample(name))
    fast = decode_recommendation(sample(name), WHERE)
    slow = read(tree | {"issues": tree.get("issues"), "feedback": 5})
    assert fast.unreadable == ()
    assert slow == msgspec.structs.replace(fast, unreadable=("/feedback",))


def test_no_part_of_it_is_looked_through_for_cycles() -> None:
    recommendation = read(available())
    [group, *_] = recommendation.action_groups
    assert not any(map(gc.is_tracked, (recommendation, group, group.actions[0], recommendation.issues[0])))


class TestMistypedParts:
    @pytest.mark.parametrize(
        ("pointer", "odd"),
        [
            ("/actionGroups/0/actions/1/targetVmTintriUuid", 5),
            ("/actionGroups/0/actions/1/targetVmTintriUuid", {"uuid": "x"}),
            ("/actionGroups/0/actions/1/result", "RUNNING"),
            ("/actionGroups/0/actions/1/result/progress", "50"),
            ("/actionGroups/0/actions/1/result/progress", 50.5),
            ("/actionGroups/0/actions/1/result/progress", True),
            ("/actionGroups/0/actions/1/issueTypes/0", 5),
            ("/actionGroups/0/actions/1", "move it"),
            ("/actionGroups/0/actions", {"0": "x"}),
            ("/actionGroups/1", []),
            ("/actionGroups", "none"),
            ("/issues/0/spaceInfo/probability", "0.83"),
            ("/issues/0/spaceInfo/isSelected", "true"),
            ("/issues/0/spaceInfo/isSelected", 1),
            ("/expectedOutcomes/0/protectionInfo/vmTintriUuids", "one"),
            ("/expectedOutcomes/0/protectionInfo/vmTintriUuids/0", 1),
            ("/creationTime", 1773147604221),
            ("/creationTime", "today"),
            ("/creationTime", "2026-03-10T06:00:04.221"),
            ("/creationTime", "0001-01-01T00:00:00+14:00"),
            ("/expirationTime", "9999-12-31T23:59:59.999Z"),
            ("/state", 5),
            ("/id", ["x"]),
        ],
    )
    def test_each_costs_itself_only_and_is_noted(self, pointer: str, odd: Any) -> None:
        tree = available()
        without = copy.deepcopy(tree)
        put(tree, pointer, odd)
        put(without, pointer, None)

        damaged = read(tree)

        assert damaged.unreadable == (pointer,)
        assert msgspec.structs.replace(damaged, unreadable=()) == read(without)

    def test_the_places_of_list_elements_are_those_on_the_wire(self) -> None:
        tree = available()
        tree["actionGroups"][0]["actions"] = [5, *tree["actionGroups"][0]["actions"], "x"]
        tree["actionGroups"][0]["actions"][2]["issueTypes"] = ["SPACE", 7, "IOPS"]

        damaged = read(tree)

        assert damaged.unreadable == (
            "/actionGroups/0/actions/0",
            "/actionGroups/0/actions/2/issueTypes/1",
            "/actionGroups/0/actions/3",
        )
        moves = damaged.action_groups[0].actions
        assert [move.target_vm_display_name for move in moves] == ["erp-db-01", "erp-db-02"]
        assert moves[1].issue_types == (IssueType.SPACE, IssueType.IOPS)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 4000])
    def test_numbers_beyond_all_bounds_are_unreadable(self, number: str) -> None:
        body = sample("recommendation_available").replace(b'"probability": 0.83', b'"probability": ' + number.encode())
        damaged = decode_recommendation(body, WHERE)
        assert damaged.unreadable == ("/issues/0/spaceInfo/probability",)
        assert len(damaged.action_groups) == 2

    @pytest.mark.parametrize("name", [b"\xff\xfe", b"\\ud800", b"caf\xe9", b"\\u0000"])
    def test_text_that_cannot_be_written_again_is_unreadable(self, name: bytes) -> None:
        damaged = decode_recommendation(sample("recommendation_available").replace(b"erp-db-02", name), WHERE)
        assert damaged.unreadable == ("/actionGroups/0/actions/1/targetVmDisplayName",)
        assert damaged.action_groups[0].actions[1].target_vm_display_name is None

    def test_a_byte_order_mark_is_skipped(self) -> None:
        body = sample("recommendation_available")
        assert decode_recommendation(b"\xef\xbb\xbf" + body, WHERE) == decode_recommendation(body, WHERE)


class TestNull:
    def test_it_is_absence_everywhere(self) -> None:
        assert read(dict.fromkeys(available())) == Recommendation()

    @pytest.mark.parametrize(
        "pointer",
        [
            "/issues",
            "/actionGroups/0/actions",
            "/actionGroups/0/actions/1",
            "/actionGroups/0/actions/1/issueTypes",
            "/actionGroups/0/actions/1/result",
            "/vmAffinityNotNowTintriUuids",
            "/expectedOutcomes/0/protectionInfo/vmTintriUuids",
        ],
    )
    def test_it_is_not_unreadable(self, pointer: str) -> None:
        tree = available()
        put(tree, pointer, None)
        recommendation = read(tree)
        assert recommendation.unreadable == ()
        assert recommendation.id == tree["id"]


class TestUndocumented:
    def test_keys_and_enum_values_are_taken(self) -> None:
        tree = available() | {"state": "PONDERING", "executionState": "SOON", "brandNew": {"deep": [1, None]}}
        for odd in ({}, {"feedback": 5}):
            recommendation = read(tree | odd)
            assert str(recommendation.state) == "PONDERING"
            assert isinstance(recommendation.state, RecommendationState)
            assert isinstance(recommendation.execution_state, ExecutionState)

    @pytest.mark.parametrize("told", [["/made/up"], 5, "x", None])
    @pytest.mark.parametrize("odd", [{}, {"issues": None}])
    def test_unreadable_never_comes_from_the_wire(self, told: Any, odd: Any) -> None:
        assert read(available() | {"unreadable": told} | odd).unreadable == ()
        history = json.dumps([available() | {"unreadable": told} | odd]).encode()
        assert decode_recommendations(history, WHERE)[0].unreadable == ()


def test_a_history_loses_only_what_is_no_recommendation() -> None:
    body = json.dumps([{"id": "1"}, None, 5, {"id": "2", "issues": "x"}]).encode()
    assert decode_recommendations(body, WHERE) == [
        Recommendation(id="1"),
        Recommendation(id="2", unreadable=("/issues",)),
    ]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"text"',
        b"<html><body>Sign in</body></html>",
        sample("recommendation_available")[:-3],
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_no_such_json_is_told_by_its_place_and_not_shown(
    decoder: Callable[[bytes, str], Any], body: bytes
) -> None:
    with pytest.raises(TGCResponseError) as error:
        decoder(body, WHERE)
    assert error.value.where == WHERE
    assert str(error.value).startswith("The TGC's answer ")
    assert len(str(error.value)) < 150


def put(tree: Any, pointer: str, value: Any) -> None:
    *parents, last = pointer.removeprefix("/").split("/")
    for parent in parents:
        tree = tree[int(parent)] if isinstance(tree, list) else tree[parent]
    if isinstance(tree, list):
        tree[int(last)] = value
    else:
        tree[last] = value


def pointers(tree: Any, here: str = "") -> list[str]:
    """Every part of the tree but the root."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [pointer for key, part in parts for pointer in (f"{here}/{key}", *pointers(part, f"{here}/{key}"))]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
SAMPLES = {name: json.loads(sample(name)) for name in (*RECOMMENDATIONS, "pools_page", "info")}
PLACES = [(name, pointer) for name, tree in SAMPLES.items() for pointer in pointers(tree)]


@given(st.sampled_from(PLACES), ODD)
def test_any_change_of_a_sample_costs_at_most_the_changed_part(place: tuple[str, str], odd: Any) -> None:
    name, pointer = place
    tree = copy.deepcopy(SAMPLES[name])
    without = copy.deepcopy(tree)
    put(tree, pointer, odd)
    put(without, pointer, None)
    body = json.dumps(tree).encode()
    for decoder in DECODERS:
        try:
            decoder(body, WHERE)
        except TGCError:
            assert decoder is not decode_recommendation

    if name in RECOMMENDATIONS:
        changed, rest = msgspec.to_builtins(read(tree)), msgspec.to_builtins(read(without))
        parts_that_differ = [key for key, part in rest.items() if changed[key] != part]
        assert set(parts_that_differ) <= {pointer.split("/")[1], "unreadable"}
        assert all(noted.startswith(pointer) for noted in changed["unreadable"])
        assert_sound(changed)


@given(st.binary())
def test_any_bytes_raise_nothing_but_a_tgc_error(body: bytes) -> None:
    for decoder in DECODERS:
        with suppress(TGCError):
            decoder(body, WHERE)


@given(st.sampled_from(RECOMMENDATIONS), st.data())
def test_any_changed_byte_raises_nothing_but_a_tgc_error(name: str, data: st.DataObject) -> None:
    body = bytearray(sample(name))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(TGCError):
        assert_sound(msgspec.to_builtins(decode_recommendation(bytes(body), WHERE), builtin_types=(datetime,)))


def assert_sound(tree: Any) -> None:
    """Every text can be written down, every number is one."""
    if isinstance(tree, dict | list | tuple):
        for part in tree.values() if isinstance(tree, dict) else tree:
            assert_sound(part)
    elif isinstance(tree, str):
        tree.encode()
    elif isinstance(tree, float):
        assert math.isfinite(tree)
