"""Windows of time: open when the clock on the wall, or cron, says so, also on the days on which clocks are set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.windows import CronWindow, WeeklyWindow, is_open, next_open, parse_windows

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
TIMES = st.integers(0, 24 * 60 - 1)
WEEKLY = st.builds(
    lambda days, start, lasts: WeeklyWindow(days=days, start=start, end=start + lasts),
    st.frozensets(st.integers(0, 6), min_size=1),
    TIMES,
    st.integers(1, 24 * 60),
)
CRON = st.builds(
    lambda minute, hour, days, minutes: CronWindow(
        cron=f"{minute} {hour} * * {days}", lasts=timedelta(minutes=minutes)
    ),
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["*", "1-5", "6,0", "2"]),
    st.integers(1, 3000),
)
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    """By the clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        ("sat,sun 00:00-06:00", "2026-03-14 00:00", True),
        ("sat,sun 00:00-06:00", "2026-03-15 05:59", True),
        ("sat,sun 00:00-06:00", "2026-03-15 06:00", False),
        ("sat,sun 00:00-06:00", "2026-03-13 23:59", False),
        ("fri 22:00-05:00", "2026-03-13 22:00", True),
        ("fri 22:00-05:00", "2026-03-14 04:59", True),  # it began on Friday
        ("fri 22:00-05:00", "2026-03-13 04:59", False),  # that would be Thursday's
        ("fri-mon 00:00-24:00", "2026-03-16 23:59", True),
        ("fri-mon 00:00-24:00", "2026-03-17 00:00", False),
        ("SUN 02:30-05:00", "2026-03-29 03:00", True),  # the clock goes from 02:00 to 03:00
        ("sun 02:00-03:00", "2026-03-29 03:00", False),
        ("sun 00:00-06:00", "2026-03-29 05:59", True),
        ("sun 00:00-06:00", "2026-10-25 05:59", True),  # it goes from 03:00 back to 02:00
        ("sun 00:00-06:00", "2026-10-25 06:00", False),
        ({"cron": "0 22 * * 1-5", "hours": 6}, "2026-03-14 03:59", True),
        ({"cron": "0 22 * * 1-5", "hours": 6}, "2026-03-14 04:00", False),
        ({"cron": "0 22 * * 1-5", "hours": 6}, "2026-03-14 22:00", False),
        ({"cron": "0 22 * * 6", "hours": 6}, "2026-03-29 04:59", True),  # six hours, whatever the clock shows
        ({"cron": "0 22 * * 6", "hours": 6}, "2026-03-29 05:00", False),
        ({"cron": "30 2 * * 0", "hours": 0.5}, "2026-03-29 03:29", True),  # a time that is skipped comes right after
    ],
)
def test_when_it_is_open(window: object, moment: str, expected: bool) -> None:
    assert is_open(parse_windows([window]), at(moment), BERLIN) is expected


def test_windows_that_follow_on_one_another_are_one() -> None:
    windows = parse_windows(["sat 20:00-24:00", "sun 00:00-04:00", "mon 00:00-01:00"])
    opening = next_open(windows, at("2026-03-13 12:00"), BERLIN)
    assert opening is not None
    assert (opening.since, opening.until) == (at("2026-03-14 20:00"), at("2026-03-15 04:00"))


def test_without_windows_none_opens() -> None:
    assert next_open((), at("2026-03-13 12:00"), BERLIN) is None


@given(WEEKLY, ZONES, MOMENTS)
def test_a_weekly_window_is_open_as_long_as_the_wall_clock_shows_such_a_time(
    window: WeeklyWindow, zone: str, moment: datetime
) -> None:
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    begun = (midnight, midnight - timedelta(days=1))
    shown = any(
        day.weekday() in window.days
        and day + timedelta(minutes=window.start) <= local < day + timedelta(minutes=window.end)
        for day in begun
    )
    assert window.is_open(moment, ZoneInfo(zone)) is shown


@given(CRON, ZONES, MOMENTS)
def test_a_cron_window_is_open_for_so_long_from_each_of_its_times(
    window: CronWindow, zone: str, moment: datetime
) -> None:
    opens = window.opens_at(moment, ZoneInfo(zone))
    assert opens > moment
    assert window.is_open(opens, ZoneInfo(zone))
    assert window.is_open(opens + window.lasts - MINUTE / 2, ZoneInfo(zone))
    closes = window.closes_at(opens, ZoneInfo(zone))
    assert opens < closes <= opens + window.lasts


@given(st.lists(st.one_of(WEEKLY, CRON), min_size=1, max_size=3), ZONES, MOMENTS)
def test_one_is_open_from_when_to_when_it_is_said(
    windows: list[WeeklyWindow | CronWindow], zone: str, moment: datetime
) -> None:
    opening = next_open(windows, moment, ZoneInfo(zone))
    assert opening is not None
    assert opening.since >= moment
    assert (opening.since == moment) is is_open(windows, moment, ZoneInfo(zone))
    assert is_open(windows, opening.since, ZoneInfo(zone))
    assert opening.until >= opening.since
    assert opening.since - moment <= timedelta(days=8)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "give a list with one window or more"),
        ("sat 00:00-06:00", "give a list with one window or more"),
        (["always"], "which “always” is not"),
        (["sat 06:00"], "which “sat 06:00” is not"),
        (["sat 06:00-06:00"], "lasts no time: for a whole day give 00:00-24:00"),
        (["sat 24:00-01:00"], "lasts no time"),
        (["sat 00:60-01:00"], "give hours from 00:00 to 24:00; “00:60” is none"),
        (["sat 00:00-24:01"], "give hours from 00:00 to 24:00; “24:01” is none"),
        (["sam 00:00-01:00"], "“sam” is none"),
        (["sat- 00:00-01:00"], "“sat-” is none"),
        ([{"cron": "0 22 * * *"}], "give windows such as"),
        ([{"cron": "0 22 * * *", "hours": 1, "zone": "UTC"}], "give windows such as"),
        ([{"cron": "0 22 * *", "hours": 1}], "for cron give five fields whose time comes"),
        ([{"cron": "0 0 0 22 * *", "hours": 1}], "for cron give five fields whose time comes"),
        ([{"cron": "0 0 30 2 *", "hours": 1}], "for cron give five fields whose time comes"),
        ([{"cron": "0 22 * * *", "hours": 0}], "for hours give a number above 0 and up to 168"),
        ([{"cron": "0 22 * * *", "hours": 169}], "for hours give a number above 0 and up to 168"),
        ([{"cron": "0 22 * * *", "hours": True}], "for hours give a number above 0 and up to 168"),
        ([{"cron": "0 22 * * *", "hours": float("nan")}], "for hours give a number above 0 and up to 168"),
        ([{"cron": "0 22 * * *", "hours": "6"}], "for hours give a number above 0 and up to 168"),
    ],
)
def test_what_is_no_window_is_told_with_what_to_give(value: object, said: str) -> None:
    with pytest.raises(ValueError, match="give") as raised:
        parse_windows(value)
    assert said in str(raised.value)
