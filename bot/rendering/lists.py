"""Answers made of short lines under headings."""

from collections.abc import Sequence

from bot.rendering import blocks, limits
from bot.rendering.phrase import Phrase, joined, mrkdwn
from bot.rendering.views import Block, Message

Group = tuple[Phrase, Sequence[Phrase]]
"""A heading and its lines."""


def render_lists(groups: Sequence[Group], *more: Block) -> Message:
    """`more`: blocks below; of those a plainer form keeps the buttons."""
    said = joined((phrase for heading, lines in groups for phrase in (heading, *lines)), "\n")
    return Message(
        text=mrkdwn(said, limits.MESSAGE_TEXT_BYTES),
        blocks=(*(blocks.bullets([group]) for group in groups), *more),
        compact=(blocks.mrkdwn_section(said), *(block for block in more if block["type"] == "actions")),
    )


def cut(lines: Sequence[Phrase], shown: int) -> list[Phrase]:
    """So many, and how many more there are."""
    more = len(lines) - shown
    return [*lines[:shown], *([(f"and {more:,} more",)] if more > 0 else [])]
