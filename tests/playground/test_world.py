import json
from datetime import timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.estate import AffinityRule, IssueType, Json, Pool, Recommendation, StateReason
from playground.execution import COMPLETED, ExecutionState
from playground.refusals import Refused
from playground.tgc_json import TgcJson, vm
from playground.world import World
from tests.playground.clock import Clock
from tests.playground.schemas import check_record


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World.seeded(now=clock)


def as_json(world: World, pool: Pool, recommendation: Recommendation) -> Json:
    execution = world.execution(recommendation)
    return TgcJson(world.zone).recommendation(recommendation, pool.uuid, execution, world.now())


def whole(world: World) -> list[Json]:
    """All a client could read of the recommendations."""
    return [as_json(world, pool, world.current(pool)) for pool in world.pools]


def execution_state(world: World, recommendation: Recommendation) -> ExecutionState:
    execution = world.execution(recommendation)
    assert execution is not None
    return execution.state


def action_states(world: World, recommendation: Recommendation) -> list[str]:
    execution = world.execution(recommendation)
    assert execution is not None
    return [execution.moves[move.vm.uuid].state for move in recommendation.moves]


def refusal(error: pytest.ExceptionInfo[Refused]) -> tuple[int, str | None]:
    return error.value.status, error.value.code


# The seeded world.


def test_the_same_seed_makes_the_same_world(clock: Clock) -> None:
    assert whole(World.seeded(7, now=clock)) == whole(World.seeded(7, now=clock))
    assert whole(World.seeded(7, now=clock)) != whole(World.seeded(8, now=clock))


def test_a_seeded_world_reads_as_a_storage_team_knows_it(world: World) -> None:
    production = world.pools[0]
    assert [pool.name for pool in world.pools] == ["Production", "Test", "VDI"]
    assert [move.vm.name for move in world.current(production).moves][:2] == ["erp-db-01", "erp-app-01"]
    assert [store.name for store in production.members] == ["vmstore01", "vmstore02", "vmstore03", "vmstore04"]
    assert "protectionInfo" in world.current(production).outcomes[0]


def test_moves_leave_the_vmstores_in_trouble_for_others(world: World) -> None:
    for pool in world.pools:
        recommendation = world.current(pool)
        troubled = {issue["vmStoreId"] for issue in recommendation.issues}
        assert {move.source.uuid for move in recommendation.moves} == troubled
        assert troubled.isdisjoint(move.destination.uuid for move in recommendation.moves)


def test_outcomes_add_up_to_what_is_moved(world: World) -> None:
    for pool in world.pools:
        changes = [one["spaceInfo"]["spaceChangedPhysicalGiB"] for one in world.current(pool).outcomes]
        assert sum(changes) == pytest.approx(0, abs=0.5)
        assert min(changes) < 0 < max(changes)


def test_a_hostile_world_holds_what_breaks_careless_programs(clock: Clock) -> None:
    world = World.seeded(pools=2, moves=32, hostile=True, now=clock)
    names = " ".join(one.name for one in world.vms.values())
    for nasty in ("<!channel>", "*bold*", "<@U1>", "`", "\n", "&amp;", "\u200b", "\u202e", "数据库", "🚀"):
        assert nasty in names
    assert max(len(one.name) for one in world.vms.values()) > 200


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    pools=st.integers(0, 6),
    moves=st.integers(0, 30),
    hostile=st.booleans(),
    minutes=st.integers(0, 1000),
    accepted=st.booleans(),
)
def test_any_world_at_any_moment_is_what_the_api_documents(
    *, seed: int, pools: int, moves: int, hostile: bool, minutes: int, accepted: bool
) -> None:
    clock = Clock()
    world = World.seeded(seed, pools, moves, hostile, clock)
    if accepted:
        for pool in world.pools:
            world.accept_in_gui(pool)
    clock.advance(minutes=minutes)
    for pool in world.pools:
        read = json.loads(msgspec.json.encode(as_json(world, pool, world.current(pool))))
        check_record("Recommendation", read)
        assert sum(len(group["actions"]) for group in read["actionGroups"]) == moves
        check_record("VmstorePool", TgcJson(world.zone).pool(pool, clock()))
    assert len({store.uuid for pool in world.pools for store in pool.members}) == sum(
        len(pool.members) for pool in world.pools
    )


