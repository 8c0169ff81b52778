"""Whatever the TGC or a person says, what is sent is legal, harmless and small enough."""

import json
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.rendering import limits
from bot.rendering.answers import (
    render_help,
    render_pool,
    render_report,
    render_sentence,
    render_shown,
    render_unknown_pool,
)
from bot.rendering.card import render_card
from bot.rendering.details import render_details, render_details_problem
from bot.rendering.notices import (
    render_cannot_post,
    render_other_moves,
    render_outage,
    render_outage_over,
    render_paused,
    render_resumed,
)
from bot.rendering.plain import plain_report
from bot.rendering.views import CardView, Message, Report
from playground.blockkit import validate_message, validate_view
from tests.bot.rendering.strategies import MOMENTS, REPORTS, TEXTS, USER_IDS, VIEWS

# Views are big: drawing them takes longer than rendering them.
slow = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
VIEW_SIZE = 250_000
ZONE = ZoneInfo("America/Los_Angeles")
OURS = re.compile(
    r"<!date\^\d{1,10}\^(?:\{date_short_pretty\} at )?\{time\}\|[-\d: ]+UTC>"
    r"|<@[UW][A-Z0-9]+>"
    r"|<#[CGD][A-Z0-9]+>"
    r"|<https://tgc\.example\.com\|[^<>|]+>"
)
ENTITIES = re.compile(r"&(?!amp;|lt;|gt;)")
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@slow
@given(VIEWS, st.integers(min_value=-3, max_value=40), USER_IDS)
def test_whatever_a_view_holds_all_its_renderings_are_legal_harmless_and_small(
    view: CardView,
    page: int,
    user_id: str,
) -> None:
    card = render_card(view)
    assert card == render_card(view)
    _check(card)
    assert _size(card.blocks) < limits.CARD_SIZE
    assert _size(card.compact) < limits.CARD_SIZE
    for form in (card.blocks, card.compact):
        assert {button["value"] for button in _buttons(form)} <= {view.offer_id}

    modal = render_details(view, page)
    assert validate_view(_sent(modal)) == []
    assert len(json.dumps(modal)) < VIEW_SIZE
    _check_harmless(modal)

    notice = render_other_moves(view, user_id)
    _check(notice)
    assert _size(notice.blocks) < limits.CARD_SIZE


@slow
@given(REPORTS, st.integers(min_value=-1, max_value=5), TEXTS)
def test_whatever_a_report_holds_all_its_renderings_are_legal_harmless_and_small(
    report: Report,
    page: int,
    typed: str,
) -> None:
    answer = render_report(report, page=page, filter_text=typed)
    _check(answer)
    assert _size(answer.blocks) < limits.MESSAGE_SIZE
    for pool in report.pools[:3]:
        _check(render_pool(pool))
        if pool.view is not None:
            shown = render_shown(pool.view)
            _check(shown)
            assert _size(shown.blocks) < limits.MESSAGE_SIZE

    text = plain_report(report, zone=ZONE)
    text.encode()
    assert not UNSEEN.search(text)


@given(TEXTS, st.lists(TEXTS, max_size=9))
def test_every_other_answer_is_legal_and_harmless(typed: str, close: list[str]) -> None:
    _check(render_unknown_pool(typed, close))
    _check(render_help(typed))
    _check(render_sentence(typed))
    modal = render_details_problem(typed, typed)
    assert validate_view(_sent(modal)) == []


@given(TEXTS, MOMENTS, MOMENTS, USER_IDS, st.none() | TEXTS)
def test_every_notice_is_legal_and_harmless(said: str, since: Any, until: Any, user_id: str, pool: str | None) -> None:
    _check(render_outage(said, since, said))
    _check(render_outage_over(said, since, until))
    _check(render_paused(user_id, pool, until))
    _check(render_paused(user_id, pool, None))
    _check(render_resumed(user_id, pool))
    _check(render_cannot_post(said, said, 3))
    _check(render_cannot_post("C012AB3CD", said, 1))


def _check(message: Message) -> None:
    assert message.text
    assert len(message.text.encode()) <= limits.MESSAGE_TEXT_BYTES
    _check_mrkdwn(message.text)
    assert not UNSEEN.search(message.text)
    for form in message.forms()[:-1]:
        assert validate_message(_sent(list(form))) == []
        _check_harmless(list(form))


def _check_harmless(part: Any) -> None:
    assert not [text for text in _all_texts(part) if UNSEEN.search(text.replace("\n▰", "▰").replace("\n▱", "▱"))]
    for found in _objects(part):
        match found.get("type"):
            case "mrkdwn":
                assert found["verbatim"] is True
                _check_mrkdwn(found["text"])
            case "plain_text":
                assert found["emoji"] is False
            case "link":
                assert found["url"] == "https://tgc.example.com"
            case "user":
                assert re.fullmatch(r"[UW][A-Z0-9]+", found["user_id"])
            case "usergroup" | "broadcast":
                raise AssertionError(found)


def _check_mrkdwn(text: str) -> None:
    outside = OURS.sub("", text)
    assert "<" not in outside
    assert ">" not in outside
    assert not ENTITIES.search(outside)


def _sent(part: Any) -> Any:
    """What arrives at Slack."""
    return json.loads(json.dumps(part, ensure_ascii=False).encode())


def _size(blocks: tuple[dict[str, Any], ...]) -> int:
    """Escaped text, and 100 for each thing that holds others: more than the validator counts."""
    sent = sum(
        len(text.encode("utf-16-le")) // 2 + 4 * sum(map(text.count, "&<>")) for text in _all_texts(list(blocks))
    )
    return sent + 100 * len(blocks)


def _buttons(form: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [found for found in _objects(list(form)) if found.get("type") == "button"]


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _objects(value)
    elif isinstance(part, list):
        for value in part:
            yield from _objects(value)


def _all_texts(part: Any) -> list[str]:
    return [found["text"] for found in _objects(part) if isinstance(found.get("text"), str)]
