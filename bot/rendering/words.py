"""The TGC's states, reasons and categories in plain words, with what one can do about them."""

from bot.rendering import limits
from bot.rendering.escape import clean, shorten
from tgc.models import ExecutionState, IssueType, RecommendationState, StateReason

_STATES = {
    RecommendationState.AVAILABLE: "available",
    RecommendationState.AVAILABLE_ACKED: "available, seen by somebody",
    RecommendationState.ACCEPTED: "accepted",
    RecommendationState.CANCELLED: "cancelled",
    RecommendationState.INVALIDATED: "no longer valid",
    RecommendationState.EXPIRED: "expired",
    RecommendationState.REFRESH: "being rebuilt",
    RecommendationState.NO_RECOMMENDATION_NEEDED: "balanced, no recommendation needed",
    RecommendationState.NO_RECOMMENDATION_AVAILABLE: "no recommendation available",
}
_EXECUTION_STATES = {
    ExecutionState.AVAILABLE: "not started",
    ExecutionState.PENDING: "waiting to start",
    ExecutionState.RUNNING: "running",
    ExecutionState.RUNNING_ERROR: "in trouble, not given up",
    ExecutionState.COMPLETED_OK: "done",
    ExecutionState.COMPLETED_FAILED: "failed",
    ExecutionState.CANCELLED_PENDING: "being cancelled",
    ExecutionState.COMPLETED_CANCELLED: "cancelled",
}
_MOVE_STATES = {
    ExecutionState.AVAILABLE: "not started",
    ExecutionState.PENDING: "waiting",
    ExecutionState.RUNNING: "moving",
    ExecutionState.RUNNING_ERROR: "in trouble",
    ExecutionState.COMPLETED_OK: "moved",
    ExecutionState.COMPLETED_FAILED: "failed",
    ExecutionState.CANCELLED_PENDING: "being cancelled",
    ExecutionState.COMPLETED_CANCELLED: "cancelled",
}
_ISSUES = {
    IssueType.SPACE: "space",
    IssueType.IOPS: "load",
    IssueType.FLASH: "flash",
    IssueType.PROTECTION: "replication",
}
_REASONS = {
    StateReason.INVALID_VMS_CHANGED: (
        "a VM of the plan changed",
        "The next analysis plans anew.",
    ),
    StateReason.INVALID_POOL_MEMBER_DELETED: (
        "a VMstore left the pool",
        "The next analysis plans with the VMstores that are left.",
    ),
    StateReason.INVALID_VMS_DONT_MIGRATE_NOW: (
        "VMs of the plan were set to “not now”",
        "The next analysis plans without them.",
    ),
    StateReason.INVALID_SOME_MOUNT_DIRECTORIES_WERE_DELETED: (
        "a mount directory of the plan is gone",
        "Check the hypervisor's datastores; the next analysis plans anew.",
    ),
    StateReason.INVALID_TARGET_VMSTORE_TOO_FULL: (
        "the target VMstore would run out of space",
        "Free space on the target, or wait for the next analysis.",
    ),
    StateReason.UNAVAILABLE_UNDER_CONSTRUCTION: (
        "it is still being built",
        "Look again in a few minutes.",
    ),
    StateReason.UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE: (
        "migration rules leave no VM to move",
        "Check the VMs' migration rules in Tintri Global Center.",
    ),
    StateReason.UNAVAILABLE_POOL_RESOURCES_EXHAUSTED: (
        "no move would help, the whole pool is short of resources",
        "Free space or load, or add a VMstore to the pool.",
    ),
    StateReason.UNAVAILABLE_NO_VALID_RECOMMENDATIONS: (
        "migration rules ruled out all plans",
        "Check the VMs' migration rules in Tintri Global Center.",
    ),
    StateReason.UNAVAILABLE_TOO_MANY_VMS_DONT_MIGRATE_NOW: (
        "too many VMs are set to “not now”",
        "Take VMs off the “not now” list in Tintri Global Center.",
    ),
    StateReason.UNAVAILABLE_INSUFFICIENT_LICENSES: (
        "licences are missing",
        "Check the VMstores' licences in Tintri Global Center.",
    ),
}
_ADVICE = {
    "replication": "Check that the VM's replication is healthy and not busy; the next analysis plans the VM again.",
    "license": "Check the licences of source and destination in Tintri Global Center.",
    "hypervisor": "Look at the migration task in the hypervisor: is the host connected, may it move this VM's storage?",
    "tgc": "Look at the alerts of Tintri Global Center; the next analysis plans the VM again.",
    "vmstore": "Look at the alerts of the source and the destination VMstore.",
}
_GENERAL_ADVICE = "Look at the task in Tintri Global Center; the next analysis plans the VM again."


def state(value: RecommendationState) -> str:
    return _STATES.get(value) or undocumented(value)


def is_documented(value: RecommendationState) -> bool:
    return value in _STATES


def execution_state(value: ExecutionState) -> str:
    return _EXECUTION_STATES.get(value) or undocumented(value)


def move_state(value: ExecutionState) -> str:
    return _MOVE_STATES.get(value) or undocumented(value)


def issue_type(value: IssueType) -> str:
    return _ISSUES.get(value) or undocumented(value)


def reason(value: StateReason) -> str:
    """A clause: `a VM of the plan changed`."""
    known = _REASONS.get(value)
    return known[0] if known else f"Tintri Global Center gives the reason {undocumented(value)}"


def remedy(value: StateReason) -> str:
    """A sentence: what one can do."""
    known = _REASONS.get(value)
    return known[1] if known else "Look at the pool in Tintri Global Center."


def advice(error_category: str | None) -> str:
    """A sentence: what one can do about a failed move."""
    return _ADVICE.get((error_category or "").strip().casefold(), _GENERAL_ADVICE)


def undocumented(value: str) -> str:
    """A word of the TGC's that its reference does not know, shown as it came."""
    return shorten(f"“{clean(value)}”", limits.NAME)


def stopped(text: str) -> str:
    """A sentence with its full stop, unless it has an end of its own."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def counted(number: int, one: str, many: str) -> str:
    """`1 VM`, `4 VMs`."""
    return f"{number:,} {one if number == 1 else many}"


def resume_command(pool_name: str | None) -> str:
    """What ends the pause of that pool and no other; None: that of every pool."""
    return "/tintri resume" if pool_name is None else f"/tintri resume {pool_name}"


def listed(names: tuple[str, ...], shown: int) -> str:
    """`a, b and 3 more`."""
    if len(names) <= shown:
        return ", ".join(names)
    return f"{', '.join(names[:shown])} and {len(names) - shown:,} more"
