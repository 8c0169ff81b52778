"""Bars of text, the same on Slack, on a terminal and in a mail. Short, for a phone: 360 pixels hold 30 characters."""

from bot.rendering import numbers

PROGRESS_CELLS = 10
SHARE_CELLS = 5
_FULL, _EMPTY = "▇", "▁"
_WHOLE = 100.0


def bar(percent: float | None, cells: int) -> str:
    """`▇▇▇▇▁` for 83. Only nothing is shown as empty, and only all as full. Empty text where it is no share."""
    value = numbers.finite(percent)
    if value is None or not 0 <= value <= _WHOLE:
        return ""
    full = round(cells * value / _WHOLE)
    if 0 < value < _WHOLE:
        full = min(max(full, 1), cells - 1)
    return _FULL * full + _EMPTY * (cells - full)


def share(told: str, percent: float | None) -> str:
    """`▇▇▇▇▁ 83 %`: what is told of a share, behind its bar."""
    drawn = bar(percent, SHARE_CELLS)
    return f"{drawn}{numbers.NO_BREAK}{told}" if drawn else told
