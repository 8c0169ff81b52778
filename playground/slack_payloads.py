"""The payloads that Slack sends to an app when a person does something."""

from collections.abc import Mapping
from typing import Any

from playground.blockkit import elements_of
from playground.slack_workspace import APP_ID, BOT_USER_ID, TEAM_ID, Channel, Message, User, View, Workspace, echoed

VERIFICATION_TOKEN = "madeUpVerificationToken0"
"""Deprecated by Slack, and sent all the same."""

Found = tuple[dict[str, Any], dict[str, Any]]
"""A block and one of its elements."""


def slash_command(
    workspace: Workspace, user: User, channel: Channel, words: str, *, trigger_id: str, response_url: str
) -> dict[str, Any]:
    command, _, text = words.partition(" ")
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": user.team_id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": "privategroup" if channel.is_private and not channel.is_im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def _interaction(kind: str, workspace: Workspace, user: User, trigger_id: str) -> dict[str, Any]:
    return {
        "type": kind,
        # The team that installed the app: that a person is a foreigner shows in `user` alone.
        "team": {"id": TEAM_ID, "domain": workspace.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_action(
    workspace: Workspace,
    user: User,
    message: Message,
    action: dict[str, Any],
    *,
    trigger_id: str,
    response_url: str,
) -> dict[str, Any]:
    """A press of a button in a message. An ephemeral message is not in the payload, only its ts."""
    is_ephemeral = message.visible_to is not None
    channel = workspace.channels[message.channel_id]
    container: dict[str, Any] = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload = {
        **_interaction("block_actions", workspace, user, trigger_id),
        "container": container,
        "channel": {"id": channel.id, "name": channel.name},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }
    if not is_ephemeral:
        payload["message"] = message.payload()
        if message.metadata is not None:
            payload["message"]["metadata"] = message.metadata
    return payload


def view_action(
    workspace: Workspace, user: User, view: View, action: dict[str, Any], *, trigger_id: str
) -> dict[str, Any]:
    state = {"values": state_values(view, {})}
    return {
        **_interaction("block_actions", workspace, user, trigger_id),
        "container": {"type": "view", "view_id": view.id},
        "view": {**view.payload(), "state": state},
        "state": state,
        "actions": [action],
    }


def view_submission(workspace: Workspace, user: User, view: View, *, trigger_id: str) -> dict[str, Any]:
    return {
        **_interaction("view_submission", workspace, user, trigger_id),
        "response_urls": [],
        "view": view.payload(),
    }


def view_closed(workspace: Workspace, user: User, view: View, *, is_cleared: bool) -> dict[str, Any]:
    payload = _interaction("view_closed", workspace, user, "")
    del payload["trigger_id"]
    return {**payload, "view": view.payload(), "is_cleared": is_cleared}


def event(number: int, now: float, content: dict[str, Any]) -> dict[str, Any]:
    """The envelope of the Events API around one event."""
    installed = {"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID}
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "type": "event_callback",
        "event_id": f"Ev{number:09X}",
        "event_time": int(now),
        "authorizations": [{**installed, "is_bot": True, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": f"context-{number}",
        "event": content,
    }


def app_home_opened(user: User, channel: Channel, view: View | None, tab: str, event_ts: str) -> dict[str, Any]:
    content = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "event_ts": event_ts, "tab": tab}
    return content if view is None else {**content, "view": view.payload()}


# ------------------------------------------------------------------ what is pressed and filled in


def find_element(blocks: list[dict[str, Any]], action_id: str, value: str | None = None) -> Found:
    """The one element with this action id; `value` tells buttons apart, or names the option to pick.

    Raises LookupError when there is none, or more than one.
    """
    found = [
        (block, element)
        for block in _flat(blocks)
        for element, _ in elements_of(block)
        if element.get("action_id") == action_id and (value is None or value in _values(element))
    ]
    if len(found) == 1:
        return found[0]
    wanted = action_id if value is None else f"{action_id} with value {value!r}"
    there = sorted(
        {element["action_id"] for block in _flat(blocks) for element, _ in elements_of(block) if "action_id" in element}
    )
    raise LookupError(f"{len(found)} elements are {wanted}; the action ids there are {there}.")


def _flat(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [inner for block in blocks for inner in (block, *_flat(block.get("child_blocks", [])))]


def _values(element: dict[str, Any]) -> list[str]:
    if element["type"] == "button":
        return [element.get("value", "")]
    return [option["value"] for option in _options(element)]


def _options(element: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [group["options"] for group in element.get("option_groups", [])]
    return [option for options in (element.get("options", []), *groups) for option in options]


def action(found: Found, value: str | None, action_ts: str) -> dict[str, Any]:
    """The entry in `actions` for a pressed button or a picked option."""
    block, element = found
    pressed = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] == "button":
        shown: dict[str, Any] = {
            key: element[key] for key in ("text", "value", "style", "url", "confirm") if key in element
        }
        return {**pressed, **echoed([shown])[0], "action_ts": action_ts}
    picked = next((option for option in _options(element) if option["value"] == value), None)
    if picked is None:
        raise LookupError(f"{element['action_id']} is a {element['type']}: name the value of the option to pick.")
    return {**pressed, "selected_option": echoed([picked])[0], "action_ts": action_ts}


def picked(found: Found, value: Any, action_ts: str) -> dict[str, Any]:
    """The entry in `actions` for something picked or filled in outside an input block; options by their value."""
    block, element = found
    if element["type"] not in _STATE and element["type"] not in _ONE_OF_OPTIONS | _SOME_OF_OPTIONS:
        raise LookupError(f"In {element['action_id']}, a {element['type']}, nothing can be picked.")
    named = {"action_id": element["action_id"], "block_id": block["block_id"]}
    return {**_entry(element, value), **named, "action_ts": action_ts}


_ONE_OF_OPTIONS = frozenset({"static_select", "radio_buttons", "external_select"})
_SOME_OF_OPTIONS = frozenset({"multi_static_select", "checkboxes", "multi_external_select"})
_STATE = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
}


def state_values(view: View, filled: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`state.values` of a view, where `filled` has what a person put in, by action id (options by their value)."""
    state: dict[str, dict[str, Any]] = {}
    for block in _flat(view.blocks):
        for element, _ in elements_of(block):
            kind = element.get("type", "")
            if kind in _STATE or kind in _ONE_OF_OPTIONS | _SOME_OF_OPTIONS:
                entry = _entry(element, filled.get(element["action_id"]))
                state.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return state


def _entry(element: dict[str, Any], filled: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind in _ONE_OF_OPTIONS:
        picked = element.get("initial_option") if filled is None else _option(element, filled)
        return {"type": kind, "selected_option": picked}
    if kind in _SOME_OF_OPTIONS:
        initial = element.get("initial_options", [])
        picked = initial if filled is None else [_option(element, value) for value in filled]
        return {"type": kind, "selected_options": picked}
    key, initial_key = _STATE[kind]
    return {"type": kind, key: element.get(initial_key) if filled is None else filled}


def _option(element: dict[str, Any], value: str) -> dict[str, Any]:
    for option in _options(element):
        if option["value"] == value:
            return option
    raise LookupError(f"{element['action_id']} has no option {value!r}; it has {_values(element)}.")


def check_filled(view: View, filled: Mapping[str, Any], state: Mapping[str, Mapping[str, Any]]) -> None:
    """What Slack's own client would not let a person submit: an empty field, a text of a wrong length, no moment.

    Raises LookupError for a field that is not there, ValueError for the rest.
    """
    fields = {name for entries in state.values() for name in entries}
    unknown = sorted(filled.keys() - fields)
    if unknown:
        raise LookupError(f"The view has no field {unknown}; it has {sorted(fields)}.")
    for block in view.blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        entry = state.get(block["block_id"], {}).get(element["action_id"], {})
        value = next((part for key, part in entry.items() if key != "type"), None)
        if not value and not block.get("optional"):
            raise ValueError(f"{element['action_id']} must be filled in.")
        if element["type"] == "datetimepicker" and value and not _is_moment(value):
            raise ValueError(f"{element['action_id']} is no moment: Unix time of 10 digits.")
        length = len(value) if isinstance(value, str) else 0
        if value and not element.get("min_length", 0) <= length <= element.get("max_length", max(3000, length)):
            raise ValueError(f"{element['action_id']} is too short or too long.")


def _is_moment(value: Any) -> bool:
    return type(value) is int and 10**9 <= value < 10**10
