"""The same message once more, elsewhere: whom it names was notified by the first, so here they are named as text."""

import re
from collections.abc import Mapping
from typing import Any

from bot.rendering import limits
from bot.rendering.escape import clean, escape, shorten
from bot.rendering.phrase import NOBODY_KNOWN
from bot.rendering.views import Message

_PERSON = re.compile(r"<@([UW][A-Z0-9]+)>")


def calling_nobody(message: Message, people: Mapping[str, str]) -> Message:
    """`people`: names by Slack's ids."""
    return Message(
        text=_in_mrkdwn(message.text, people),
        blocks=tuple(_uncalled(block, people) for block in message.blocks),
        compact=tuple(_uncalled(block, people) for block in message.compact),
    )


def _uncalled(part: Any, people: Mapping[str, str]) -> Any:
    match part:
        case {"type": "user", "user_id": user_id}:
            return {"type": "text", "text": _name(user_id, people)}
        case {"type": "mrkdwn", "text": text}:
            return part | {"text": _in_mrkdwn(text, people)}
        case dict():
            return {key: _uncalled(value, people) for key, value in part.items()}
        case list():
            return [_uncalled(value, people) for value in part]
        case _:
            return part


def _in_mrkdwn(text: str, people: Mapping[str, str]) -> str:
    named = _PERSON.sub(lambda found: escape(_name(found[1], people)), text)
    is_short = len(named.encode()) <= limits.MESSAGE_TEXT_BYTES and len(named) <= limits.SECTION
    return named if is_short else _PERSON.sub(NOBODY_KNOWN, text)


def _name(user_id: str, people: Mapping[str, str]) -> str:
    return shorten(clean(people.get(user_id, "")), limits.NAME) or NOBODY_KNOWN