def test_a_recommendation_may_hold_hundreds_of_moves(world: World) -> None:
    pool = world.pools[0]
    world.new_recommendation(pool, moves=500, waves=20, lose_replication=50)
    read = as_json(world, pool, world.current(pool))
    check_record("Recommendation", read)
    assert [len(group["actions"]) for group in read["actionGroups"]] == [25] * 20
    moved = [move.vm.uuid for move in world.current(pool).moves]
    assert len(set(moved)) == 500
    losing = [
        uuid for one in read["expectedOutcomes"] for uuid in one.get("protectionInfo", {}).get("vmTintriUuids", [])
    ]
    assert sorted(losing) == sorted(moved[:50])


@pytest.mark.parametrize("issues", [(), ("SPACE",), ("IOPS",), ("FLASH",), ("SPACE", "FLASH")])
def test_an_analysis_finds_the_issues_it_is_told_to(world: World, issues: tuple[IssueType, ...]) -> None:
    pool = world.pools[0]
    found = world.new_recommendation(pool, issues=issues).issues
    infos = [one[key]["issueType"] for one in found for key in ("spaceInfo", "iopsInfo", "flashInfo") if key in one]
    assert tuple(infos) == issues
    check_record("Recommendation", as_json(world, pool, world.current(pool)))


def test_moments_carry_the_offset_of_the_tgcs_own_zone(world: World) -> None:
    world.zone = ZoneInfo("America/Los_Angeles")
    read = as_json(world, world.pools[0], world.current(world.pools[0]))
    assert read["creationTime"] == "2026-03-09T23:00:04.221-07:00"


def test_a_vm_tells_its_name_under_vmware(world: World) -> None:
    moved = world.current(world.pools[0]).moves[0].vm
    assert vm(moved)["vmware"]["name"] == "erp-db-01"
    prefix, _, suffix = moved.uuid.partition("-VIM-")
    assert prefix == moved.vmstore.uuid
    assert len(suffix) == 16


# One recommendation after the other.


