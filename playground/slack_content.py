"""What Slack refuses about the content of a message, beyond its blocks."""

import json
import re
from collections.abc import Mapping
from typing import Any

from playground.blockkit import Problem, validate_message, validate_view
from playground.slack_arguments import Refused

UPDATE_TEXT_BYTES = 4_000
TEXT_CHARACTERS = 40_000
"""Longer texts are cut without a word."""
MARKDOWN_CHARACTERS = 12_000
ATTACHMENTS = 100
METADATA_BYTES = 8_000
"""There is a limit, but Slack does not publish it."""


def check_blocks(blocks: Any) -> None:
    problems = validate_message(blocks)
    if not problems:
        return
    code = problems[0].code
    if code != "invalid_blocks":
        raise Refused(code)
    texts = [str(problem) for problem in problems]
    raise Refused(code, errors=texts, response_metadata={"messages": [f"[ERROR] {text}" for text in texts]})


def check_view(view: Any, *types: str) -> None:
    """Refuse a view that is invalid, or not of one of the types."""
    problems = validate_view(view)
    if not problems and view["type"] not in types:
        problems = [Problem("must be a valid enum value", "/view/type", "invalid_arguments")]
    if not problems:
        return
    if problems[0].code != "invalid_arguments":
        raise Refused(problems[0].code)
    texts = ["failed to match all allowed schemas [json-pointer:/view]", *(str(problem) for problem in problems)]
    raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in texts]})


def check_content(arguments: Mapping[str, Any], *, text_bytes: int | None = None) -> None:
    """Refuse a message whose text, blocks or attachments Slack would not take."""
    text, markdown = arguments.get("text", ""), arguments.get("markdown_text")
    if markdown is not None:
        if text or arguments.get("blocks"):
            raise Refused("markdown_text_conflict")
        if len(markdown) > MARKDOWN_CHARACTERS:
            raise Refused("msg_too_long")
    if not (text or markdown or arguments.get("blocks") or arguments.get("attachments")):
        raise Refused("no_text")
    if text_bytes is not None and len(text.encode()) > text_bytes:
        raise Refused("msg_too_long")
    if "blocks" in arguments:
        check_blocks(arguments["blocks"])
    if len(arguments.get("attachments", [])) > ATTACHMENTS:
        raise Refused("too_many_attachments")


def check_metadata(metadata: Mapping[str, Any]) -> None:
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(event_type, str) or not isinstance(payload, dict) or len(metadata) != len(_METADATA):
        raise Refused("invalid_metadata_format")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", event_type):
        raise Refused("invalid_metadata_format")
    if not all(_is_payload_value(value) for value in payload.values()):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > METADATA_BYTES:
        raise Refused("metadata_too_large")


_METADATA = ("event_type", "event_payload")


def _is_payload_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_flat(item) for item in value)
    return _is_scalar(value) or _is_flat(value)


def _is_flat(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_scalar(part) for part in value.values())


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
