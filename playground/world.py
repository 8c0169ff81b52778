"""The world behind a simulated TGC: what its analyses find, what people do in its own pages, what time brings.

Nothing runs in the background. Each look at a pool first brings it up to the injected clock's moment.
"""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import Final, Self

from playground.estate import (
    OPEN,
    AffinityRule,
    Construction,
    Failure,
    IssueType,
    Json,
    PlanSize,
    Pool,
    Recommendation,
    Run,
    State,
    StateReason,
    Vm,
    VmStore,
)
from playground.execution import COMPLETED, Execution, execution
from playground.planner import INFO_KEYS, Planner
from playground.plausible import Names, outcomes, pool_stat
from playground.refusals import (
    ACCEPT,
    ACKNOWLEDGE,
    CANCEL,
    CHOOSE_ISSUES,
    READ,
    READ_CURRENT,
    RESET,
    UPDATE,
    Verb,
    no_such_object,
)

LIFE: Final = timedelta(hours=12)
HISTORY: Final = timedelta(days=30)


_SEEDED: Final[tuple[tuple[int, tuple[IssueType, ...], int], ...]] = (
    (4, ("SPACE", "IOPS", "FLASH"), 1),
    (2, ("SPACE",), 0),
    (3, ("IOPS", "FLASH"), 0),
    (3, ("FLASH",), 2),
    (3, ("IOPS",), 0),
)
"""The seeded pools in turn: their VMstores, what is found, and how many VMs would lose replication."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class World:
    """`move_minutes` and `rebuild_minutes` may be changed at any time and count for what begins then."""

    def __init__(self, *, seed: int = 1, hostile: bool = False, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.zone: tzinfo = UTC
        """The TGC's own time zone: the offset of every moment it sends."""
        self.pools: list[Pool] = []
        self.vms: dict[str, Vm] = {}
        self.move_minutes = 20.0
        """About how long one move takes."""
        self.rebuild_minutes = 3.0
        """How long the TGC takes to build a recommendation anew."""
        self._random = Random(seed)
        self._names = Names(hostile=hostile)
        self._planner = Planner(self.vms, self._names, self._random)
        self._pools_added = 0
        self._vmstores_added = 0
        self._number_of_pool: dict[str, int] = {}

    @classmethod
    def seeded(
        cls,
        seed: int = 1,
        pools: int = 3,
        moves: int = 4,
        hostile: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Pools with one AVAILABLE recommendation each, all of `moves` moves, each with another finding."""
        world = cls(seed=seed, hostile=hostile, now=now)
        for number in range(pools):
            vmstores, issues, losing = _SEEDED[number % len(_SEEDED)]
            pool = world.add_pool(vmstores=vmstores)
            world.new_recommendation(pool, moves=moves, lose_replication=losing, issues=issues)
        return world

    # What the TGC shows.

    def pool(self, uuid: str) -> Pool:
        """The pool, brought up to now."""
        pool = self._find(uuid)
        if pool is None:
            raise no_such_object("The VMstore pool does not exist.")
        return pool

    def current(self, pool: Pool) -> Recommendation:
        self._advance(pool)
        if pool.current is None:
            raise READ_CURRENT.fail("The VMstore pool has no recommendation.")
        return pool.current

    def read_current(self, pool_uuid: str) -> Recommendation:
        return self.current(self._pool_for(READ_CURRENT, pool_uuid))

    def read(self, pool_uuid: str, recommendation_id: str) -> Recommendation:
        return self._recommendation_for(READ, pool_uuid, recommendation_id)[1]

    def read_history(self, pool_uuid: str) -> list[Recommendation]:
        """Those of the last 30 days with the current one, in no useful order, as the TGC promises none."""
        since = self.now() - HISTORY
        known = self._pool_for(READ, pool_uuid).recommendations()
        return sorted((one for one in known if one.created >= since), key=lambda one: one.id or "")

    def vm(self, uuid: str) -> Vm:
        if uuid not in self.vms:
            raise no_such_object("The virtual machine does not exist.")
        return self.vms[uuid]

    def execution(self, recommendation: Recommendation) -> Execution | None:
        """Where its moves are now; None where nobody accepted it."""
        if recommendation.run is None:
            return None
        return execution(recommendation.waves, recommendation.run, self.now())

    # What clients of the API do; each raises Refused as the TGC would.

    def acknowledge(self, pool_uuid: str, recommendation_id: str) -> None:
        _, recommendation = self._allowed(ACKNOWLEDGE, pool_uuid, recommendation_id)
        self._turn(recommendation, "AVAILABLE_ACKED")
        recommendation.acknowledged = recommendation.updated

    def accept(self, pool_uuid: str, recommendation_id: str) -> None:
        _, recommendation = self._allowed(ACCEPT, pool_uuid, recommendation_id)
        self._turn(recommendation, "ACCEPTED")
        recommendation.run = Run(recommendation.updated, timedelta(minutes=self.move_minutes))

    def set_pace(self, move_minutes: float) -> None:
        """Change `move_minutes` for what runs already too."""
        self.move_minutes = move_minutes
        now = self.now()
        for pool in self.pools:
            for one in pool.recommendations():
                if one.run is not None and one.run.move_time:
                    pace = one.run.move_time / timedelta(minutes=move_minutes)
                    one.run = replace(one.run, paces=(*one.run.paces, (now, pace)))

    def cancel(self, pool_uuid: str, recommendation_id: str) -> None:
        """Refused also where nothing runs any more: there is nothing left to stop."""
        _, recommendation = self._allowed(CANCEL, pool_uuid, recommendation_id)
        running = self.execution(recommendation)
        if recommendation.run is None or running is None or running.state in COMPLETED:
            raise CANCEL.refuse("The recommendation has been completed.")
        self._turn(recommendation, "CANCELLED")
        recommendation.run = replace(recommendation.run, cancelled=recommendation.updated)

    def reset(self, pool_uuid: str, recommendation_id: str) -> None:
        _, recommendation = self._allowed(RESET, pool_uuid, recommendation_id)
        self._turn(recommendation, "INVALIDATED")

    def update(
        self,
        pool_uuid: str,
        recommendation_id: str,
        *,
        feedback: Json | None = None,
        not_now: Collection[str] | None = None,
        keep_current: bool = False,
    ) -> None:
        """Without `keep_current` a changed "not now" list has the TGC build a new recommendation."""
        pool, recommendation = self._allowed(UPDATE, pool_uuid, recommendation_id)
        if feedback is not None:
            recommendation.feedback = feedback
            recommendation.updated = self.now()
        if not_now is None:
            return
        recommendation.not_now = list(not_now)
        recommendation.keep_current = keep_current
        recommendation.updated = self.now()
        if not recommendation.moves:
            self._turn(recommendation, "INVALIDATED", "INVALID_VMS_DONT_MIGRATE_NOW")
            self.unavailable(pool, "UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW")
        elif not keep_current:
            self._turn(recommendation, "INVALIDATED", "INVALID_VMS_DONT_MIGRATE_NOW")
            self._rebuild(pool, recommendation, recommendation.issues)
        else:
            self._foresee(pool, recommendation)

    def choose_issues(
        self, pool_uuid: str, recommendation_id: str, chosen: Mapping[str, Collection[IssueType]]
    ) -> None:
        """`chosen`: the issue types to solve, by VMstore id."""
        pool, recommendation = self._allowed(CHOOSE_ISSUES, pool_uuid, recommendation_id)
        issues = deepcopy(recommendation.issues)
        by_vmstore = {issue["vmStoreId"]: issue for issue in issues}
        for vmstore_id, issue_types in chosen.items():
            _check_choice(by_vmstore.get(vmstore_id), issue_types)
        if not any(chosen.values()):
            raise CHOOSE_ISSUES.refuse("No issue is selected.")
        for issue in issues:
            _select(issue, chosen.get(issue["vmStoreId"], ()))
        self._turn(recommendation, "INVALIDATED")
        self._rebuild(pool, recommendation, issues)

    def set_rule(self, vm_uuid: str, rule: AffinityRule | None, recommendation_id: str | None = None) -> None:
        """`recommendation_id`: a recommendation whose plan shall follow the rule too, while it can be decided."""
        vm = self.vm(vm_uuid)
        found = [(pool, one) for pool in self.pools for one in pool.recommendations() if one.id == recommendation_id]
        if recommendation_id is not None and not found:
            raise no_such_object("The recommendation does not exist.")
        vm.rule = rule
        for pool, recommendation in found:
            self._advance(pool)
            if recommendation is pool.current:
                self._apply_rule(pool, recommendation, vm)

    # What people do in the TGC's own pages.

    def accept_in_gui(self, pool: Pool) -> None:
        self.accept(pool.uuid, _id_of(self.current(pool)))

    def cancel_in_gui(self, pool: Pool) -> None:
        """Cancels what was accepted last."""
        accepted = [one for one in pool.recommendations() if one.state == "ACCEPTED"]
        self.cancel(pool.uuid, _id_of(accepted[-1]))

    # What happens.

    def add_pool(self, name: str | None = None, *, vmstores: int = 3) -> Pool:
        """A pool of two VMstores or more; the first analysis has not been made yet."""
        number = self._pools_added
        self._pools_added += 1
        members = [self._add_vmstore() for _ in range(vmstores)]
        pool = Pool(
            self._planner.new_uuid(),
            self._names.pool(number) if name is None else name,
            self._names.description(number),
            members,
            pool_stat(len(members), self._random),
        )
        self._number_of_pool[pool.uuid] = number
        self.pools.append(pool)
        self.under_construction(pool)
        return pool

    def delete_pool(self, pool: Pool) -> None:
        self.pools.remove(pool)

    def delete_vm(self, vm: Vm) -> None:
        """Recommendations go on naming it, as the TGC's do until it notices."""
        del self.vms[vm.uuid]

    def new_recommendation(
        self,
        pool: Pool,
        *,
        moves: int = 4,
        waves: int = 2,
        lose_replication: int = 0,
        issues: Collection[IssueType] = tuple(INFO_KEYS),
    ) -> Recommendation:
        """The pool's next analysis. What nobody decided expires; what runs goes on."""
        self._advance(pool)
        found = self._planner.issues(pool, issues)
        return self._publish(pool, PlanSize(moves, waves, lose_replication), found, self.now())

    def change_moves(self, pool: Pool) -> None:
        """Other VMs under the same id, which nobody expects."""
        recommendation = self.current(pool)
        shown = {move.vm.uuid for move in recommendation.moves}
        self._draw(pool, recommendation, without=shown)
        recommendation.updated = self.now()

    def fail_move(
        self,
        pool: Pool,
        vm: Vm,
        *,
        category: str = "hypervisor",
        summary: str = "Storage migration failed",
        detail: str = "The host was disconnected during the migration",
    ) -> None:
        """The VM's moves in this pool fail, or will once they run. `category` as the API names them."""
        failure = Failure(category, self._names.sentence(summary), self._names.sentence(detail))
        for recommendation in pool.recommendations():
            for move in recommendation.moves:
                if move.vm is vm:
                    move.failure = failure

    def expire(self, pool: Pool) -> None:
        self._turn(self.current(pool), "EXPIRED")

    def invalidate(self, pool: Pool, reason: StateReason) -> None:
        self._turn(self.current(pool), "INVALIDATED", reason)

    def vanish(self, pool: Pool) -> None:
        """The current recommendation is gone without a trace: reading it fails in the TGC."""
        pool.current = None
        pool.construction = None

    def balanced(self, pool: Pool) -> None:
        self._nothing_to_do(pool, "NO_RECOMMENDATION_NEEDED")

    def unavailable(self, pool: Pool, reason: StateReason | None) -> None:
        self._nothing_to_do(pool, "NO_RECOMMENDATION_AVAILABLE", reason)

    def under_construction(self, pool: Pool) -> None:
        self.unavailable(pool, "UNAVAILABLE_UNDER_CONSTRUCTION")

    def _add_vmstore(self) -> VmStore:
        number = self._vmstores_added
        self._vmstores_added += 1
        return VmStore(self._planner.new_uuid(), self._names.vmstore(number), f"vmstore{number + 1:02}.example.com")

    def _advance(self, pool: Pool) -> None:
        now = self.now()
        building = pool.construction
        if building is not None and now >= building.ready:
            pool.construction = None
            self._publish(pool, building.size, list(building.issues), building.ready, building.not_now)
        current = pool.current
        if current is not None and current.state in OPEN and current.expires is not None and now >= current.expires:
            self._turn(current, "EXPIRED", at=current.expires)

    def _publish(
        self,
        pool: Pool,
        size: PlanSize,
        issues: list[Json],
        created: datetime,
        not_now: Collection[str] = (),
    ) -> Recommendation:
        recommendation = Recommendation(
            self._planner.new_uuid(),
            "AVAILABLE",
            created,
            updated=created,
            expires=created + LIFE,
            size=size,
            issues=issues,
            not_now=list(not_now),
        )
        moving = {move.vm.uuid for one in pool.recommendations() if one.run is not None for move in one.moves}
        self._draw(pool, recommendation, without=moving)
        self._replace_current(pool, recommendation)
        return recommendation

    def _draw(self, pool: Pool, recommendation: Recommendation, without: Collection[str]) -> None:
        recommendation.drawn_waves = self._planner.waves(
            pool,
            self._number_of_pool[pool.uuid],
            recommendation.issues,
            recommendation.size,
            {*without, *recommendation.not_now},
        )
        self._foresee(pool, recommendation)

    def _foresee(self, pool: Pool, recommendation: Recommendation) -> None:
        """What the moves that are left of those drawn would bring."""
        drawn = [move for wave in recommendation.drawn_waves for move in wave]
        losing = {move.vm.uuid for move in drawn[: recommendation.size.lose_replication]}
        recommendation.outcomes = outcomes(
            pool.members, recommendation.issues, recommendation.moves, losing, self._random
        )

    def _rebuild(self, pool: Pool, recommendation: Recommendation, issues: list[Json]) -> None:
        """Has a new recommendation built: for these issues, of as many moves as the old one has left."""
        now = self.now()
        old, not_now = recommendation, recommendation.not_now
        building = Recommendation(
            None, "REFRESH", now, updated=now, state_reason="UNAVAILABLE_UNDER_CONSTRUCTION", not_now=not_now
        )
        self._replace_current(pool, building)
        ready = now + timedelta(minutes=self.rebuild_minutes)
        size = replace(old.size, moves=len(old.moves))
        pool.construction = Construction(ready, size, issues, not_now)

    def _nothing_to_do(self, pool: Pool, state: State, reason: StateReason | None = None) -> None:
        self._advance(pool)
        now = self.now()
        self._replace_current(pool, Recommendation(None, state, now, updated=now, state_reason=reason))

    def _replace_current(self, pool: Pool, recommendation: Recommendation) -> None:
        previous = pool.current
        if previous is not None and previous.id is not None:
            if previous.state in OPEN:
                self._turn(previous, "EXPIRED")
            pool.past.append(previous)
        pool.construction = None
        pool.current = recommendation

    def _apply_rule(self, pool: Pool, recommendation: Recommendation, vm: Vm) -> None:
        if recommendation.state not in OPEN:
            return
        moves = (move for wave in recommendation.drawn_waves for move in wave if move.vm is vm)
        if vm.rule is not None and any(vm.rule.forbids(move.destination) for move in moves):
            recommendation.ruled_out.add(vm.uuid)
        else:
            recommendation.ruled_out.discard(vm.uuid)
        recommendation.updated = self.now()
        if not recommendation.moves:
            self._turn(recommendation, "INVALIDATED", "INVALID_VMS_CHANGED")
            self.unavailable(pool, "UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE")
        else:
            self._foresee(pool, recommendation)

    def _turn(
        self,
        recommendation: Recommendation,
        state: State,
        reason: StateReason | None = None,
        *,
        at: datetime | None = None,
    ) -> None:
        recommendation.state = state
        recommendation.state_reason = reason
        recommendation.updated = self.now() if at is None else at

    def _pool_for(self, verb: Verb, pool_uuid: str) -> Pool:
        """A pool that does not exist is no 404 here: the TGC's recommendation calls fail with 500."""
        pool = self._find(pool_uuid)
        if pool is None:
            raise verb.fail("The VMstore pool does not exist.")
        return pool

    def _find(self, pool_uuid: str) -> Pool | None:
        for pool in self.pools:
            if pool.uuid == pool_uuid:
                self._advance(pool)
                return pool
        return None

    def _recommendation_for(self, verb: Verb, pool_uuid: str, recommendation_id: str) -> tuple[Pool, Recommendation]:
        pool = self._pool_for(verb, pool_uuid)
        for recommendation in pool.recommendations():
            if recommendation.id == recommendation_id:
                return pool, recommendation
        raise verb.fail("The recommendation does not exist.")

    def _allowed(self, verb: Verb, pool_uuid: str, recommendation_id: str) -> tuple[Pool, Recommendation]:
        pool, recommendation = self._recommendation_for(verb, pool_uuid, recommendation_id)
        if recommendation.state not in verb.allowed:
            raise verb.refuse(f"The recommendation is in state {recommendation.state}.")
        return pool, recommendation


def _id_of(recommendation: Recommendation) -> str:
    if recommendation.id is None:
        raise ValueError(f"There is nothing to act on: the pool is in state {recommendation.state}.")
    return recommendation.id


def _check_choice(issue: Json | None, issue_types: Collection[IssueType]) -> None:
    if issue is None:
        raise CHOOSE_ISSUES.refuse("The VMstore has no issue in this recommendation.")
    found = {kind: issue[key] for kind, key in INFO_KEYS.items() if key in issue}
    for kind in issue_types:
        if kind not in found:
            raise CHOOSE_ISSUES.refuse(f"{kind} is no issue of this VMstore that can be selected.")
        if found[kind].get("isDisabled"):
            raise CHOOSE_ISSUES.refuse(f"{kind} is disabled for this VMstore.")


def _select(issue: Json, issue_types: Collection[IssueType]) -> None:
    for kind, key in INFO_KEYS.items():
        if key in issue:
            issue[key]["isSelected"] = kind in issue_types
    issue["vmStoreIsSelected"] = bool(issue_types)
