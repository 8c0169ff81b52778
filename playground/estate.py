"""What stands behind a simulated TGC: pools, VMstores, VMs and the recommendations about them.

Plain data, to be looked at and changed by tests and by the playground's page. `issues` and `outcomes` are JSON in
the documented shape, so that any key can be taken away; the moves are records, because they run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

Json = dict[str, Any]
IssueType = Literal["SPACE", "IOPS", "FLASH"]
"""What an analysis can find. PROTECTION exists only as an outcome."""

State = Literal[
    "AVAILABLE",
    "AVAILABLE_ACKED",
    "ACCEPTED",
    "CANCELLED",
    "INVALIDATED",
    "EXPIRED",
    "REFRESH",
    "NO_RECOMMENDATION_NEEDED",
    "NO_RECOMMENDATION_AVAILABLE",
]
StateReason = Literal[
    "INVALID_VMS_CHANGED",
    "INVALID_POOL_MEMBER_DELETED",
    "INVALID_VMS_DONT_MIGRATE_NOW",
    "INVALID_SOME_MOUNT_DIRECTORIES_WERE_DELETED",
    "INVALID_TARGET_VMSTORE_TOO_FULL",
    "UNAVAILABLE_UNDER_CONSTRUCTION",
    "UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE",
    "UNAVAILABLE_POOL_RESOURCES_EXHAUSTED",
    "UNAVAILABLE_NO_VALID_RECOMMENDATIONS",
    "UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW",
    "UNAVAILABLE_INSUFFICIENT_LICENSES",
]
OPEN: Final[frozenset[State]] = frozenset({"AVAILABLE", "AVAILABLE_ACKED"})
"""The states in which somebody can still decide."""

SETTLING_SHARE: Final = 0.05


@dataclass
class VmStore:
    uuid: str
    name: str
    hostname: str


@dataclass
class AffinityRule:
    """A VM's permanent rule: move it never, or not to these VMstores."""

    rule_type: Literal["NEVER", "EXCLUDE_DATASTORES"]
    vmstore_uuids: list[str] = field(default_factory=list)

    def forbids(self, destination: VmStore) -> bool:
        return self.rule_type == "NEVER" or destination.uuid in self.vmstore_uuids


@dataclass
class Vm:
    uuid: str
    name: str
    vmstore: VmStore
    space_gib: float
    rule: AffinityRule | None = None


@dataclass
class Failure:
    category: str
    """One of replication, license, hypervisor, TGC, VMSTORE."""
    summary: str
    detail: str
    at_percent: int = 37


@dataclass
class Move:
    vm: Vm
    source: VmStore
    destination: VmStore
    issue_types: list[IssueType]
    weight: float
    """How long it takes, as a multiple of the run's `move_time`."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Run:
    """The moments at which people acted on an accepted recommendation."""

    accepted: datetime
    move_time: timedelta
    """What a move of weight 1 takes."""
    cancelled: datetime | None = None
    paces: tuple[tuple[datetime, float], ...] = ()
    """Since when it runs so many times as fast as `move_time` says, in order."""

    def planned(self, moment: datetime) -> datetime:
        """When it would be as far as it is at that moment, had its pace never changed."""
        since, planned, pace = self.accepted, self.accepted, 1.0
        for changed, new_pace in self.paces:
            if moment <= changed:
                break
            since, planned, pace = changed, planned + (changed - since) * pace, new_pace
        return planned + (moment - since) * pace

    def real(self, planned: datetime) -> datetime:
        """The moment that `planned` gives this for."""
        since, pace = self.accepted, 1.0
        for changed, new_pace in self.paces:
            if planned <= self.planned(changed):
                break
            since, pace = changed, new_pace
        return since + (planned - self.planned(since)) / pace

    @property
    def settling(self) -> timedelta:
        """What passes before the first wave begins, and at least between a cancel and its end."""
        return self.move_time * SETTLING_SHARE


@dataclass(frozen=True)
class PlanSize:
    """How large a recommendation is wanted."""

    moves: int
    waves: int
    lose_replication: int


NOTHING_TO_MOVE: Final = PlanSize(moves=0, waves=1, lose_replication=0)


@dataclass
class Recommendation:
    id: str | None
    state: State
    created: datetime
    updated: datetime
    expires: datetime | None = None
    state_reason: StateReason | None = None
    acknowledged: datetime | None = None
    run: Run | None = None
    size: PlanSize = NOTHING_TO_MOVE
    issues: list[Json] = field(default_factory=list)
    drawn_waves: list[list[Move]] = field(default_factory=list)
    """The moves as the analysis drew them."""
    outcomes: list[Json] = field(default_factory=list)
    not_now: list[str] = field(default_factory=list)
    """Ids of VMs that people do not want to move now."""
    ruled_out: set[str] = field(default_factory=set)
    """Ids of VMs that a new affinity rule took out of this very recommendation."""
    keep_current: bool = False
    feedback: Json | None = None

    @property
    def waves(self) -> list[list[Move]]:
        """What would be moved: the drawn moves without the VMs that people or rules took out."""
        left = ([move for move in wave if not self.leaves_out(move.vm.uuid)] for wave in self.drawn_waves)
        return [wave for wave in left if wave]

    @property
    def moves(self) -> list[Move]:
        return [move for wave in self.waves for move in wave]

    def leaves_out(self, vm_uuid: str) -> bool:
        return vm_uuid in self.not_now or vm_uuid in self.ruled_out


@dataclass(frozen=True)
class Construction:
    """A recommendation that the TGC builds anew, done at `ready`."""

    ready: datetime
    size: PlanSize
    issues: Sequence[Json]
    not_now: Sequence[str]


@dataclass
class Pool:
    uuid: str
    name: str
    description: str
    members: list[VmStore]
    stat: Json
    current: Recommendation | None = None
    """None once it has vanished: reading it then fails in the TGC."""
    past: list[Recommendation] = field(default_factory=list)
    construction: Construction | None = None

    def recommendations(self) -> list[Recommendation]:
        """All that have an id: the past ones, then the current one."""
        known = [*self.past, self.current]
        return [one for one in known if one is not None and one.id is not None]
