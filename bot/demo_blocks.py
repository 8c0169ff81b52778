"""Slack's messages for a terminal: blocks become lines of text, a button becomes [Accept]."""

import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.style import Style
from rich.text import Text

Block = dict[str, Any]

_PLAIN, _STRONG, _FAINT = Style(), Style(bold=True), Style(dim=True)
_CODE, _PERSON, _LINK = Style(color="magenta"), Style(color="cyan"), Style(color="blue", underline=True)
_BUTTONS = {"primary": Style(color="green", bold=True), "danger": Style(color="red", bold=True)}

_SIGNS = {
    "warning": "⚠",
    "arrow_forward": "▶",
    "white_check_mark": "✓",
    "x": "✗",
    "no_entry_sign": "⊘",
    "white_circle": "○",
    "hourglass_flowing_sand": "…",
}
"""Signs one column wide, whatever a terminal makes of emoji."""

_MARKUP = re.compile(r"<(?P<token>[^<>]+)>|:(?P<sign>[a-z_]+):")


class Line(msgspec.Struct, frozen=True):
    """One line, before it is wrapped."""

    text: Text
    first: str = ""
    """What stands before its first row."""
    further: str = ""
    """What stands before the rows that follow."""


class Painter:
    """Turns blocks into lines; `names` are those of people and channels by their Slack ids."""

    def __init__(self, names: Mapping[str, str], now: datetime) -> None:
        self._names = names
        self._now = now

    def lines(self, blocks: Iterable[Block], text: str = "") -> list[Line]:
        """The blocks, or the text of a message that has none."""
        drawn = [line for block in blocks for line in self._block(block)]
        return drawn or [Line(self._mrkdwn(text))]

    def _block(self, block: Block) -> Iterable[Line]:
        match block["type"]:
            case "header":
                yield Line(self._text(block["text"], _STRONG))
            case "section":
                beside = _accessory(block)
                text = Text("  ").join([self._text(block["text"]), *map(label, beside)])
                yield Line(text, further="  " if beside else "")
            case "context":
                yield Line(Text("  ").join(self._text(element, _FAINT) for element in block["elements"]))
            case "actions":
                yield Line(Text(" ").join(map(label, block["elements"])))
            case "rich_text":
                for element in block["elements"]:
                    yield from self._rich(element)
            case other:
                yield Line(Text(f"({other})", _FAINT))

    def _rich(self, element: Block) -> Iterable[Line]:
        if element["type"] == "rich_text_list":
            for item in element["elements"]:
                rows = self._leaves(item).split("\n")
                yield from (Line(row, first="  " if at else "• ", further="  ") for at, row in enumerate(rows))
        else:
            yield from (Line(row) for row in self._leaves(element).split("\n"))

    def _leaves(self, section: Block) -> Text:
        return Text().join(self._leaf(leaf) for leaf in section["elements"])

    def _leaf(self, leaf: Block) -> Text:
        match leaf:
            case {"type": "text", "text": str(words)}:
                style = leaf.get("style", {})
                return Text(words, _CODE if style.get("code") else _STRONG if style.get("bold") else _PLAIN)
            case {"type": "date", "timestamp": int(seconds), "format": str(form)}:
                return Text(self._date(seconds, form))
            case {"type": "user", "user_id": str(user_id)}:
                return self._person(user_id)
            case {"type": "channel", "channel_id": str(channel_id)}:
                return self._channel(channel_id)
            case {"type": "link", "url": str(url)}:
                return Text(leaf.get("text", url), _LINK)
            case {"type": "emoji", "name": str(name)}:
                return Text(_sign(name))
            case _:
                return Text(f"({leaf['type']})", _FAINT)

    def _text(self, element: Block, style: Style = _PLAIN) -> Text:
        if element["type"] == "plain_text":
            return Text(element["text"], style)
        text = self._mrkdwn(element["text"])
        text.style = style
        return text

    def _mrkdwn(self, text: str) -> Text:
        """As much of it as the bot uses: dates, people, channels, links and emoji."""
        drawn, done = Text(), 0
        for match in _MARKUP.finditer(text):
            drawn.append(html.unescape(text[done : match.start()]))
            drawn.append_text(self._token(match["token"]) if match["token"] else Text(_sign(match["sign"])))
            done = match.end()
        return drawn.append(html.unescape(text[done:]))

    def _token(self, token: str) -> Text:
        target, _, label = token.partition("|")
        match target[:1], target[1:]:
            case "@", user_id:
                return self._person(user_id)
            case "#", channel_id:
                return self._channel(channel_id)
            case "!", date if date.startswith("date^"):
                _, seconds, form = date.split("^", 2)
                return Text(self._date(int(seconds), form))
            case _:
                return Text(html.unescape(label or target), _LINK)

    def _person(self, user_id: str) -> Text:
        return Text(f"@{self._names.get(user_id, user_id)}", _PERSON)

    def _channel(self, channel_id: str) -> Text:
        return Text(f"#{self._names.get(channel_id, channel_id)}", _PERSON)

    def _date(self, seconds: int, form: str) -> str:
        """In the reader's own time zone, as Slack shows it."""
        at = datetime.fromtimestamp(seconds, UTC).astimezone()
        days = {timedelta(-1): "yesterday", timedelta(0): "today", timedelta(1): "tomorrow"}
        day = days.get(at.date() - self._now.astimezone().date(), f"{at:%b} {at.day}, {at.year}")
        return form.replace("{date_short_pretty}", day).replace("{time}", f"{at:%H:%M}")


def label(button: Block) -> Text:
    return Text(f"[{button['text']['text']}]", _BUTTONS.get(button.get("style", ""), _STRONG))


def dialog(button: Block) -> list[Block]:
    """What Slack asks before the button does anything, as blocks."""
    confirm = button["confirm"]
    yes = {"type": "button", "text": confirm["confirm"], "style": confirm.get("style", "primary")}
    no = {"type": "button", "text": confirm["deny"]}
    return [
        {"type": "header", "text": confirm["title"]},
        {"type": "section", "text": confirm["text"]},
        {"type": "actions", "elements": [yes, no]},
    ]


def buttons(blocks: Iterable[Block]) -> dict[str, Block]:
    """The buttons in the blocks, by their action id."""
    elements = [element for block in blocks for element in (*block.get("elements", ()), *_accessory(block))]
    return {element["action_id"]: element for element in elements if element.get("type") == "button"}


def _accessory(block: Block) -> list[Block]:
    return [block["accessory"]] if "accessory" in block else []


def _sign(name: str) -> str:
    return _SIGNS.get(name, f":{name}:")