def test_a_new_recommendation_expires_the_one_nobody_decided(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    old = world.current(pool)
    clock.advance(hours=1)
    new = world.new_recommendation(pool)
    assert (old.state, old.updated) == ("EXPIRED", clock())
    assert (new.state, new.created) == ("AVAILABLE", clock())
    assert new.id != old.id
    assert world.current(pool) is new
    assert {one.id for one in world.read_history(pool.uuid)} == {old.id, new.id}


def test_what_runs_goes_on_beside_a_new_recommendation(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    running = world.current(pool)
    world.accept_in_gui(pool)
    clock.advance(minutes=5)
    new = world.new_recommendation(pool)
    assert running.state == "ACCEPTED"
    assert execution_state(world, running) == "RUNNING"
    assert {move.vm.uuid for move in new.moves}.isdisjoint(move.vm.uuid for move in running.moves)
    clock.advance(hours=3)
    assert execution_state(world, running) == "COMPLETED_OK"


def test_a_recommendation_expires_after_twelve_hours(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    made = clock()
    clock.advance(hours=11, minutes=59)
    assert world.current(pool).state == "AVAILABLE"
    clock.advance(hours=5)
    assert world.current(pool).state == "EXPIRED"
    assert world.current(pool).updated == made + timedelta(hours=12)


def test_an_accepted_recommendation_does_not_expire(world: World, clock: Clock) -> None:
    world.accept_in_gui(world.pools[0])
    clock.advance(hours=13)
    assert world.current(world.pools[0]).state == "ACCEPTED"


def test_the_history_reaches_thirty_days_back(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    first = world.current(pool)
    clock.advance(days=29)
    world.new_recommendation(pool)
    assert first in world.read_history(pool.uuid)
    clock.advance(days=2)
    assert first not in world.read_history(pool.uuid)


def test_moves_can_change_under_the_same_id(world: World) -> None:
    pool = world.pools[0]
    before = as_json(world, pool, world.current(pool))
    world.change_moves(pool)
    after = as_json(world, pool, world.current(pool))
    assert after["id"] == before["id"]
    assert after["actionGroups"] != before["actionGroups"]


@pytest.mark.parametrize("reason", get_args(StateReason))
def test_every_documented_reason_can_be_given(world: World, reason: StateReason) -> None:
    pool = world.pools[0]
    if reason.startswith("INVALID_"):
        world.invalidate(pool, reason)
    else:
        world.unavailable(pool, reason)
    read = as_json(world, pool, world.current(pool))
    check_record("Recommendation", read)
    assert read["stateReason"] == reason


def test_a_balanced_pool_has_a_recommendation_without_id(world: World) -> None:
    pool = world.pools[0]
    world.balanced(pool)
    assert as_json(world, pool, world.current(pool)).keys() == {
        "typeId",
        "vmstorePoolId",
        "state",
        "creationTime",
        "lastUpdatedTime",
    }
    assert world.current(pool).state == "NO_RECOMMENDATION_NEEDED"


def test_nothing_can_be_accepted_in_the_gui_where_nothing_is_offered(world: World) -> None:
    world.balanced(world.pools[0])
    with pytest.raises(ValueError, match="nothing to act on"):
        world.accept_in_gui(world.pools[0])


# Execution.


def test_waves_run_one_after_the_other(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    first, second = recommendation.waves
    world.accept_in_gui(pool)
    assert execution_state(world, recommendation) == "PENDING"
    assert action_states(world, recommendation) == ["PENDING", "PENDING", "AVAILABLE", "AVAILABLE"]
    clock.advance(minutes=2)
    assert execution_state(world, recommendation) == "RUNNING"
    assert action_states(world, recommendation) == ["RUNNING", "RUNNING", "AVAILABLE", "AVAILABLE"]
    clock.advance(minutes=20 * max(move.weight for move in first))
    assert action_states(world, recommendation) == ["COMPLETED_OK", "COMPLETED_OK", "RUNNING", "RUNNING"]
    clock.advance(minutes=20 * max(move.weight for move in second))
    assert execution_state(world, recommendation) == "COMPLETED_OK"
    assert action_states(world, recommendation) == ["COMPLETED_OK"] * 4


def test_progress_rises_with_time_and_is_the_same_however_often_it_is_read(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    world.accept_in_gui(pool)
    seen = []
    for _ in range(60):
        clock.advance(minutes=1)
        read = as_json(world, pool, world.current(pool))
        assert read == as_json(world, pool, world.current(pool))
        seen.append(sum(one["result"]["progress"] for group in read["actionGroups"] for one in group["actions"]))
    assert seen == sorted(seen)
    assert len(set(seen)) > 30
    assert seen[-1] == 400


def test_a_failing_move_is_in_trouble_before_the_run_ends_as_failed(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    failing = recommendation.moves[0]
    failing.weight = 1
    world.fail_move(pool, failing.vm, category="VMSTORE", summary="No space left")
    world.accept_in_gui(pool)
    clock.advance(minutes=12)
    assert execution_state(world, recommendation) == "RUNNING_ERROR"
    assert action_states(world, recommendation)[:2] == ["RUNNING_ERROR", "RUNNING"]
    clock.advance(hours=3)
    assert execution_state(world, recommendation) == "COMPLETED_FAILED"
    assert action_states(world, recommendation) == ["COMPLETED_FAILED", *["COMPLETED_OK"] * 3]
    result = as_json(world, pool, recommendation)["actionGroups"][0]["actions"][0]["result"]
    assert (result["errorCategory"], result["errorSummary"], result["progress"]) == ("VMSTORE", "No space left", 37)


def test_a_cancel_lets_running_moves_finish_and_stops_the_others(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    world.accept_in_gui(pool)
    clock.advance(minutes=5)
    world.cancel_in_gui(pool)
    assert recommendation.state == "CANCELLED"
    assert execution_state(world, recommendation) == "CANCELLED_PENDING"
    assert action_states(world, recommendation) == ["RUNNING"] * 2 + ["CANCELLED_PENDING"] * 2
    clock.advance(hours=1)
    assert execution_state(world, recommendation) == "COMPLETED_CANCELLED"
    assert action_states(world, recommendation) == ["COMPLETED_OK"] * 2 + ["COMPLETED_CANCELLED"] * 2


def test_a_cancel_before_the_first_wave_moves_nothing(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    world.accept_in_gui(pool)
    clock.advance(seconds=30)
    world.cancel_in_gui(pool)
    clock.advance(seconds=59)
    assert execution_state(world, world.current(pool)) == "CANCELLED_PENDING"
    clock.advance(seconds=1)
    assert action_states(world, world.current(pool)) == ["COMPLETED_CANCELLED"] * 4


def test_what_is_complete_cannot_be_cancelled(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    world.accept_in_gui(pool)
    clock.advance(hours=5)
    with pytest.raises(Refused) as error:
        world.cancel_in_gui(pool)
    assert refusal(error) == (400, "ERR-API-7109")


def test_a_new_pace_counts_for_the_rest_of_what_runs(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    for move in recommendation.moves:
        move.weight = 1

    def percent() -> int:
        running = world.execution(recommendation)
        assert running is not None
        return max(progress.percent for progress in running.moves.values())

    world.accept_in_gui(pool)
    clock.advance(minutes=11)
    world.set_pace(200)
    assert percent() == 50
    clock.advance(minutes=50)
    assert percent() == 75
    world.set_pace(2)
    assert percent() == 75
    clock.advance(seconds=30)
    first = recommendation.moves[0].vm.uuid
    execution = world.execution(recommendation)
    assert execution is not None
    assert action_states(world, recommendation) == ["COMPLETED_OK", "COMPLETED_OK", "RUNNING", "RUNNING"]
    assert execution.moves[first].completed == clock()
    clock.advance(seconds=119)
    world.set_pace(600)
    assert action_states(world, recommendation)[2:] == ["RUNNING", "RUNNING"]
    clock.advance(minutes=5)
    assert execution_state(world, recommendation) == "COMPLETED_OK"
    later = world.execution(recommendation)
    assert later is not None
    assert (later.moves[first], later.completed) == (execution.moves[first], clock())


def test_the_speed_of_moves_counts_from_the_next_accept(world: World) -> None:
    slow, quick = world.pools[:2]
    world.accept_in_gui(slow)
    world.move_minutes = 0
    world.accept_in_gui(quick)
    assert execution_state(world, world.current(slow)) == "PENDING"
    assert execution_state(world, world.current(quick)) == "COMPLETED_OK"


@given(
    cancelled_after=st.none() | st.integers(0, 30),
    failing=st.sets(st.integers(0, 3)),
    minutes=st.lists(st.integers(1, 20), min_size=1, max_size=20),
)
def test_an_end_is_final_and_comes_when_no_move_is_under_way(
    cancelled_after: int | None, failing: set[int], minutes: list[int]
) -> None:
    clock = Clock()
    world = World.seeded(pools=1, now=clock)
    pool = world.pools[0]
    recommendation = world.current(pool)
    for index in failing:
        world.fail_move(pool, recommendation.moves[index].vm)
    world.accept_in_gui(pool)
    if cancelled_after is not None:
        clock.advance(minutes=cancelled_after)
        world.cancel_in_gui(pool)
    ended: str | None = None
    for step in minutes:
        clock.advance(minutes=step)
        state = execution_state(world, recommendation)
        assert ended in {None, state}
        assert (state in COMPLETED) == all(one in COMPLETED for one in action_states(world, recommendation))
        ended = state if state in COMPLETED else None


# What people change about a plan.


def test_not_now_with_keep_current_takes_vms_out_and_puts_them_back(world: World) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    assert recommendation.id is not None
    left_out = recommendation.moves[0].vm.uuid
    world.update(pool.uuid, recommendation.id, not_now=[left_out], keep_current=True)
    read = as_json(world, pool, world.current(pool))
    assert left_out not in json.dumps([read["actionGroups"], read["expectedOutcomes"]])
    assert (read["id"], read["vmAffinityNotNowTintriUuids"]) == (recommendation.id, [left_out])
    world.update(pool.uuid, recommendation.id, not_now=[], keep_current=True)
    assert len(world.current(pool).moves) == 4


def test_outcomes_are_foreseen_anew_without_the_vms_left_out(world: World) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    lost, kept, *_ = (move.vm for move in recommendation.moves)
    world.update(pool.uuid, recommendation.id or "", not_now=[lost.uuid], keep_current=True)
    assert not any("protectionInfo" in outcome for outcome in recommendation.outcomes)
    world.set_rule(kept.uuid, AffinityRule("NEVER"), recommendation.id)
    freed = -sum(min(outcome["spaceInfo"]["spaceChangedPhysicalGiB"], 0) for outcome in recommendation.outcomes)
    assert freed == pytest.approx(sum(move.vm.space_gib for move in recommendation.moves), abs=0.5)


def test_a_rule_for_a_recommendation_that_nobody_knows_is_not_kept(world: World) -> None:
    vm = world.current(world.pools[0]).moves[0].vm
    with pytest.raises(Refused):
        world.set_rule(vm.uuid, AffinityRule("NEVER"), "unknown")
    assert vm.rule is None


def test_not_now_without_keep_current_brings_a_new_recommendation(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    old = world.current(pool)
    assert old.id is not None
    left_out = old.moves[0].vm.uuid
    world.update(pool.uuid, old.id, not_now=[left_out])
    assert (old.state, old.state_reason) == ("INVALIDATED", "INVALID_VMS_DONT_MIGRATE_NOW")
    assert world.current(pool).state == "REFRESH"
    ready = clock() + timedelta(minutes=world.rebuild_minutes)
    clock.advance(minutes=4)
    new = world.current(pool)
    assert (new.state, new.created, new.not_now) == ("AVAILABLE", ready, [left_out])
    assert len(new.moves) == 3
    assert left_out not in [move.vm.uuid for move in new.moves]


@pytest.mark.parametrize("keep_current", [True, False])
def test_not_now_for_all_vms_leaves_no_recommendation(world: World, keep_current: bool) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    assert recommendation.id is not None
    everything = [move.vm.uuid for move in recommendation.moves]
    world.update(pool.uuid, recommendation.id, not_now=everything, keep_current=keep_current)
    assert recommendation.state == "INVALIDATED"
    assert world.current(pool).state_reason == "UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW"


def test_choosing_issues_brings_a_new_recommendation_for_them(world: World, clock: Clock) -> None:
    pool = world.pools[0]
    old = world.current(pool)
    assert old.id is not None
    first, second = pool.members[:2]
    world.choose_issues(pool.uuid, old.id, {first.uuid: ["SPACE"], second.uuid: []})
    assert old.state == "INVALIDATED"
    assert old.issues[0]["iopsInfo"]["isSelected"]
    building = world.current(pool)
    assert (building.state, building.state_reason) == ("REFRESH", "UNAVAILABLE_UNDER_CONSTRUCTION")
    clock.advance(minutes=world.rebuild_minutes)
    new = world.current(pool)
    assert (new.state, new.id == old.id) == ("AVAILABLE", False)
    assert {(move.source.uuid, *move.issue_types) for move in new.moves} == {(first.uuid, "SPACE")}
    assert (new.issues[0]["spaceInfo"]["isSelected"], new.issues[0]["iopsInfo"]["isSelected"]) == (True, False)
    assert (new.issues[0]["vmStoreIsSelected"], new.issues[1]["vmStoreIsSelected"]) == (True, False)


def test_disabled_and_foreign_issues_cannot_be_chosen(world: World) -> None:
    pool, other = world.pools[:2]
    recommendation = world.current(pool)
    assert recommendation.id is not None
    recommendation.issues[0]["iopsInfo"]["isDisabled"] = True
    wrong: list[dict[str, list[IssueType]]] = [
        {pool.members[0].uuid: ["IOPS"]},
        {pool.members[0].uuid: ["FLASH"]},
        {other.members[0].uuid: ["SPACE"]},
        {pool.members[0].uuid: []},
        {},
    ]
    for chosen in wrong:
        with pytest.raises(Refused) as error:
            world.choose_issues(pool.uuid, recommendation.id, chosen)
        assert refusal(error) == (400, "ERR-API-7117")
    assert recommendation.state == "AVAILABLE"


def test_a_rule_keeps_a_vm_out_of_later_recommendations(world: World) -> None:
    pool = world.pools[0]
    kept, moved = [move.vm for move in world.current(pool).moves if move.source is pool.members[0]]
    world.set_rule(kept.uuid, AffinityRule("NEVER"))
    forbidden = pool.members[2]
    world.set_rule(moved.uuid, AffinityRule("EXCLUDE_DATASTORES", [forbidden.uuid]))
    assert kept in [move.vm for move in world.current(pool).moves]
    later = world.new_recommendation(pool)
    assert kept not in [move.vm for move in later.moves]
    assert [move.destination for move in later.moves if move.vm is moved] == [pool.members[3]]


def test_a_rule_with_a_recommendation_counts_for_it_until_cleared(world: World) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    kept = recommendation.moves[0].vm
    world.set_rule(kept.uuid, AffinityRule("NEVER"), recommendation.id)
    assert kept not in [move.vm for move in world.current(pool).moves]
    world.set_rule(kept.uuid, None, recommendation.id)
    assert kept in [move.vm for move in world.current(pool).moves]


def test_rules_for_all_vms_leave_nothing_to_move(world: World) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    for move in recommendation.moves:
        world.set_rule(move.vm.uuid, AffinityRule("NEVER"), recommendation.id)
    assert world.current(pool).state_reason == "UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE"


def test_a_vanished_recommendation_fails_in_the_tgc(world: World) -> None:
    pool = world.pools[0]
    recommendation = world.current(pool)
    assert recommendation.id is not None
    world.vanish(pool)
    with pytest.raises(Refused) as error:
        world.read_current(pool.uuid)
    assert refusal(error) == (500, "ERR-API-7103")
    with pytest.raises(Refused) as error:
        world.read(pool.uuid, recommendation.id)
    assert refusal(error) == (500, "ERR-API-7102")
    world.new_recommendation(pool)
    assert world.current(pool).state == "AVAILABLE"
