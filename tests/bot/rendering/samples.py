"""The contract's samples as views, and a short way to write the blocks expected of them."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from bot.rendering.views import Act, Action, Block, CardView, PoolAnswer, Standing
from tgc.models import Recommendation

_SAMPLES = Path(__file__).parents[2] / "contract" / "samples"

AT = datetime(2026, 3, 10, 14, 12, tzinfo=UTC)
DAY_AND_TIME = "{date_short_pretty} at {time}"
MADE = f"<!date^1773147604^{DAY_AND_TIME}|2026-03-10 13:00 UTC>"
EXPIRES = f"<!date^1773190800^{DAY_AND_TIME}|2026-03-11 01:00 UTC>"
TGC_LINK = "<https://tgc.example.com|tgc.example.com>"


def recommendation(name: str) -> Recommendation:
    return msgspec.json.decode((_SAMPLES / f"recommendation_{name}.json").read_bytes(), type=Recommendation)


def view(sample: str | Recommendation, standing: Standing, **changes: Any) -> CardView:
    given: dict[str, Any] = {
        "tgc_key": "default",
        "tgc_name": "tgc.example.com",
        "tgc_url": "https://tgc.example.com",
        "pool_name": "Production",
        "recommendation": recommendation(sample) if isinstance(sample, str) else sample,
        "standing": standing,
        "offer_id": "offer-1",
        "can_act": True,
        "can_accept": True,
    }
    return CardView(**given | changes)


def act(action: Action, user_id: str = "U0ALICE", *, other_moves: bool = False) -> Act:
    return Act(action=action, user_id=user_id, at=AT, other_moves=other_moves)


def pool(name: str, standing: Standing, sample: str = "available") -> PoolAnswer:
    offer_id = None if standing is Standing.BALANCED else f"offer-{name}"
    return PoolAnswer(pool_name=name, view=view(sample, standing, pool_name=name, offer_id=offer_id))


def unparted(words: str) -> str:
    """The words with each number tied to its unit and its bar, which no window may part."""
    return re.sub(r"(?<=\d) (?=(%|GiB|MBps|ms)(?!\w))|(?<=[▇▁]) (?=\d)", "\N{NO-BREAK SPACE}", words)


def joined(bars: str) -> str:
    """Bars whose arrow no window may part from them."""
    return bars.replace(" → ", "\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}")


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def bold(words: str) -> Block:
    return {"type": "text", "text": words, "style": {"bold": True}}


def emoji(name: str) -> Block:
    return {"type": "emoji", "name": name}


def user(user_id: str) -> Block:
    return {"type": "user", "user_id": user_id}


def date(timestamp: int, fallback: str, form: str = DAY_AND_TIME) -> Block:
    return {"type": "date", "timestamp": timestamp, "format": form, "fallback": fallback}


def line(*leaves: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(leaves)}


def items(*lines: Block) -> Block:
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def plain(words: str) -> Block:
    return {"type": "plain_text", "text": words, "emoji": False}


def mrkdwn(words: str) -> Block:
    return {"type": "mrkdwn", "text": words, "verbatim": True}


def button(label: str, action_id: str, value: str = "offer-1", **more: Any) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value, **more}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def labels(blocks: tuple[Block, ...]) -> list[str]:
    """What the buttons of a message say."""
    return [
        element["text"]["text"]
        for block in blocks
        for element in (block["elements"] if block["type"] == "actions" else [block.get("accessory")])
        if element and element["type"] == "button"
    ]


def reading(part: Any) -> str:
    """All text in blocks or a view, in the order it is read; a part a line."""
    found: list[str] = []
    _read(part, found)
    return "\n".join(found)


def _read(part: Any, found: list[str]) -> None:
    if isinstance(part, dict):
        if part.get("type") == "rich_text_section":
            found.append("".join(_leaf(leaf) for leaf in part["elements"]))
        elif isinstance(part.get("text"), str):
            found.append(part["text"])
        else:
            for value in part.values():
                _read(value, found)
    elif isinstance(part, list | tuple):
        for value in part:
            _read(value, found)


def _leaf(leaf: Block) -> str:
    return str(leaf.get("text") or leaf.get("fallback") or leaf.get("user_id") or leaf.get("name"))
