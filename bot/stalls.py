"""Which moves make no progress: told from reading to reading, kept with what was read. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from bot.recommendations import is_running
from tgc.models import ActionResult, ExecutionState, Recommendation

_UNDER_WAY = frozenset({ExecutionState.RUNNING, ExecutionState.RUNNING_ERROR})


class MoveSeen(msgspec.Struct, frozen=True, kw_only=True):
    """How far a move was when it was under way, and since when."""

    state: str
    percent: int | None
    said: str | None
    since: datetime
    stalled: bool = False
    told: bool = False
    """Whether it was called stalled before: it is called so once."""


def watch_moves(
    before: Mapping[str, MoveSeen], recommendation: Recommendation, read_at: datetime, stall_after: timedelta
) -> Mapping[str, MoveSeen]:
    """What is known of the moves after a reading, by VM. One of which the TGC tells no progress is never stalled."""
    if not is_running(recommendation):
        return before
    seen = {
        action.vm: _look(before.get(action.vm), action.result, read_at, stall_after)
        for group in recommendation.action_groups
        for action in group.actions
        if action.result is not None and action.result.state in _UNDER_WAY
    }
    return {**before, **seen}


def newly_stalled(before: Mapping[str, MoveSeen], now: Mapping[str, MoveSeen]) -> tuple[str, ...]:
    """VMs whose moves were called stalled between the two."""
    return tuple(vm for vm, move in now.items() if move.told and not (vm in before and before[vm].told))


def stalled(seen: Mapping[str, MoveSeen]) -> dict[str, datetime]:
    """VMs whose moves stall, and since when."""
    return {vm: move.since for vm, move in seen.items() if move.stalled}


def _look(before: MoveSeen | None, result: ActionResult, read_at: datetime, stall_after: timedelta) -> MoveSeen:
    now = MoveSeen(
        state=str(result.state),
        percent=result.progress,
        said=result.progress_info or None,
        since=read_at,
        told=before is not None and before.told,
    )
    if before is None or (now.state, now.percent, now.said) != (before.state, before.percent, before.said):
        return now
    if read_at < before.since:  # the clock was set back
        return now
    tells_progress = now.percent is not None or now.said is not None
    if before.stalled or not tells_progress or read_at - before.since < stall_after:
        return before
    return msgspec.structs.replace(before, stalled=True, told=True)
