import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import numbers
from tests.bot.rendering.samples import unparted

FORMATS = [numbers.count, numbers.gib, numbers.mbps, numbers.ms, numbers.percent, numbers.whole_percent, numbers.chance]


@pytest.mark.parametrize(
    ("write", "number", "written"),
    [
        (numbers.gib, 2210.4, "2,210 GiB"),
        (numbers.gib, 0.42, "0.4 GiB"),
        (numbers.gib, 19271.7, "19,272 GiB"),
        (numbers.count, 41210, "41,210"),
        (numbers.ms, 6.4, "6.4 ms"),
        (numbers.percent, 12.5, "12.5 %"),
        (numbers.percent, 95.0, "95 %"),
        (numbers.percent, -0.01, "0 %"),
        (numbers.whole_percent, 94.1, "94 %"),
        (numbers.gib, 1e300, "1.00e+300 GiB"),
    ],
)
def test_numbers_are_rounded_for_people(write: Callable[[float], str], number: float, written: str) -> None:
    assert write(number) == unparted(written)


@pytest.mark.parametrize(
    ("probability", "written"),
    [
        (0.83, "83 %"),
        (83, "83 %"),
        (1, "100 %"),
        (0, "0 %"),
        (0.001, "under 1 %"),
        (0.999, "over 99 %"),
        (99.6, "over 99 %"),
        (-0.2, None),
        (101, None),
        (None, None),
    ],
)
def test_a_probability_is_a_fraction_or_a_percentage(probability: float | None, written: str | None) -> None:
    assert numbers.chance(probability) == (written and unparted(written))


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("number", [None, math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_number_is_left_out(write: Callable[[float | None], str | None], number: float | None) -> None:
    assert write(number) is None


@pytest.mark.parametrize("write", FORMATS)
@given(number=st.floats() | st.integers())
def test_no_number_becomes_a_long_text(write: Callable[[float], str | None], number: float) -> None:
    assert len(write(number) or "") <= 30
