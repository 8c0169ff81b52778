"""Reads the arguments of a Web API call, however they are sent: JSON, form or query."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class Refused(Exception):  # noqa: N818  # it is an answer of Slack, not a fault of the program
    """The method answers `ok: false`."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    @property
    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.details}


def invalid_arguments(*messages: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})


_WORDS = {str: "a string", bool: "a boolean", int: "an integer", list: "an array", dict: "an object"}

TYPES: dict[str, type] = {
    "as_user": bool,
    "attachments": list,
    "blocks": list,
    "channel": str,
    "cursor": str,
    "external_id": str,
    "file_ids": list,
    "hash": str,
    "icon_emoji": str,
    "icon_url": str,
    "include_all_metadata": bool,
    "include_disabled": bool,
    "include_locale": bool,
    "include_num_members": bool,
    "inclusive": bool,
    "latest": str,
    "limit": int,
    "link_names": bool,
    "markdown_text": str,
    "message_ts": str,
    "metadata": dict,
    "mrkdwn": bool,
    "oldest": str,
    "parse": str,
    "reply_broadcast": bool,
    "team_id": str,
    "text": str,
    "thread_ts": str,
    "trigger_id": str,
    "ts": str,
    "unfurl_links": bool,
    "unfurl_media": bool,
    "user": str,
    "user_id": str,
    "usergroup": str,
    "username": str,
    "view": dict,
    "view_id": str,
}
_FORMAT_ERRORS = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
_SWITCH = {"1": True, "true": True, "0": False, "false": False}


async def read_arguments(request: web.Request) -> tuple[dict[str, Any], dict[str, str]]:
    """What the body says as JSON, and what body and query say as text; the token of a form is left in."""
    flat = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except json.JSONDecodeError as error:
            raise Refused("invalid_json") from error
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return body, flat
    form = await request.post()
    flat |= {name: value for name, value in form.items() if isinstance(value, str)}
    return {}, flat


def typed_arguments(body: Mapping[str, Any], flat: Mapping[str, str], allowed: frozenset[str]) -> dict[str, Any]:
    """The arguments in the types that the method works with. Unknown ones are refused, so that typos are found."""
    unknown = sorted({*body, *flat} - allowed)
    if unknown:
        raise invalid_arguments(*(f"invalid additional property: {name} [json-pointer:/{name}]" for name in unknown))
    arguments = {name: _from_text(name, value) for name, value in flat.items()}
    for name, value in body.items():
        if value is not None:
            arguments[name] = _from_json(name, value)
    return arguments


def _from_json(name: str, value: Any) -> Any:
    kind = TYPES[name]
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise _mistyped(name)


def _from_text(name: str, value: str) -> Any:
    kind = TYPES[name]
    if kind is bool and value.lower() in _SWITCH:
        return _SWITCH[value.lower()]
    if kind is int and value.isdecimal():
        return int(value)
    if kind is str:
        return value
    if kind in {list, dict}:
        try:
            return _from_json(name, json.loads(value))
        except json.JSONDecodeError as error:
            raise _mistyped(name) from error
    raise _mistyped(name)


def _mistyped(name: str) -> Refused:
    if name in _FORMAT_ERRORS:
        return Refused(_FORMAT_ERRORS[name])
    return invalid_arguments(f"must provide {_WORDS[TYPES[name]]} [json-pointer:/{name}]")
