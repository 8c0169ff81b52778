"""Whatever the TGC or a person says, what is sent is legal, harmless and small enough."""

import json
from datetime import UTC, datetime
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
from bot.rendering.audit import ENTRIES_PER_PAGE, render_audit
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
from bot.rendering.views import AuditEntry, AuditPage, CardView, Report, SeenMove
from playground.blockkit import validate_view
from tests.bot.rendering.checks import UNSEEN, buttons, check, check_harmless, sent, size
from tests.bot.rendering.strategies import AUDIT_ENTRIES, MOMENTS, REPORTS, TEXTS, USER_IDS, VIEWS

# Views are big: drawing them takes longer than rendering them.
slow = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
VIEW_SIZE = 250_000
ZONE = ZoneInfo("America/Los_Angeles")


@slow
@given(VIEWS, st.integers(min_value=-3, max_value=40), USER_IDS)
def test_whatever_a_view_holds_all_its_renderings_are_legal_harmless_and_small(
    view: CardView,
    page: int,
    user_id: str,
) -> None:
    card = render_card(view)
    assert card == render_card(view)
    check(card)
    assert size(card.blocks) < limits.CARD_SIZE
    assert size(card.compact) < limits.CARD_SIZE
    for form in (card.blocks, card.compact):
        assert {button["value"] for button in buttons(form)} <= {view.offer_id}

    modal = render_details(view, page)
    assert validate_view(sent(modal)) == []
    assert len(json.dumps(modal)) < VIEW_SIZE
    check_harmless(modal)

    notice = render_other_moves(view, user_id)
    check(notice)
    assert size(notice.blocks) < limits.CARD_SIZE


@slow
@given(REPORTS, st.integers(min_value=-1, max_value=5), TEXTS)
def test_whatever_a_report_holds_all_its_renderings_are_legal_harmless_and_small(
    report: Report,
    page: int,
    typed: str,
) -> None:
    answer = render_report(report, page=page, filter_text=typed)
    check(answer)
    assert size(answer.blocks) < limits.MESSAGE_SIZE
    for pool in report.pools[:3]:
        check(render_pool(pool))
        if pool.view is not None:
            shown = render_shown(pool.view)
            check(shown)
            assert size(shown.blocks) < limits.MESSAGE_SIZE

    text = plain_report(report, zone=ZONE)
    text.encode()
    assert not UNSEEN.search(text)


@slow
@given(st.lists(AUDIT_ENTRIES, max_size=ENTRIES_PER_PAGE), TEXTS)
def test_whatever_the_journal_holds_its_pages_are_legal_harmless_and_small(
    entries: list[AuditEntry], typed: str
) -> None:
    message = render_audit(AuditPage(entries=tuple(entries), total=99, typed=typed, page=1, last=19))
    check(message)


def test_a_page_of_the_longest_entries_is_small_enough() -> None:
    long = "&" * 5_000
    move = SeenMove(wave=1, vm=long, source=long, destination=long)
    entry = AuditEntry(
        id=1,
        decided_at=datetime(2026, 3, 10, 6, 15, tzinfo=UTC),
        action="accept",
        outcome="unknown_offer",
        user_id=long,
        user_name=long,
        team_id=long,
        channel_id=long,
        tgc=long,
        pool_uuid=long,
        pool_name=long,
        recommendation_id=long,
        moves=(move,) * 600,
        loses_replication=(long,) * 600,
        typed=long,
        told=long,
        tgc_answer=long,
        offer_id=long,
    )
    page = AuditPage(entries=(entry,) * ENTRIES_PER_PAGE, total=99, typed=long, page=1, last=19)
    message = render_audit(page)
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE


@given(TEXTS, st.lists(TEXTS, max_size=9), st.booleans())
def test_every_other_answer_is_legal_and_harmless(typed: str, close: list[str], are_all: bool) -> None:
    check(render_unknown_pool(typed, close, are_all=are_all))
    check(render_help(typed))
    check(render_sentence(typed))
    modal = render_details_problem(typed, typed)
    assert validate_view(sent(modal)) == []


@given(TEXTS, MOMENTS, MOMENTS, USER_IDS, st.none() | TEXTS)
def test_every_notice_is_legal_and_harmless(said: str, since: Any, until: Any, user_id: str, pool: str | None) -> None:
    check(render_outage(said, since, said))
    check(render_outage_over(said, since, until))
    check(render_paused(user_id, pool, until))
    check(render_paused(user_id, pool, None))
    check(render_resumed(user_id, pool))
    check(render_cannot_post(said, said, 3))
    check(render_cannot_post("C012AB3CD", said, 1))
