"""Whatever the TGC or a person says, what is sent is legal, harmless and small enough."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.rendering import ids, limits
from bot.rendering.answers import (
    render_help,
    render_pool,
    render_report,
    render_sentence,
    render_shown,
    render_unknown_pool,
)
from bot.rendering.audit import ENTRIES_PER_PAGE, render_audit
from bot.rendering.card import render_card, render_moved
from bot.rendering.details import render_details, render_details_problem
from bot.rendering.following import render_ended, render_stalled
from bot.rendering.forms import render_said, render_waiting
from bot.rendering.home import render_closed_home, render_home, render_reply
from bot.rendering.notices import (
    render_cannot_post,
    render_other_moves,
    render_outage,
    render_outage_over,
    render_paused,
    render_plan_came,
    render_plan_cancelled,
    render_plan_changed,
    render_plan_held,
    render_plan_overtaken,
    render_reminder,
    render_resumed,
    render_silence,
    render_written,
)
from bot.rendering.plain import plain_report
from bot.rendering.planning import TITLE, render_plan_form, render_planned
from bot.rendering.reasons import render_accept_form, render_note_form, render_reason_form
from bot.rendering.rules import RULES_PER_PAGE, render_rules
from bot.rendering.shaping import render_issues_form, render_leave_out_form, render_rule_form
from bot.rendering.views import (
    Action,
    AuditEntry,
    AuditPage,
    CardView,
    HomeView,
    Report,
    RulesPage,
    RuleView,
    SeenMove,
)
from playground.blockkit import validate_message, validate_view
from tests.bot.rendering.checks import UNSEEN, buttons, check, check_harmless, sent, size
from tests.bot.rendering.strategies import AUDIT_ENTRIES, HOMES, MOMENTS, REPORTS, TEXTS, USER_IDS, VIEWS

# Views are big: drawing them takes longer than rendering them.
slow = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
SOCKET_FRAME = 20_480
"""What an acknowledgement must stay below in Socket Mode."""
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
        for button in buttons(form):
            is_of_plan = view.planned is not None and button["action_id"] == ids.CANCEL_PLAN
            assert button["value"] == (view.planned.id if is_of_plan and view.planned else view.offer_id)

    check(render_moved(view, "C012AB3CD", "https://tgc.example.com"))
    calling = render_card(view, [*(f"S{number:030}" for number in range(9)), "here"])
    assert size(calling.blocks) < limits.CARD_SIZE
    for form in calling.forms()[:-1]:
        assert validate_message(sent(list(form))) == []

    shown = RulesPage(rules=_rules(view, user_id), total=14, typed=view.tgc_name, page=page % 3, last=2)
    for rules in (render_rules(shown), render_rules(shown, view.pool_name)):
        check(rules)
        assert size(rules.blocks) < limits.MESSAGE_SIZE

    modal = render_details(view, page)
    assert validate_view(sent(modal)) == []
    assert len(json.dumps(modal)) < limits.VIEW_BYTES
    check_harmless(modal)

    for asking in (
        render_plan_form(view, view.tgc_name),
        render_accept_form(view),
        render_reason_form(view),
        render_note_form(view),
        render_leave_out_form(view),
        render_issues_form(view),
        render_rule_form(view),
    ):
        assert validate_view(sent(asking)) == []
        assert len(json.dumps(asking)) < limits.VIEW_BYTES
        check_harmless(asking)

    for notice in (
        render_other_moves(view, user_id),
        render_ended(view),
        render_stalled(view, view.stalled),
        render_reminder(view, can_be_put_off=page > 0),
    ):
        check(notice)
        assert size(notice.blocks) < limits.CARD_SIZE


@pytest.mark.extended
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


@pytest.mark.extended
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
        ticket=long,
        note=long,
        feedback=long,
    )
    page = AuditPage(entries=(entry,) * ENTRIES_PER_PAGE, total=99, typed=long, page=1, last=19)
    message = render_audit(page)
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE


@pytest.mark.extended
@slow
@given(HOMES)
def test_whatever_there_is_a_home_is_legal_harmless_and_small(view: HomeView) -> None:
    home = render_home(view)
    assert validate_view(sent(home)) == []
    assert len(home["blocks"]) <= limits.VIEW_BLOCKS
    assert len(json.dumps(home)) < limits.VIEW_BYTES
    check_harmless(home)
    offered = {card.offer_id for card in (*view.waiting, *view.running)} | {"plan-1"}
    assert {button["value"] for button in buttons(tuple(home["blocks"]))} <= offered


@given(TEXTS)
def test_a_sentence_in_the_place_of_a_home_or_of_an_answer_is_legal_and_harmless(text: str) -> None:
    for view in (render_closed_home(text), render_reply(render_sentence(text))):
        assert validate_view(sent(view)) == []
        check_harmless(view)


@given(TEXTS, st.lists(TEXTS, max_size=9), st.booleans())
def test_every_other_answer_is_legal_and_harmless(typed: str, close: list[str], are_all: bool) -> None:
    check(render_unknown_pool(typed, close, are_all=are_all))
    check(render_help(typed))
    check(render_sentence(typed))
    for modal in (render_details_problem(typed, typed), render_said(TITLE, typed)):
        assert validate_view(sent(modal)) == []


@given(TEXTS, MOMENTS)
def test_what_became_of_a_form_is_legal_harmless_and_small_enough_to_acknowledge_with(pool: str, due_at: Any) -> None:
    planned = render_planned(pool, due_at)
    assert validate_view(sent(planned)) == []
    check_harmless(planned)
    waiting = render_waiting(TITLE)
    assert validate_view(sent(waiting)) == []
    assert len(json.dumps(waiting)) < SOCKET_FRAME / 10


@given(TEXTS, MOMENTS, MOMENTS, USER_IDS, st.none() | TEXTS)
def test_every_notice_is_legal_and_harmless(said: str, since: Any, until: Any, user_id: str, pool: str | None) -> None:
    check(render_outage(said, since, said))
    check(render_outage_over(said, since, until))
    check(render_paused(user_id, pool, until))
    check(render_silence(said, since, (said, pool or "") * 9))
    check(render_paused(user_id, pool, None))
    check(render_resumed(user_id, pool))
    check(render_cannot_post(said, said, 3))
    check(render_cannot_post("C012AB3CD", said, 1))
    check(render_plan_came(user_id, since, said))
    check(render_plan_held(said, user_id, since, until))
    check(render_plan_changed(user_id, since))
    check(render_written(user_id, Action.ACCEPT, said))
    check(render_plan_overtaken(user_id, since, user_id, Action.DISMISS))
    check(render_plan_cancelled(user_id, since, user_id))


def _rules(view: CardView, user_id: str) -> tuple[RuleView, ...]:
    return tuple(
        RuleView(
            id=f"{number}",
            pool_name=view.pool_name,
            vm_name=view.tgc_name,
            rule=view.pool_name,
            user_id=user_id,
            asked_at=datetime(2026, 3, 10, 6, 15, tzinfo=UTC),
            clears=number % 2 == 0,
            is_known=number % 3 > 0,
        )
        for number in range(RULES_PER_PAGE)
    )
