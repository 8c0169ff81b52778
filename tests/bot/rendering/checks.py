"""What must hold for all that is sent to Slack or printed."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.rendering import limits
from bot.rendering.views import Message
from playground.blockkit import validate_message

OURS = re.compile(
    r"<!date\^\d{1,10}\^(?:\{date_short_pretty\} at )?\{time\}\|[-\d: ]+UTC>"
    r"|<@[UW][A-Z0-9]+>"
    r"|<#[CGD][A-Z0-9]+>"
    r"|<https://tgc\.example\.com\|[^<>|]+>"
)
ENTITIES = re.compile(r"&(?!amp;|lt;|gt;)")
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def check(message: Message) -> None:
    assert message.text
    assert len(message.text.encode()) <= limits.MESSAGE_TEXT_BYTES
    check_mrkdwn(message.text)
    assert not UNSEEN.search(message.text)
    for form in message.forms()[:-1]:
        assert validate_message(sent(list(form))) == []
        check_harmless(list(form))


def check_harmless(part: Any) -> None:
    assert not [text for text in all_texts(part) if UNSEEN.search(text.replace("\n▇", "▇").replace("\n▁", "▁"))]
    for found in objects(part):
        match found.get("type"):
            case "mrkdwn":
                assert found["verbatim"] is True
                check_mrkdwn(found["text"])
            case "plain_text":
                assert found["emoji"] is False
            case "link":
                assert found["url"] == "https://tgc.example.com"
            case "user":
                assert re.fullmatch(r"[UW][A-Z0-9]+", found["user_id"])
            case "usergroup" | "broadcast":
                raise AssertionError(found)


def check_mrkdwn(text: str) -> None:
    outside = OURS.sub("", text)
    assert "<" not in outside
    assert ">" not in outside
    assert not ENTITIES.search(outside)


def sent(part: Any) -> Any:
    """What arrives at Slack."""
    return json.loads(json.dumps(part, ensure_ascii=False).encode())


def size(blocks: tuple[dict[str, Any], ...]) -> int:
    """Escaped text, and 100 for each thing that holds others: more than the validator counts."""
    characters = sum(
        len(text.encode("utf-16-le")) // 2 + 4 * sum(map(text.count, "&<>")) for text in all_texts(list(blocks))
    )
    return characters + 100 * len(blocks)


def buttons(form: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [found for found in objects(list(form)) if found.get("type") == "button"]


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from objects(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects(value)


def all_texts(part: Any) -> list[str]:
    return [found["text"] for found in objects(part) if isinstance(found.get("text"), str)]
