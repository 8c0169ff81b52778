from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.readings import PoolReading
from bot.silence import is_late, newest_due_analysis
from tgc.models import ExecutionState, Pool, Recommendation, RecommendationState, StateReason

PRAGUE = ZoneInfo("Europe/Prague")
ANALYSIS = datetime(2026, 3, 10, 6, 0, tzinfo=PRAGUE)
BEFORE, AFTER = ANALYSIS - timedelta(hours=12), ANALYSIS + timedelta(minutes=1)
AVAILABLE = RecommendationState.AVAILABLE


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-10T06:29:59+01:00", "2026-03-09T18:00:00+01:00"),
        ("2026-03-10T06:30:00+01:00", "2026-03-10T06:00:00+01:00"),
        ("2026-03-10T18:29:00+01:00", "2026-03-10T06:00:00+01:00"),
        ("2026-03-10T23:00:00+01:00", "2026-03-10T18:00:00+01:00"),
        # The clock was changed in between.
        ("2026-03-29T06:30:00+02:00", "2026-03-29T06:00:00+02:00"),
        ("2026-10-25T06:29:00+01:00", "2026-10-24T18:00:00+02:00"),
    ],
)
def test_an_analysis_is_due_half_an_hour_after_its_time_in_the_tgcs_zone(now: str, due: str) -> None:
    found = newest_due_analysis(PRAGUE, datetime.fromisoformat(now).astimezone(UTC))
    assert found == datetime.fromisoformat(due)


def reading(
    made: datetime | None,
    state: RecommendationState = AVAILABLE,
    execution_state: ExecutionState | None = None,
    reason: StateReason | None = None,
) -> PoolReading:
    made_ = Recommendation(state=state, execution_state=execution_state, creation_time=made, state_reason=reason)
    return PoolReading(tgc_key="default", pool=Pool(uuid="p"), read_at=AFTER, recommendation=made_)


@pytest.mark.parametrize(
    ("shown", "late"),
    [
        (reading(BEFORE), True),
        (reading(AFTER), False),
        (reading(ANALYSIS), False),
        (reading(BEFORE, RecommendationState.EXPIRED), True),
        (reading(BEFORE, RecommendationState.NO_RECOMMENDATION_NEEDED), True),
        (reading(None, RecommendationState.NO_RECOMMENDATION_NEEDED), False),
        (reading(BEFORE, RecommendationState.REFRESH), False),
        (reading(BEFORE, reason=StateReason.UNAVAILABLE_UNDER_CONSTRUCTION), False),
        (reading(BEFORE, RecommendationState.ACCEPTED, ExecutionState.RUNNING), False),
        (reading(BEFORE, RecommendationState.ACCEPTED, ExecutionState.COMPLETED_OK), True),
        (reading(BEFORE.astimezone(ZoneInfo("America/New_York"))), False),
    ],
)
def test_what_is_dated_before_the_analysis_shows_nothing_of_it(shown: PoolReading, late: bool) -> None:
    assert is_late(shown, ANALYSIS, PRAGUE) is late
