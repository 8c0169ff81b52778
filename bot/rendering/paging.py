"""Answers of several pages: the buttons that turn them, and what those stand for."""

from collections.abc import Iterable

from bot.rendering import blocks, limits
from bot.rendering.escape import clean, shorten
from bot.rendering.views import Block

Way = tuple[str, str]
"""A button's label and its action id."""


def turner(page: int, last: int, typed: str, *, back: Way, on: Way) -> Iterable[Block]:
    """Buttons to the pages beside this one; none where it is the only one. Turning repeats what was typed."""
    ways = ((back, page - 1), (on, page + 1))
    buttons = [blocks.button(label, action_id, value(to, typed)) for (label, action_id), to in ways if 0 <= to <= last]
    if buttons:
        yield blocks.actions(buttons)


def value(page: int, typed: str) -> str:
    """`<page>:<typed>`. What is longer than a button can hold is cut: no pool's name is that long."""
    return shorten(f"{page}:{clean(typed)}", limits.BUTTON_VALUE)
