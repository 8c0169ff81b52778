"""When the bot posts: at 06:15 and 18:15 on the wall clock of the TGC's zone, also where the clock is changed."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.watch import next_run

TWICE_A_DAY = "15 6,18 * * *"
PRAGUE = ZoneInfo("Europe/Prague")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [PRAGUE, NEW_YORK, ZoneInfo("UTC"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")]


def runs(schedule: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    found = [after]
    for _ in range(count):
        found.append(next_run(schedule, zone, found[-1]))
    return found[1:]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "midnight", "morning", "evening"),
    [
        (PRAGUE, "2026-03-28T23:00Z", "2026-03-29T04:15Z", "2026-03-29T16:15Z"),
        (PRAGUE, "2026-10-24T22:00Z", "2026-10-25T05:15Z", "2026-10-25T17:15Z"),
        (NEW_YORK, "2026-03-08T05:00Z", "2026-03-08T10:15Z", "2026-03-08T22:15Z"),
        (NEW_YORK, "2026-11-01T04:00Z", "2026-11-01T11:15Z", "2026-11-01T23:15Z"),
    ],
)
def test_on_the_days_when_the_clock_is_changed_it_runs_at_the_same_wall_clock_times(
    zone: ZoneInfo, midnight: str, morning: str, evening: str
) -> None:
    assert runs(TWICE_A_DAY, zone, at(midnight), 2) == [at(morning), at(evening)]


def test_a_time_that_the_clock_skips_runs_right_after_the_gap() -> None:
    assert next_run("30 2 * * *", PRAGUE, at("2026-03-28T23:00Z")) == at("2026-03-29T01:00Z")


def test_a_time_that_the_clock_shows_twice_runs_once() -> None:
    first, second = runs("30 2 * * *", PRAGUE, at("2026-10-24T22:00Z"), 2)
    assert (first, second) == (at("2026-10-25T00:30Z"), at("2026-10-26T01:30Z"))


def test_the_very_moment_of_a_run_is_not_its_own_next() -> None:
    assert next_run(TWICE_A_DAY, PRAGUE, at("2026-03-10T05:15Z")) == at("2026-03-10T17:15Z")


@given(after=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), zone=st.sampled_from(ZONES))  # noqa: DTZ001 - becomes UTC
def test_runs_are_in_the_future_at_the_wall_clock_times_and_none_is_left_out(after: datetime, zone: ZoneInfo) -> None:
    now = after.replace(tzinfo=UTC)
    found = runs(TWICE_A_DAY, zone, now, 4)
    assert found[0] > now
    assert found[0] - now <= timedelta(hours=13)
    assert {run.astimezone(zone).time() for run in found} == {time(6, 15), time(18, 15)}
    for earlier, later in pairwise(found):
        assert timedelta(hours=11) <= later - earlier <= timedelta(hours=13)
