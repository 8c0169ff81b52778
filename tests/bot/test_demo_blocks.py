from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.demo_blocks import Painter

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PAINTER = Painter({"U1": "alice", "C1": "storage"}, NOW)


def drawn(text: str) -> str:
    (line,) = PAINTER.lines([], text)
    return line.text.plain


@pytest.mark.parametrize(
    ("mrkdwn", "seen"),
    [
        ("&lt;!channel&gt; &amp;amp; ok", "<!channel> &amp; ok"),
        ("by <@U1> in <#C1>, not <@U2>", "by @alice in #storage, not @U2"),
        ("<https://tgc.example.com|tgc &amp; co>", "tgc & co"),
        ("<https://tgc.example.com>", "https://tgc.example.com"),
        (":warning: :x: :unheard_of: 12:30:15", "⚠ ✗ :unheard_of: 12:30:15"),
    ],
)
def test_mrkdwn_is_shown_as_slack_shows_it(mrkdwn: str, seen: str) -> None:
    assert drawn(mrkdwn) == seen


@pytest.mark.parametrize(
    ("days", "seen"), [(-1, "yesterday"), (0, "today"), (1, "tomorrow"), (5, f"{NOW + timedelta(5):%b} 15, 2026")]
)
def test_a_date_is_in_the_readers_time(days: int, seen: str) -> None:
    at = NOW + timedelta(days)
    token = f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|2026>"
    assert drawn(token) == f"{seen} at {at.astimezone():%H:%M}"


def test_what_is_not_known_is_named() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "image", "image_url": "https://example.com/a.png"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "color"}]}]},
    ]
    assert [line.text.plain for line in PAINTER.lines(blocks)] == ["(image)", "(color)"]
