"""What the TGC sends, as its v310 reference names it (`vmStoreId` becomes `vm_store_id`: same word, same unit).

Nearly everything is optional there, so it is here. Units are in the names; `probability` may come as 0-1 or
0-100, `severity` is a small integer (higher is worse), `progress` is 0-100.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""`2015-03-11T15:00:00.915-08:00`: always with an offset."""


Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Java's `long`: anything longer is no number that the TGC could mean."""


class OpenStrEnum(StrEnum):
    """A StrEnum that survives a value the reference does not document yet."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = "UNDOCUMENTED"
        member._value_ = value
        return member


class RecommendationState(OpenStrEnum):
    AVAILABLE = "AVAILABLE"
    AVAILABLE_ACKED = "AVAILABLE_ACKED"
    ACCEPTED = "ACCEPTED"
    CANCELLED = "CANCELLED"
    INVALIDATED = "INVALIDATED"
    EXPIRED = "EXPIRED"
    REFRESH = "REFRESH"
    NO_RECOMMENDATION_NEEDED = "NO_RECOMMENDATION_NEEDED"
    NO_RECOMMENDATION_AVAILABLE = "NO_RECOMMENDATION_AVAILABLE"


class ExecutionState(OpenStrEnum):
    AVAILABLE = "AVAILABLE"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    RUNNING_ERROR = "RUNNING_ERROR"
    COMPLETED_OK = "COMPLETED_OK"
    COMPLETED_FAILED = "COMPLETED_FAILED"
    CANCELLED_PENDING = "CANCELLED_PENDING"
    COMPLETED_CANCELLED = "COMPLETED_CANCELLED"

    @property
    def is_end(self) -> bool:
        """Nothing follows. RUNNING_ERROR is trouble, not an end."""
        return self in {
            ExecutionState.COMPLETED_OK,
            ExecutionState.COMPLETED_FAILED,
            ExecutionState.COMPLETED_CANCELLED,
        }


class StateReason(OpenStrEnum):
    INVALID_VMS_CHANGED = "INVALID_VMS_CHANGED"
    INVALID_POOL_MEMBER_DELETED = "INVALID_POOL_MEMBER_DELETED"
    INVALID_VMS_DONT_MIGRATE_NOW = "INVALID_VMS_DONT_MIGRATE_NOW"
    INVALID_SOME_MOUNT_DIRECTORIES_WERE_DELETED = "INVALID_SOME_MOUNT_DIRECTORIES_WERE_DELETED"
    INVALID_TARGET_VMSTORE_TOO_FULL = "INVALID_TARGET_VMSTORE_TOO_FULL"
    UNAVAILABLE_UNDER_CONSTRUCTION = "UNAVAILABLE_UNDER_CONSTRUCTION"
    UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE = "UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE"
    UNAVAILABLE_POOL_RESOURCES_EXHAUSTED = "UNAVAILABLE_POOL_RESOURCES_EXHAUSTED"
    UNAVAILABLE_NO_VALID_RECOMMENDATIONS = "UNAVAILABLE_NO_VALID_RECOMMENDATIONS"
    UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW = "UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW"
    UNAVAILABLE_INSUFFICIENT_LICENSES = "UNAVAILABLE_INSUFFICIENT_LICENSES"


class IssueType(OpenStrEnum):
    SPACE = "SPACE"
    IOPS = "IOPS"
    FLASH = "FLASH"
    PROTECTION = "PROTECTION"


class AffinityRuleType(OpenStrEnum):
    NEVER = "NEVER"
    EXCLUDE_DATASTORES = "EXCLUDE_DATASTORES"


class TgcModel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base of all that the TGC sends: immutable, unknown keys ignored.

    What came from JSON holds no cycle, so Python need not look for one in hundreds of thousands of parts.
    """


class SpaceAnalysis(TgcModel, frozen=True, kw_only=True):
    is_selected: bool | None = None
    is_disabled: bool | None = None
    severity: Int64 | None = None
    probability: float | None = None
    space_threshold_percent: float | None = None
    space_used_physical_percent: float | None = None
    space_used_physical_gib: float | None = msgspec.field(default=None, name="spaceUsedPhysicalGiB")
    space_used_physical_change: float | None = None
    """GiB a week."""
    summary: str | None = None


