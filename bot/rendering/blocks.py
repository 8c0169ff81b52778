"""Block Kit blocks that hold Slack's limits whatever they are given."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.rendering import limits
from bot.rendering.escape import clean, shorten
from bot.rendering.phrase import Phrase, mrkdwn, rich_text
from bot.rendering.views import Block

NOTHING = "-"
"""Slack refuses an empty text."""


def header(text: str) -> Block:
    return {"type": "header", "text": _plain_text(text, limits.HEADER)}


def section(text: str, accessory: Block | None = None) -> Block:
    """Words as they are: nothing in them is markup."""
    block: Block = {"type": "section", "text": _plain_text(text, limits.SECTION)}
    return block | ({"accessory": accessory} if accessory else {})


def mrkdwn_section(phrase: Phrase) -> Block:
    return {"type": "section", "text": _mrkdwn(phrase, limits.SECTION)}


def context(phrase: Phrase) -> Block:
    return {"type": "context", "elements": [_mrkdwn(phrase, limits.CONTEXT_TEXT)]}


def plain_context(text: str) -> Block:
    return {"type": "context", "elements": [_plain_text(text, limits.CONTEXT_TEXT)]}


def paragraph(phrase: Phrase) -> Block:
    return {"type": "rich_text", "elements": [_rich_section(phrase)]}


def bullets(groups: Iterable[tuple[Phrase, Sequence[Phrase]]]) -> Block:
    """Headings, each with its list."""
    elements: list[dict[str, Any]] = []
    for heading, lines in groups:
        elements.append(_rich_section(heading))
        if lines:
            elements.append(
                {"type": "rich_text_list", "style": "bullet", "elements": [_rich_section(line) for line in lines]},
            )
    return {"type": "rich_text", "elements": elements}


def actions(buttons: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    style: str | None = None,
    confirm: Block | None = None,
) -> Block:
    block: Block = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": value,
    }
    return block | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def confirm(*, title: str, text: str, yes: str, no: str, style: str) -> Block:
    return {
        "title": _plain_text(title, limits.CONFIRM_TITLE),
        "text": _plain_text(text, limits.CONFIRM_TEXT),
        "confirm": {"type": "plain_text", "text": yes, "emoji": False},
        "deny": {"type": "plain_text", "text": no, "emoji": False},
        "style": style,
    }


def moment_input(label: str, action_id: str, hint: str) -> Block:
    """A field for a date and a time, in the reader's own zone (slack: Datetime picker element)."""
    element = {"type": "datetimepicker", "action_id": action_id}
    return _input(label, element, optional=False) | {"hint": _plain_text(hint, limits.INPUT_LABEL)}


def text_input(
    label: str,
    action_id: str,
    *,
    hint: str | None = None,
    most: int,
    optional: bool = False,
    multiline: bool = False,
) -> Block:
    """A field for words (slack: Plain-text input element)."""
    element = {"type": "plain_text_input", "action_id": action_id, "max_length": most, "multiline": multiline}
    return _input(label, element, optional=optional) | ({"hint": _plain_text(hint, limits.INPUT_LABEL)} if hint else {})


def choice_input(label: str, action_id: str, options: Mapping[str, str]) -> Block:
    """A field for one of a few, or none. `options`: words by value (slack: Select menu element)."""
    offered = [{"text": _plain_text(words, limits.OPTION), "value": value} for value, words in options.items()]
    return _input(label, {"type": "static_select", "action_id": action_id, "options": offered}, optional=True)


def option(label: str, value: str, description: str = "") -> Block:
    made: Block = {"text": _plain_text(label, limits.OPTION), "value": value}
    return made | ({"description": _plain_text(description, limits.OPTION_DESCRIPTION)} if description else {})


def checkboxes_input(label: str, action_id: str, options: Sequence[Block], chosen: Sequence[Block]) -> Block:
    """A field to tick, of ten options at most (slack: Checkboxes element); nothing need be ticked."""
    element: Block = {"type": "checkboxes", "action_id": action_id, "options": list(options)}
    return _input(label, element | ({"initial_options": list(chosen)} if chosen else {}), optional=True)


def radio_input(label: str, action_id: str, options: Sequence[Block]) -> Block:
    """A field to choose one of ten at most; the first one is chosen at first (slack: Radio button group element)."""
    element = {"type": "radio_buttons", "action_id": action_id, "options": list(options), "initial_option": options[0]}
    return _input(label, element, optional=False)


def multi_select_input(
    label: str,
    action_id: str,
    options: Sequence[Block],
    hint: str,
    *,
    optional: bool = False,
    at_most: int | None = None,
) -> Block:
    """A field to choose some of many; in groups where there are more than one list may hold."""
    element: Block = {"type": "multi_static_select", "action_id": action_id, **_grouped(options)}
    element |= {"max_selected_items": at_most} if at_most else {}
    return _input(label, element, optional=optional) | {"hint": _plain_text(hint, limits.INPUT_LABEL)}


def _grouped(options: Sequence[Block]) -> Block:
    if len(options) <= limits.OPTIONS:
        return {"options": list(options)}
    groups = []
    for start in range(0, len(options), limits.OPTIONS):
        part = options[start : start + limits.OPTIONS]
        groups.append({"label": _plain_text(f"{start + 1:,} to {start + len(part):,}", limits.OPTION), "options": part})
    return {"option_groups": groups}


def modal_title(text: str) -> Block:
    return _plain_text(text, limits.VIEW_TITLE)


def _input(label: str, element: Block, *, optional: bool) -> Block:
    block: Block = {
        "type": "input",
        "block_id": element["action_id"],
        "label": _plain_text(label, limits.INPUT_LABEL),
        "element": element,
    }
    return block | ({"optional": True} if optional else {})


def _plain_text(text: str, limit: int) -> Block:
    """`emoji` off: `:fire:` in a VM's name stays what it is."""
    return {"type": "plain_text", "text": shorten(clean(text), limit) or NOTHING, "emoji": False}


def _mrkdwn(phrase: Phrase, limit: int) -> Block:
    """`verbatim` on: no name or address in outside text becomes a mention or a link."""
    return {"type": "mrkdwn", "text": mrkdwn(phrase, limit) or NOTHING, "verbatim": True}


def _rich_section(phrase: Phrase) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": rich_text(phrase)}
