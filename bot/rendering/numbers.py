"""Numbers rounded for people. What is not a number at all (absent, NaN, infinite) comes back as None."""

import math

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Between a number and its unit: a narrow window would part them."""
_READABLE = 1e15
"""Beyond it, digits say nothing."""


def finite(number: float | None) -> float | None:
    try:
        return float(number) if number is not None and math.isfinite(number) else None
    except OverflowError:  # an int beyond all floats
        return None


def count(number: float | None) -> str | None:
    """`41,210`."""
    value = finite(number)
    if value is None:
        return None
    return _whole(value)


def gib(number: float | None) -> str | None:
    """`2,210 GiB`; below 10 with one decimal."""
    return _with_unit(number, "GiB")


def mbps(number: float | None) -> str | None:
    return _with_unit(number, "MBps")


def ms(number: float | None) -> str | None:
    return _with_unit(number, "ms")


def percent(number: float | None) -> str | None:
    """`12.5 %`: one decimal where it says something."""
    value = finite(number)
    return None if value is None else f"{_decimal(value)}{NO_BREAK}%"


def whole_percent(number: float | None) -> str | None:
    """`94 %`."""
    value = finite(number)
    return None if value is None else f"{_whole(value)}{NO_BREAK}%"


def chance_percent(probability: float | None) -> float | None:
    """0-100, from what may be 0-1 or 0-100; None where it is neither."""
    value = finite(probability)
    if value is None or not 0 <= value <= 100:  # noqa: PLR2004 - the whole of it
        return None
    return value * 100 if value <= 1 else value


def chance(probability: float | None) -> str | None:
    """`83 %`; never rounded to certain or impossible."""
    value = chance_percent(probability)
    if value is None:
        return None
    if 0 < value < 1:
        return f"under 1{NO_BREAK}%"
    if 99 < value < 100:  # noqa: PLR2004 - see the docstring
        return f"over 99{NO_BREAK}%"
    return f"{value:.0f}{NO_BREAK}%"


def _with_unit(number: float | None, unit: str) -> str | None:
    value = finite(number)
    if value is None:
        return None
    small = abs(value) < 10  # noqa: PLR2004 - a digit behind the point matters below it
    return f"{_decimal(value) if small else _whole(value)}{NO_BREAK}{unit}"


def _decimal(value: float) -> str:
    return _whole(value) if abs(value) >= _READABLE else _unsigned_zero(f"{value:,.1f}".removesuffix(".0"))


def _whole(value: float) -> str:
    return f"{value:.2e}" if abs(value) >= _READABLE else _unsigned_zero(f"{value:,.0f}")


def _unsigned_zero(digits: str) -> str:
    return "0" if digits == "-0" else digits
