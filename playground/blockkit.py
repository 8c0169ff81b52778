"""Says what Slack would refuse about the blocks of a message or about a view.

The tables of blocks and elements are in `blockkit_tables`; here are the rules about a payload as a whole.
Lengths are counted in UTF-16 units, the stricter of the two counts Slack may use; `markdown` in characters.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from playground.blockkit_rules import Array, Flag, Object, Place, Problem, Rule, String, Surface, Typed, plain
from playground.blockkit_tables import BLOCKS, MARKDOWN_LIMIT, texts_in

__all__ = ["MESSAGE_LIMIT", "Problem", "elements_of", "escaped", "message_size", "validate_message", "validate_view"]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_LIMIT_BYTES = 250_000
MESSAGE_LIMIT = 13_200
"""Undocumented: text after escaping plus about 100 for each block (slackapi/bolt-js issues 2509 and 2867)."""
BLOCK_SIZE = 100
CHARTS_PER_MESSAGE = 2

_SECRETIVE: dict[str, Rule] = {
    "private_metadata": String(high=3000),
    "callback_id": String(high=255),
    "external_id": String(high=255),
}
_BLOCKS_OF_VIEW = Array(Typed(BLOCKS), high=VIEW_BLOCKS)
MODAL = Object(
    {"type": String(), "title": plain(24), "blocks": _BLOCKS_OF_VIEW},
    {
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": Flag(),
        "notify_on_close": Flag(),
        "submit_disabled": Flag(),
        **_SECRETIVE,
    },
)
HOME = Object(
    {"type": String(), "blocks": _BLOCKS_OF_VIEW},
    # Slack's pages do not say whether a Home tab with a title is refused.
    {"title": plain(24), "submit": plain(24), "close": plain(24), **_SECRETIVE},
)

_CONTROL = re.compile(r"<(?:[@#!][^<>]+|(?:https?|mailto|tel)(?:://|:)[^<>]+)>|&(?:amp|lt|gt);|[&<>]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text: str) -> str:
    """The text as Slack stores and echoes it; its own control sequences and entities stay as they are."""
    return _CONTROL.sub(lambda match: _ENTITIES.get(match[0], match[0]), text)


def message_size(blocks: list[dict[str, Any]]) -> int:
    """What Slack's undocumented limit on a whole message counts."""
    return sum(len(escaped(text)) for text in texts_in(blocks)) + BLOCK_SIZE * len(blocks)


def validate_message(blocks: Any) -> list[Problem]:
    """What is wrong with the `blocks` of a message; empty where Slack would take them."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return [Problem("must provide an array of objects", "/blocks", "invalid_blocks_format")]
    place = Place("/blocks", Surface.MESSAGE)
    problems = list(Array(Typed(BLOCKS), high=MESSAGE_BLOCKS).check(blocks, place))
    problems += _repeated_ids(blocks, "/blocks")
    return problems or [*_crowded(blocks), *_too_long(blocks)]


def validate_view(view: Any) -> list[Problem]:
    """What is wrong with a modal or a Home tab; empty where Slack would take it."""
    return [
        problem if problem.code == "view_too_large" else Problem(problem.message, problem.pointer, "invalid_arguments")
        for problem in _view_problems(view)
    ]


def _view_problems(view: Any) -> Iterator[Problem]:
    if not isinstance(view, dict):
        yield Problem("must provide an object", "/view")
        return
    if view.get("type") not in {"modal", "home"}:
        yield Problem("must be a valid enum value", "/view/type")
        return
    is_modal = view["type"] == "modal"
    place = Place("/view", Surface.MODAL if is_modal else Surface.HOME)
    problems = list((MODAL if is_modal else HOME).check(view, place))
    yield from problems
    if problems:
        return
    yield from _repeated_ids(view["blocks"], "/view/blocks")
    yield from _focused_twice(view["blocks"])
    if is_modal and "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        yield Problem("missing required field: submit", "/view")
    if len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_LIMIT_BYTES:
        yield Problem("view is too large", "/view", "view_too_large")


def _all_blocks(blocks: list[Any], pointer: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Each block with its pointer, those inside containers too."""
    for number, block in enumerate(blocks):
        if isinstance(block, dict):
            yield block, f"{pointer}/{number}"
            children = block.get("child_blocks")
            if isinstance(children, list):
                yield from _all_blocks(children, f"{pointer}/{number}/child_blocks")


def _repeated_ids(blocks: list[Any], pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for block, place in _all_blocks(blocks, pointer):
        block_id = block.get("block_id")
        # Slack ignores the id of a markdown block.
        if isinstance(block_id, str) and block.get("type") != "markdown":
            if block_id in seen:
                yield Problem("Block ID needs to be unique")
            seen.add(block_id)
        yield from _repeated_actions(block, place)


def _repeated_actions(block: dict[str, Any], pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for element, place in elements_of(block, pointer):
        action_id = element.get("action_id")
        if not isinstance(action_id, str):
            continue
        if action_id in seen:
            yield Problem(f'`action_id` "{action_id}" already exists', f"{place}/action_id")
        seen.add(action_id)


def elements_of(block: dict[str, Any], pointer: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Each element of a block with its pointer, those of a carousel's cards too."""
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield block[key], f"{pointer}/{key}"
    for key in ("elements", "actions"):
        found = block.get(key)
        for number, element in enumerate(found if isinstance(found, list) else []):
            if not isinstance(element, dict):
                continue
            place = f"{pointer}/{key}/{number}"
            if element.get("type") == "card":
                yield from elements_of(element, place)
            else:
                yield element, place


def _focused_twice(blocks: list[dict[str, Any]]) -> Iterator[Problem]:
    focused = [
        place
        for block, pointer in _all_blocks(blocks, "/view/blocks")
        for element, place in elements_of(block, pointer)
        if element.get("focus_on_load") is True
    ]
    for place in focused[1:]:
        yield Problem("only one element can have focus_on_load", f"{place}/focus_on_load")


def _crowded(blocks: list[dict[str, Any]]) -> Iterator[Problem]:
    types = [block["type"] for block, _ in _all_blocks(blocks, "/blocks")]
    if types.count("table") > 1:
        yield Problem("only_one_table_allowed", "/blocks", "invalid_attachments")
    if types.count("data_visualization") > CHARTS_PER_MESSAGE:
        yield Problem(f"no more than {CHARTS_PER_MESSAGE} data_visualization blocks allowed", "/blocks")
    # Slack's pages name two codes for this one; which is sent is not known.
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_LIMIT:
        yield Problem(f"must be less than {MARKDOWN_LIMIT + 1} characters", "/blocks")


def _too_long(blocks: list[dict[str, Any]]) -> Iterator[Problem]:
    if message_size(blocks) > MESSAGE_LIMIT:
        yield Problem("message blocks are too long", "/blocks", "msg_blocks_too_long")
