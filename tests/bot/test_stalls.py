from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.stalls import MoveSeen, newly_stalled, stalled, watch_moves
from tgc.models import Action, ActionGroup, ActionResult, ExecutionState, Recommendation, RecommendationState

START = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
RUNNING, TROUBLE = ExecutionState.RUNNING, ExecutionState.RUNNING_ERROR


def reading(
    percent: int | None, state: ExecutionState = RUNNING, said: str | None = None, whole: ExecutionState = RUNNING
) -> Recommendation:
    result = ActionResult(state=state, progress=percent, progress_info=said)
    return Recommendation(
        state=RecommendationState.ACCEPTED,
        execution_state=whole,
        action_groups=(ActionGroup(actions=(Action(target_vm_tintri_uuid="vm-1", result=result),)),),
    )


def seen(*readings: tuple[float, Recommendation]) -> list[Mapping[str, MoveSeen]]:
    """What is known before and after each reading, given with its minute."""
    known: list[Mapping[str, MoveSeen]] = [{}]
    for minute, read in readings:
        known.append(watch_moves(known[-1], read, START + timedelta(minutes=minute), HALF_AN_HOUR))
    return known


def calls(*readings: tuple[float, Recommendation]) -> list[tuple[str, ...]]:
    known = seen(*readings)
    return [newly_stalled(before, after) for before, after in pairwise(known)]


def test_a_move_without_progress_is_called_stalled_once_and_since_when() -> None:
    same = reading(42)
    assert calls((0, same), (29.9, same), (30, same), (31, same), (90, same)) == [(), (), ("vm-1",), (), ()]
    assert stalled(seen((0, same), (30, same))[-1]) == {"vm-1": START}


def test_one_that_gets_on_does_not_stall_any_more_and_is_not_called_so_again() -> None:
    readings = [(0, reading(42)), (30, reading(42)), (31, reading(43))]
    assert stalled(seen(*readings)[-1]) == {}
    readings += [(61, reading(43))]
    assert stalled(seen(*readings)[-1]) == {"vm-1": START + timedelta(minutes=31)}
    assert calls(*readings) == [(), ("vm-1",), (), ()]


@pytest.mark.parametrize("changed", [reading(43), reading(42, TROUBLE), reading(42, said="Copying disk 2 of 3")])
def test_whatever_the_tgc_says_anew_is_progress(changed: Recommendation) -> None:
    assert calls((0, reading(42)), (20, changed), (31, changed)) == [(), (), ()]
    assert calls((0, reading(42)), (20, changed), (50, changed)) == [(), (), ("vm-1",)]


def test_where_the_clock_is_set_back_it_is_counted_anew() -> None:
    assert calls((0, reading(42)), (-600, reading(42)), (-575, reading(42))) == [(), (), ()]
    assert calls((0, reading(42)), (-600, reading(42)), (-570, reading(42))) == [(), (), ("vm-1",)]


def test_where_the_tgc_tells_no_progress_nothing_is_called_stalled() -> None:
    assert calls((0, reading(None)), (300, reading(None))) == [(), ()]


@pytest.mark.parametrize("state", [ExecutionState.PENDING, ExecutionState.COMPLETED_OK, ExecutionState.AVAILABLE])
def test_what_is_not_under_way_does_not_stall(state: ExecutionState) -> None:
    assert calls((0, reading(0, state)), (300, reading(0, state))) == [(), ()]


def test_at_the_end_of_all_nothing_changes_any_more() -> None:
    ended = reading(42, whole=ExecutionState.COMPLETED_FAILED)
    assert calls((0, reading(42)), (300, ended)) == [(), ()]