class IopsAnalysis(TgcModel, frozen=True, kw_only=True):
    is_selected: bool | None = None
    is_disabled: bool | None = None
    severity: Int64 | None = None
    load_threshold_percent: float | None = None
    percent_of_week_under_load: float | None = None
    latency_storage_ms: float | None = None
    throughput_total_mbps: float | None = msgspec.field(default=None, name="throughputTotalMBps")
    total_iops: Int64 | None = None
    summary: str | None = None


class FlashAnalysis(TgcModel, frozen=True, kw_only=True):
    is_selected: bool | None = None
    is_disabled: bool | None = None
    severity: Int64 | None = None
    flash_hit_rate_percent: float | None = None
    flash_hit_rate_percent_minimum: float | None = None
    flash_hit_rate_percent_maximum: float | None = None
    flash_hit_rate_threshold_percent: float | None = None
    latency_flash_ms: float | None = None
    summary: str | None = None


class Analysis(TgcModel, frozen=True, kw_only=True):
    """The issues of one VMstore (`RecommendationAnalysis`), forecast for the next 7 days."""

    vm_store_id: str | None = None
    vm_store_display_name: str | None = None
    vm_store_is_selected: bool | None = None
    summary: str | None = None
    space_info: SpaceAnalysis | None = None
    iops_info: IopsAnalysis | None = None
    flash_info: FlashAnalysis | None = None

    @property
    def found(self) -> Mapping[IssueType, SpaceAnalysis | IopsAnalysis | FlashAnalysis]:
        """The issues that are there, by their types."""
        infos = (
            (IssueType.SPACE, self.space_info),
            (IssueType.IOPS, self.iops_info),
            (IssueType.FLASH, self.flash_info),
        )
        return {issue_type: info for issue_type, info in infos if info is not None}


class ActionResult(TgcModel, frozen=True, kw_only=True):
    state: ExecutionState | None = None
    progress: Int64 | None = None
    """0-100, as far as anybody knows."""
    progress_info: str | None = None
    started_time: Moment | None = None
    completion_time: Moment | None = None
    last_updated_time: Moment | None = None
    error_category: str | None = None
    """One of replication, license, hypervisor, TGC, VMSTORE."""
    error_summary: str | None = None
    error_detail: str | None = None


class Action(TgcModel, frozen=True, kw_only=True):
    """One move of one VM (`RecommendationAction`)."""

    issue_types: tuple[IssueType, ...] = ()
    target_vm_display_name: str | None = None
    target_vm_tintri_uuid: str | None = None
    source_datastore: str | None = None
    source_datastore_display_name: str | None = None
    source_datastore_tintri_uuid: str | None = None
    destination_datastore: str | None = None
    destination_datastore_display_name: str | None = None
    destination_datastore_tintri_uuid: str | None = None
    result: ActionResult | None = None

    @property
    def vm(self) -> str:
        """The VM's id; its name where the TGC gives no id."""
        return self.target_vm_tintri_uuid or self.target_vm_display_name or ""


class ActionGroup(TgcModel, frozen=True, kw_only=True):
    """Moves that may run in parallel; groups run in order."""

    actions: tuple[Action, ...] = ()


class SpaceOutcome(TgcModel, frozen=True, kw_only=True):
    probability: float | None = None
    space_threshold_percent: float | None = None
    space_changed_physical_gib: float | None = msgspec.field(default=None, name="spaceChangedPhysicalGiB")
    """Negative is freed, as far as anybody knows."""
    summary: str | None = None


class IopsOutcome(TgcModel, frozen=True, kw_only=True):
    load_threshold_percent: float | None = None
    predicted_load_week_percent: float | None = None
    predicted_outcome_load_week_percent: float | None = None
    summary: str | None = None


class FlashOutcome(TgcModel, frozen=True, kw_only=True):
    flash_hit_rate_percent: float | None = None
    changed_latency_ms: float | None = None
    summary: str | None = None


