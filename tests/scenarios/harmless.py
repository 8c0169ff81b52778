"""Whether anything that came from outside could ping, link or style: looked for in all that was sent to Slack."""

import re
from collections.abc import Iterator
from typing import Any

from playground.slack import Call
from tests.scenarios.stage import Stage

_OURS = re.compile(
    r"<!date\^\d+\^[^|<>]*\|[^<>]*>|<(@U0(ALICE00|BOB0000)|#C0STORAGE)>|<http://127\.0\.0\.1:\d+\|[^<>]*>"
)
"""The markup that the bot itself writes on this stage."""
_SENDING = ("chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "views.update", "response_url")


def harmful(stage: Stage) -> list[str]:
    """Texts in which Slack would find markup that is not the bot's own, and blocks that name people or groups."""
    sent = [call for call in stage.slack.calls if call.method in _SENDING]
    return [found for call in sent for found in _harmful(call)]


def _harmful(call: Call) -> Iterator[str]:
    if call.method != "response_url" and call.method.startswith("chat.") and call.arguments.get("parse") != "none":
        yield f"{call.method} lets Slack look for names in its text"
    if "text" in call.arguments:
        yield from _markup(call.arguments["text"])
    for part in ("blocks", "view"):
        yield from _in_blocks(call.arguments.get(part, []))


def _in_blocks(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from _in_blocks(item)
    elif isinstance(part, dict):
        match part.get("type"):
            case "mrkdwn":
                yield from _markup(part["text"])
                if part.get("verbatim") is not True:
                    yield f"not verbatim: {part['text']}"
            case "broadcast" | "usergroup":
                yield str(part)
            case "user" if part["user_id"] not in {"U0ALICE00", "U0BOB0000"}:
                yield str(part)
        for value in part.values():
            yield from _in_blocks(value)


def _markup(text: str) -> Iterator[str]:
    if re.search("[<>]", _OURS.sub("", text)):
        yield text
