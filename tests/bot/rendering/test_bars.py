import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.bars import CELLS, bar, change
from bot.rendering.numbers import NO_BREAK


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [
        (0, "▁▁▁▁▁▁▁▁"),
        (2, "▁▁▁▁▁▁▁▁"),
        (12.5, "▇▁▁▁▁▁▁▁"),
        (50, "▇▇▇▇▁▁▁▁"),
        (99.9, "▇▇▇▇▇▇▇▁"),
        (100, "▇▇▇▇▇▇▇▇"),
        (-30, "▁▁▁▁▁▁▁▁"),
        (130, "▇▇▇▇▇▇▇▇"),
        (None, ""),
        (math.nan, ""),
        (math.inf, ""),
        (10**400, ""),
    ],
)
def test_a_bar_is_as_full_as_its_number_says(percent: float | None, drawn: str) -> None:
    assert bar(percent) == drawn


@given(st.floats(0, 100), st.floats(0, 100))
def test_bars_are_equally_long_and_never_shorter_for_more(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert len(bar(less)) == len(bar(more)) == CELLS
    assert bar(less).count("▇") <= bar(more).count("▇")


def test_a_change_needs_both_sides() -> None:
    assert change(83, 2) == f"▇▇▇▇▇▇▇▁{NO_BREAK}→{NO_BREAK}▁▁▁▁▁▁▁▁"
    assert change(None, 2) == change(83, math.nan) == ""
