"""What a recommendation is to those who decide on it: its identity, its plan, where it stands. Pure."""

import hashlib
import re
from datetime import datetime

import msgspec

from bot.rendering.views import Progress, Standing
from tgc.models import Action, ExecutionState, IssueType, Recommendation, RecommendationState, StateReason

_OPEN_STATES = frozenset({RecommendationState.AVAILABLE, RecommendationState.AVAILABLE_ACKED})
_EXECUTING_STATES = frozenset({RecommendationState.ACCEPTED, RecommendationState.CANCELLED})

# Parts of the answer that say what would be moved and what would lose replication. `result` and `issueTypes` do not.
_PLAN_PATH = re.compile(
    r"/actionGroups(/\d+(/actions(/\d+(/(target|source|destination)\w*)?)?)?)?"
    r"|/expectedOutcomes(/\d+(/protectionInfo(/vmTintriUuids(/\d+)?)?)?)?"
)


class Key(msgspec.Struct, frozen=True):
    """What names a recommendation, at the TGC and here."""

    tgc_key: str
    pool_uuid: str
    recommendation_id: str


class Move(msgspec.Struct, frozen=True):
    """One VM's way, by the TGC's ids; by names only where it gives no ids."""

    vm: str
    source: str
    destination: str


class Plan(msgspec.Struct, frozen=True):
    """What accepting would do: the content that an offer stores and a decision is held against."""

    groups: tuple[tuple[Move, ...], ...]
    unprotected: tuple[str, ...]
    """VMs that would lose replication, sorted."""
    whole: bool
    """Whether every move could be read. A plan that nobody could see is not accepted here."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the ordered groups and the VMs that lose replication, and nothing else."""
        return hashlib.sha256(msgspec.json.encode((self.groups, self.unprotected))).hexdigest()


def plan_of(recommendation: Recommendation) -> Plan:
    groups = tuple(
        tuple(_move(action) for action in group.actions) for group in recommendation.action_groups if group.actions
    )
    unprotected = {
        uuid
        for outcome in recommendation.expected_outcomes
        if outcome.protection_info
        for uuid in outcome.protection_info.vm_tintri_uuids
    }
    identified = all(move.vm and move.source and move.destination for group in groups for move in group)
    lost = any(_PLAN_PATH.fullmatch(path) for path in recommendation.unreadable)
    return Plan(groups, tuple(sorted(unprotected)), whole=bool(groups) and identified and not lost)


def is_other_plan(running: Plan, offered: Plan) -> bool:
    """Whether what runs is not what was offered. A plan that cannot be read whole proves nothing."""
    return running.whole and (
        running.groups != offered.groups or not set(running.unprotected) <= set(offered.unprotected)
    )


def _move(action: Action) -> Move:
    return Move(
        vm=action.vm,
        source=action.source_datastore_tintri_uuid
        or action.source_datastore
        or action.source_datastore_display_name
        or "",
        destination=action.destination_datastore_tintri_uuid
        or action.destination_datastore
        or action.destination_datastore_display_name
        or "",
    )


def is_open(recommendation: Recommendation) -> bool:
    """The TGC would still take a decision on it."""
    return recommendation.state in _OPEN_STATES


def types_of_moves(recommendation: Recommendation) -> frozenset[IssueType]:
    """What its moves are to solve; the TGC may leave that out."""
    actions = (action for group in recommendation.action_groups for action in group.actions)
    return frozenset(issue_type for action in actions for issue_type in action.issue_types)


def is_expired(recommendation: Recommendation, now: datetime) -> bool:
    return recommendation.expiration_time is not None and recommendation.expiration_time <= now


def is_final(recommendation: Recommendation) -> bool:
    """Nothing about it will change at the TGC any more."""
    match recommendation.state:
        case RecommendationState.INVALIDATED | RecommendationState.EXPIRED:
            return True
        case RecommendationState.ACCEPTED:
            return recommendation.execution_state is not None and recommendation.execution_state.is_end
        case RecommendationState.CANCELLED:
            return recommendation.execution_state is None or recommendation.execution_state.is_end
        case _:
            return False


def is_building(recommendation: Recommendation) -> bool:
    """The TGC is still at work on it: worth another look soon."""
    return (
        recommendation.state == RecommendationState.REFRESH
        or recommendation.state_reason == StateReason.UNAVAILABLE_UNDER_CONSTRUCTION
    )


def is_running(recommendation: Recommendation) -> bool:
    """Accepted or cancelled, and not at its end yet."""
    state = recommendation.execution_state or ExecutionState.AVAILABLE
    return recommendation.state in _EXECUTING_STATES and not state.is_end


def standing_of(
    recommendation: Recommendation, *, now: datetime, deciding: bool, dismissed: bool, accepted: bool
) -> Standing:
    """Where it stands. `accepted`: the TGC took our accept, which the reading may not show yet."""
    match recommendation.state:
        case RecommendationState.AVAILABLE | RecommendationState.AVAILABLE_ACKED:
            return _undecided(recommendation, now=now, deciding=deciding, dismissed=dismissed, accepted=accepted)
        case RecommendationState.ACCEPTED | RecommendationState.CANCELLED:
            return _executing(recommendation)
        case RecommendationState.INVALIDATED:
            return Standing.INVALIDATED
        case RecommendationState.EXPIRED:
            return Standing.EXPIRED
        case RecommendationState.NO_RECOMMENDATION_NEEDED:
            return Standing.BALANCED
        case _:
            return Standing.BUILDING if is_building(recommendation) else Standing.UNAVAILABLE


def _undecided(
    recommendation: Recommendation, *, now: datetime, deciding: bool, dismissed: bool, accepted: bool
) -> Standing:
    if accepted:
        return Standing.RUNNING
    if deciding:
        return Standing.DECIDING
    if is_expired(recommendation, now):
        return Standing.EXPIRED
    return Standing.DISMISSED if dismissed else Standing.OFFERED


def _executing(recommendation: Recommendation) -> Standing:
    match recommendation.execution_state:
        case ExecutionState.COMPLETED_OK:
            return Standing.DONE
        case ExecutionState.COMPLETED_FAILED:
            return Standing.FAILED
        case ExecutionState.COMPLETED_CANCELLED:
            return Standing.CANCELLED
        case None if recommendation.state == RecommendationState.CANCELLED:
            return Standing.CANCELLED
        case _:
            return Standing.RUNNING


def without_progress(recommendation: Recommendation) -> Recommendation:
    """The same without how far each move is: what is left changes with the state of a move, not with its percents."""
    return msgspec.structs.replace(
        recommendation,
        action_groups=tuple(
            msgspec.structs.replace(group, actions=tuple(map(_without_progress, group.actions)))
            for group in recommendation.action_groups
        ),
    )


def _without_progress(action: Action) -> Action:
    if action.result is None:
        return action
    return msgspec.structs.replace(
        action, result=msgspec.structs.replace(action.result, progress=None, progress_info=None)
    )


def progress_of(recommendation: Recommendation) -> Progress:
    results = [action.result for group in recommendation.action_groups for action in group.actions]
    moved = sum(1 for result in results if result and result.state == ExecutionState.COMPLETED_OK)
    return Progress(moved=moved, total=len(results))
