"""Bars say how much of something there is, and never more or less than the number beside them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.bars import PROGRESS_CELLS, bar, share

CELLS = st.integers(2, 20)
PERCENT = st.floats(0, 100)


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [(0, "▁▁▁▁▁▁▁▁▁▁"), (0.01, "▇▁▁▁▁▁▁▁▁▁"), (42, "▇▇▇▇▁▁▁▁▁▁"), (99.9, "▇▇▇▇▇▇▇▇▇▁"), (100, "▇▇▇▇▇▇▇▇▇▇")],
)
def test_only_nothing_is_empty_and_only_all_is_full(percent: float, drawn: str) -> None:
    assert bar(percent, PROGRESS_CELLS) == drawn


@pytest.mark.parametrize("percent", [None, math.nan, math.inf, -1, 100.1, 10**400])
def test_what_is_no_share_has_no_bar(percent: float | None) -> None:
    assert bar(percent, PROGRESS_CELLS) == ""
    assert share("9,000 %", percent) == "9,000 %"


@given(CELLS, PERCENT, PERCENT)
def test_bars_are_as_long_as_asked_for_and_more_is_never_shorter(cells: int, one: float, other: float) -> None:
    less, more = (bar(percent, cells) for percent in sorted((one, other)))
    assert len(less) == len(more) == cells
    assert less.count("▇") <= more.count("▇")
