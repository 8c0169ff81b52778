"""Bars in text, the same in Slack, on a terminal and in a mail. The numbers stand beside them."""

from bot.rendering.numbers import NO_BREAK, finite

CELLS = 8
"""Two bars and an arrow fit into a line of a phone."""
_FULL, _EMPTY = "▇", "▁"  # equally wide in any font, so that bars one below the other align
_WHOLE = 100.0


def bar(percent: float | None) -> str:
    """`▇▇▇▇▇▇▁▁`, all of it full at 100 only; empty where there is no number."""
    value = finite(percent)
    if value is None:
        return ""
    cells = round(CELLS * min(max(value, 0.0), _WHOLE) / _WHOLE)
    full = cells if value >= _WHOLE else min(cells, CELLS - 1)
    return _FULL * full + _EMPTY * (CELLS - full)


def change(before: float | None, after: float | None) -> str:
    """`▇▇▇▇▇▇▇▁ → ▁▁▁▁▁▁▁▁`; empty where one of the two is no number."""
    bars = (bar(before), bar(after))
    return f"{NO_BREAK}→{NO_BREAK}".join(bars) if all(bars) else ""
