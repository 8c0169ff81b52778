from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.escape import (
    clean,
    escape,
    is_link,
    is_user_id,
    shorten,
    shorten_bytes,
    shorten_name,
    size_bytes,
    timestamp_s,
    units,
    utc,
)

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.mark.parametrize(
    ("outside", "seen"),
    [
        ("erp-db-01", "erp-db-01"),
        ("a\nb\r\tc", "a b  c"),
        ("\x1b[31mred", "�[31mred"),
        ("safe\u202etxt.exe", "safe�txt.exe"),
        ("zero\u200bwidth", "zero�width"),
        ("half\ud83d", "half�"),
        ("blank\u3164", "blank�"),
        ("  around \u2029", "around"),
    ],
)
def test_what_nobody_can_see_is_made_visible_on_one_line(outside: str, seen: str) -> None:
    assert clean(outside) == seen


def test_escape_leaves_no_mention_and_no_link() -> None:
    assert escape("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("vmstore", 7, "vmstore"),
        ("vmstore", 6, "vmsto…"),
        ("a&b", 6, "a…"),
        ("a&b", 7, "a&b"),
        ("😀😀", 3, "😀…"),
        ("ae\u0301b", 3, "a…"),
        ("abc", 0, ""),
    ],
)
def test_a_cut_shows_and_counts_what_slack_counts(text: str, limit: int, kept: str) -> None:
    assert shorten(text, limit) == kept


def test_a_pile_of_marks_does_not_hide_the_name_before_it() -> None:
    assert shorten("abc" + "\u0301" * 500, 40).startswith("abc\u0301")


def test_a_name_keeps_the_end_in_which_it_differs() -> None:
    first, second = (shorten_name("v" * 100 + f"-node-{number}", 60) for number in (1, 2))
    assert first != second
    assert first.endswith("-node-1")
    assert units(first) <= 60


@given(ANYTHING, st.integers(min_value=1, max_value=200))
def test_whatever_is_cut_fits_and_can_be_sent(text: str, limit: int) -> None:
    for kept in (shorten(clean(text), limit), shorten_name(clean(text), limit + 40)):
        assert units(kept) <= limit + 40
        assert "\n" not in kept
        kept.encode()
    assert units(shorten(clean(text), limit)) <= limit
    assert size_bytes(shorten_bytes(clean(text), limit + 2)) <= limit + 2


@given(ANYTHING)
def test_the_measures_are_those_of_the_escaped_text(text: str) -> None:
    sent = escape(clean(text))
    assert units(clean(text)) == len(sent.encode("utf-16-le")) // 2
    assert size_bytes(clean(text)) == len(sent.encode())


@pytest.mark.parametrize("user_id", ["U0ALICE", "W012A3BCD"])
def test_a_users_id_is_known_by_its_shape(user_id: str) -> None:
    assert is_user_id(user_id)


@pytest.mark.parametrize("user_id", ["", "U", "S012", "U1>", "U1\n", "u0alice", "!channel"])
def test_what_is_no_users_id_is_never_a_mention(user_id: str) -> None:
    assert not is_user_id(user_id)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a|b", "https://a>b", "https://a b", "https://a\n"])
def test_what_could_break_out_of_a_link_is_no_link(url: str) -> None:
    assert not is_link(url)


def test_moments_that_date_tokens_cannot_reach_have_none() -> None:
    assert timestamp_s(datetime(1969, 1, 1, tzinfo=UTC)) is None
    assert timestamp_s(datetime(2026, 3, 10, tzinfo=UTC)) == 1773100800


def test_the_ends_of_the_calendar_are_written_without_an_error() -> None:
    assert utc(datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))) == "0001-01-01 00:00"
