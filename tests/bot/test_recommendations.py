"""What makes a recommendation another one, and what does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.recommendations import (
    Plan,
    is_building,
    is_expired,
    is_final,
    is_open,
    is_other_plan,
    plan_of,
    progress_of,
    standing_of,
)
from bot.rendering.views import Progress, Standing
from tgc.decode import decode_recommendation
from tgc.models import (
    Action,
    ActionGroup,
    ActionResult,
    ExecutionState,
    Outcome,
    ProtectionOutcome,
    Recommendation,
    RecommendationState,
    StateReason,
)

SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
NOW = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
MOVES = st.builds(
    Action,
    target_vm_tintri_uuid=IDS,
    source_datastore_tintri_uuid=IDS,
    destination_datastore_tintri_uuid=IDS,
)
GROUPS = st.builds(ActionGroup, actions=st.lists(MOVES, min_size=1, max_size=4).map(tuple))
LOSSES = st.builds(
    Outcome, protection_info=st.builds(ProtectionOutcome, vm_tintri_uuids=st.lists(IDS, max_size=3).map(tuple))
)
RECOMMENDATIONS = st.builds(
    Recommendation,
    id=IDS,
    state=st.just(RecommendationState.AVAILABLE),
    action_groups=st.lists(GROUPS, min_size=1, max_size=4).map(tuple),
    expected_outcomes=st.lists(LOSSES, max_size=3).map(tuple),
)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def with_move(recommendation: Recommendation, **parts: str | None) -> Recommendation:
    """The same with other parts in the first move."""
    first, *groups = recommendation.action_groups
    move, *moves = first.actions
    changed = ActionGroup(actions=(msgspec.structs.replace(move, **parts), *moves))
    return msgspec.structs.replace(recommendation, action_groups=(changed, *groups))


def read(**parts: object) -> Recommendation:
    return decode_recommendation(msgspec.json.encode(parts), "GET")


# The fingerprint


@given(
    RECOMMENDATIONS,
    st.fixed_dictionaries(
        {
            "id": IDS,
            "state": st.sampled_from(RecommendationState),
            "execution_state": st.sampled_from(ExecutionState),
            "last_updated_time": MOMENTS,
            "acknowledged_time": MOMENTS,
            "accepted_time": MOMENTS,
            "completion_time": MOMENTS,
            "expiration_time": MOMENTS,
            "keep_current": st.booleans(),
        }
    ),
    st.builds(ActionResult, state=st.sampled_from(ExecutionState), progress=st.integers(0, 100)),
)
def test_acknowledging_accepting_and_progress_never_change_the_fingerprint(
    recommendation: Recommendation, later: dict[str, object], result: ActionResult
) -> None:
    running = tuple(
        ActionGroup(actions=tuple(msgspec.structs.replace(move, result=result) for move in group.actions))
        for group in recommendation.action_groups
    )
    followed = msgspec.structs.replace(recommendation, action_groups=running, **later)
    assert plan_of(followed) == plan_of(recommendation)
    assert plan_of(followed).fingerprint == plan_of(recommendation).fingerprint


@pytest.mark.parametrize(
    "part", ["target_vm_tintri_uuid", "source_datastore_tintri_uuid", "destination_datastore_tintri_uuid"]
)
@given(recommendation=RECOMMENDATIONS, other=IDS)
def test_another_vm_source_or_destination_changes_the_fingerprint(
    part: str, recommendation: Recommendation, other: str
) -> None:
    assume(getattr(recommendation.action_groups[0].actions[0], part) != other)
    assert plan_of(with_move(recommendation, **{part: other})).fingerprint != plan_of(recommendation).fingerprint


@given(RECOMMENDATIONS, st.data())
def test_another_order_of_waves_changes_the_fingerprint(recommendation: Recommendation, data: st.DataObject) -> None:
    shuffled = tuple(data.draw(st.permutations(recommendation.action_groups)))
    assume(shuffled != recommendation.action_groups)
    other = msgspec.structs.replace(recommendation, action_groups=shuffled)
    assert plan_of(other).fingerprint != plan_of(recommendation).fingerprint


@given(RECOMMENDATIONS)
def test_other_waves_of_the_same_moves_change_the_fingerprint(recommendation: Recommendation) -> None:
    assume(len(recommendation.action_groups) > 1)
    all_moves = tuple(move for group in recommendation.action_groups for move in group.actions)
    at_once = msgspec.structs.replace(recommendation, action_groups=(ActionGroup(actions=all_moves),))
    assert plan_of(at_once).fingerprint != plan_of(recommendation).fingerprint


@given(RECOMMENDATIONS, IDS)
def test_another_vm_that_loses_replication_changes_the_fingerprint(recommendation: Recommendation, vm: str) -> None:
    assume(vm not in plan_of(recommendation).unprotected)
    more = Outcome(protection_info=ProtectionOutcome(vm_tintri_uuids=(vm,)))
    other = msgspec.structs.replace(recommendation, expected_outcomes=(*recommendation.expected_outcomes, more))
    assert plan_of(other).fingerprint != plan_of(recommendation).fingerprint


def test_a_plan_survives_being_stored() -> None:
    plan = plan_of(decode_recommendation((SAMPLES / "recommendation_large.json").read_bytes(), "GET"))
    stored = msgspec.json.decode(msgspec.json.encode(plan), type=Plan)
    assert stored == plan
    assert stored.fingerprint == plan.fingerprint


# Whether the plan is whole


@given(RECOMMENDATIONS)
def test_a_plan_of_which_every_move_is_known_is_whole(recommendation: Recommendation) -> None:
    assert plan_of(recommendation).whole


@pytest.mark.parametrize("part", ["target_vm", "source_datastore", "destination_datastore"])
@given(recommendation=RECOMMENDATIONS)
def test_a_move_of_which_a_part_is_not_identified_makes_the_plan_not_whole(
    part: str, recommendation: Recommendation
) -> None:
    assert not plan_of(with_move(recommendation, **{f"{part}_tintri_uuid": None})).whole


def test_names_identify_where_the_tgc_gives_no_ids() -> None:
    move = Action(target_vm_display_name="vm", source_datastore="a", destination_datastore_display_name="b")
    assert plan_of(Recommendation(action_groups=(ActionGroup(actions=(move,)),))).whole


def test_no_moves_are_no_plan() -> None:
    assert not plan_of(Recommendation()).whole
    assert not plan_of(Recommendation(action_groups=(ActionGroup(),))).whole


MOVE = {"targetVmTintriUuid": "vm", "sourceDatastoreTintriUuid": "a", "destinationDatastoreTintriUuid": "b"}


@pytest.mark.parametrize(
    "parts",
    [
        {"actionGroups": {"actions": [MOVE]}},
        {"actionGroups": [{"actions": [MOVE]}, 7]},
        {"actionGroups": [{"actions": [MOVE]}, {"actions": "all"}]},
        {"actionGroups": [{"actions": [MOVE, "one more"]}]},
        {"actionGroups": [{"actions": [{**MOVE, "targetVmDisplayName": 7}]}]},
        {"actionGroups": [{"actions": [{**MOVE, "targetVmTintriUuid": 7, "targetVmDisplayName": "vm"}]}]},
        {"actionGroups": [{"actions": [{**MOVE, "sourceDatastore": ["a"]}]}]},
        {"actionGroups": [{"actions": [{**MOVE, "destinationDatastoreDisplayName": False}]}]},
        {"actionGroups": [{"actions": [MOVE]}], "expectedOutcomes": "none"},
        {"actionGroups": [{"actions": [MOVE]}], "expectedOutcomes": [7]},
        {"actionGroups": [{"actions": [MOVE]}], "expectedOutcomes": [{"protectionInfo": "erp-db-01"}]},
        {"actionGroups": [{"actions": [MOVE]}], "expectedOutcomes": [{"protectionInfo": {"vmTintriUuids": "x"}}]},
        {"actionGroups": [{"actions": [MOVE]}], "expectedOutcomes": [{"protectionInfo": {"vmTintriUuids": [7]}}]},
    ],
)
def test_what_cannot_be_read_of_moves_and_replication_makes_the_plan_not_whole(parts: dict[str, object]) -> None:
    assert not plan_of(read(**parts)).whole


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"issues": 7, "expirationTime": "soon", "feedback": []},
        {"actionGroups": [{"actions": [{**MOVE, "issueTypes": 7, "result": {"progress": "half"}}]}]},
        {"expectedOutcomes": [{"spaceInfo": "much", "protectionInfo": {"summary": 7}}]},
    ],
)
def test_what_cannot_be_read_of_anything_else_leaves_the_plan_whole(parts: dict[str, object]) -> None:
    assert plan_of(read(**{"actionGroups": [{"actions": [MOVE]}], **parts})).whole


# Other moves than offered


@given(RECOMMENDATIONS, RECOMMENDATIONS)
def test_other_groups_of_moves_are_another_plan(offered: Recommendation, running: Recommendation) -> None:
    assume(plan_of(offered).groups != plan_of(running).groups)
    assert is_other_plan(plan_of(running), plan_of(offered))
    assert not is_other_plan(plan_of(offered), plan_of(offered))


def test_losing_less_is_no_other_plan_and_losing_more_is() -> None:
    one, two = (Plan(((),), unprotected, whole=True) for unprotected in (("a",), ("a", "b")))
    assert not is_other_plan(one, two)
    assert is_other_plan(two, one)


def test_a_plan_that_cannot_be_read_whole_proves_nothing() -> None:
    assert not is_other_plan(Plan((), (), whole=False), Plan(((),), (), whole=True))


# Where it stands


def standing(recommendation: Recommendation, **said: bool) -> Standing:
    known = {"deciding": False, "dismissed": False, "accepted": False, **said}
    return standing_of(recommendation, now=NOW, **known)


@pytest.mark.parametrize("state", [RecommendationState.AVAILABLE, RecommendationState.AVAILABLE_ACKED])
def test_what_is_open_stands_as_people_decided(state: RecommendationState) -> None:
    one = Recommendation(state=state, expiration_time=NOW + timedelta(hours=1))
    assert standing(one) is Standing.OFFERED
    assert standing(one, dismissed=True) is Standing.DISMISSED
    assert standing(one, dismissed=True, deciding=True) is Standing.DECIDING
    assert standing(one, accepted=True) is Standing.RUNNING
    late = msgspec.structs.replace(one, expiration_time=NOW)
    assert standing(late) is standing(late, dismissed=True) is Standing.EXPIRED


@pytest.mark.parametrize(
    ("state", "execution", "expected", "final"),
    [
        ("ACCEPTED", None, Standing.RUNNING, False),
        ("ACCEPTED", "AVAILABLE", Standing.RUNNING, False),
        ("ACCEPTED", "RUNNING_ERROR", Standing.RUNNING, False),
        ("ACCEPTED", "WHATEVER_COMES", Standing.RUNNING, False),
        ("ACCEPTED", "COMPLETED_OK", Standing.DONE, True),
        ("ACCEPTED", "COMPLETED_FAILED", Standing.FAILED, True),
        ("ACCEPTED", "COMPLETED_CANCELLED", Standing.CANCELLED, True),
        ("CANCELLED", "CANCELLED_PENDING", Standing.RUNNING, False),
        ("CANCELLED", "COMPLETED_CANCELLED", Standing.CANCELLED, True),
        ("CANCELLED", None, Standing.CANCELLED, True),
        ("INVALIDATED", None, Standing.INVALIDATED, True),
        ("EXPIRED", None, Standing.EXPIRED, True),
        ("REFRESH", None, Standing.BUILDING, False),
        ("NO_RECOMMENDATION_NEEDED", None, Standing.BALANCED, False),
        ("NO_RECOMMENDATION_AVAILABLE", None, Standing.UNAVAILABLE, False),
        ("SOMETHING_NEW", None, Standing.UNAVAILABLE, False),
        (None, None, Standing.UNAVAILABLE, False),
    ],
)
def test_what_the_tgc_decided_stands_whatever_people_say(
    state: str | None, execution: str | None, expected: Standing, final: bool
) -> None:
    one = read(state=state, executionState=execution)
    for said in ({}, {"dismissed": True}, {"deciding": True}, {"accepted": True}):
        assert standing(one, **said) is expected
    assert is_final(one) is final
    assert not is_open(one)


def test_what_is_being_built_is_worth_another_look() -> None:
    reason = StateReason.UNAVAILABLE_UNDER_CONSTRUCTION
    assert is_building(Recommendation(state=RecommendationState.NO_RECOMMENDATION_AVAILABLE, state_reason=reason))
    assert not is_building(Recommendation(state=RecommendationState.NO_RECOMMENDATION_AVAILABLE))


def test_without_an_expiration_nothing_expires() -> None:
    assert not is_expired(Recommendation(), NOW)


def test_progress_counts_the_moves_that_are_done() -> None:
    running = decode_recommendation((SAMPLES / "recommendation_failed.json").read_bytes(), "GET")
    moves = [move for group in running.action_groups for move in group.actions]
    done = [move for move in moves if move.result and move.result.state is ExecutionState.COMPLETED_OK]
    assert 0 < len(done) < len(moves)
    assert progress_of(running) == Progress(moved=len(done), total=len(moves))