class ProtectionOutcome(TgcModel, frozen=True, kw_only=True):
    """VMs that would lose replication to their configured destination."""

    vm_tintri_uuids: tuple[str, ...] = ()
    summary: str | None = None


class Outcome(TgcModel, frozen=True, kw_only=True):
    """What the moves would bring to one VMstore (`RecommendationOutcome`)."""

    vm_store_id: str | None = None
    vm_store_display_name: str | None = None
    summary: str | None = None
    space_info: SpaceOutcome | None = None
    iops_info: IopsOutcome | None = None
    flash_info: FlashOutcome | None = None
    protection_info: ProtectionOutcome | None = None


class Feedback(TgcModel, frozen=True, kw_only=True):
    state: str | None = None
    """VERY_HELPFUL to NOT_HELPFUL; the values between are not documented."""
    comment: str | None = None


class Recommendation(TgcModel, frozen=True, kw_only=True):
    """A pool's recommendation; for the NO_RECOMMENDATION_* states even `id` may be missing."""

    id: str | None = None
    vmstore_pool_id: str | None = None
    state: RecommendationState | None = None
    state_reason: StateReason | None = None
    execution_state: ExecutionState | None = None
    keep_current: bool | None = None
    creation_time: Moment | None = None
    last_updated_time: Moment | None = None
    acknowledged_time: Moment | None = None
    accepted_time: Moment | None = None
    completion_time: Moment | None = None
    expiration_time: Moment | None = None
    vm_affinity_not_now_tintri_uuids: tuple[str, ...] = ()
    issues: tuple[Analysis, ...] = ()
    action_groups: tuple[ActionGroup, ...] = ()
    expected_outcomes: tuple[Outcome, ...] = ()
    feedback: Feedback | None = None
    unreadable: tuple[str, ...] = ()
    """JSON pointers of the parts that were dropped because they are mistyped; never from the wire."""


class Uuid(TgcModel, frozen=True, kw_only=True):
    uuid: str | None = None


class VmStore(TgcModel, frozen=True, kw_only=True):
    uuid: Uuid | None = None
    hostname: str | None = None


class PoolStat(TgcModel, frozen=True, kw_only=True):
    """The fields that are real; the TGC fills the others with -1, 0 or 1."""

    vms_count: Int64 | None = None
    space_total_gib: float | None = msgspec.field(default=None, name="spaceTotalGiB")
    space_used_physical_gib: float | None = msgspec.field(default=None, name="spaceUsedPhysicalGiB")
    operations_total_iops: Int64 | None = None
    throughput_total_mbps: float | None = msgspec.field(default=None, name="throughputTotalMBps")
    latency_total_ms: float | None = None
    performance_reserve_used: float | None = None


class Pool(TgcModel, frozen=True, kw_only=True):
    """A set of VMstores (`VmstorePool`). `uuid` is flat here; a pool without one is dropped."""

    uuid: str
    name: str | None = None
    description: str | None = None
    members: tuple[VmStore, ...] = ()
    stat: PoolStat | None = None


class Info(TgcModel, frozen=True, kw_only=True):
    """`GET /info`, which needs no session."""

    product_name: str | None = None
    preferred_version: str | None = None


class Session(TgcModel, frozen=True, kw_only=True):
    """`UserSession`."""

    user_name: str | None = None
    roles: tuple[str, ...] = ()
    login_time: Moment | None = None
    expiration_time: Moment | None = None


class IssueSelection(TgcModel, frozen=True, kw_only=True):
    """One VMstore's issues to solve. Mind the spelling: `vmstoreId` here, `vmStoreId` in an analysis."""

    vmstore_id: str
    issue_types: tuple[IssueType, ...]


class AffinityRule(TgcModel, frozen=True, kw_only=True):
    """A VM's permanent migration rule; without `rule_type` it clears the rule."""

    rule_type: AffinityRuleType | None = None
    vmstore_tintri_uuids: tuple[str, ...] = ()
    recommendation_uuid: str | None = None
