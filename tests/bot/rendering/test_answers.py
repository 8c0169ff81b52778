import msgspec
import pytest

from bot.rendering import ids, words
from bot.rendering.answers import (
    POOLS_PER_PAGE,
    pool_line,
    render_help,
    render_pool,
    render_report,
    render_sentence,
    render_shown,
    render_unknown_pool,
)
from bot.rendering.card import render_card
from bot.rendering.views import PoolAnswer, Report, Standing
from tests.bot.rendering.checks import check
from tests.bot.rendering.samples import (
    AT,
    DAY_AND_TIME,
    actions,
    bold,
    button,
    labels,
    line,
    mrkdwn,
    plain,
    pool,
    reading,
    rich,
    unparted,
    view,
)
from tgc.models import Recommendation, RecommendationState, StateReason

OFFER = unparted(
    "4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %). 1 VM would lose replication: erp-db-01"
)
UNREAD = PoolAnswer(pool_name="Test", problem="The TGC failed (ERR-API-7102): try again later.")


def _report(*pools: PoolAnswer) -> Report:
    return Report(tgc_name="tgc.example.com", read_at=AT, pools=pools)


def test_every_pool_is_a_line_what_asks_for_a_decision_first() -> None:
    pools = (pool("Lab", Standing.BALANCED), UNREAD, pool("web", Standing.OFFERED), pool("App", Standing.OFFERED))
    answer = render_report(_report(*pools), page=0, filter_text="")
    read = f"tgc.example.com · read <!date^1773151920^{DAY_AND_TIME}|2026-03-10 14:12 UTC>"
    assert list(answer.blocks) == [
        rich(line(bold("2 of 4 pools have a recommendation, 1 could not be read."))),
        {"type": "section", "text": plain(f"App: {OFFER}"), "accessory": button("Show", ids.SHOW, "offer-App")},
        {"type": "section", "text": plain(f"web: {OFFER}"), "accessory": button("Show", ids.SHOW, "offer-web")},
        {"type": "section", "text": plain("Test: The TGC failed (ERR-API-7102): try again later.")},
        {"type": "section", "text": plain("Lab: balanced, nothing to move")},
        {"type": "context", "elements": [mrkdwn(read)]},
    ]
    assert answer.text.startswith("2 of 4 pools have a recommendation, 1 could not be read. App: 4 VMs to move")


def test_many_pools_are_paged_and_the_filter_goes_along() -> None:
    pools = tuple(pool(f"Pool {number:02}", Standing.OFFERED) for number in range(25))
    first, second, last = (render_report(_report(*pools), page=page, filter_text="pool") for page in (0, 1, 99))
    assert labels(first.blocks).count("Show") == POOLS_PER_PAGE
    assert first.blocks[-1] == actions(button("Next", ids.LIST_NEXT, "1:pool"))
    assert second.blocks[-1] == actions(
        button("Previous", ids.LIST_PREVIOUS, "0:pool"), button("Next", ids.LIST_NEXT, "2:pool")
    )
    assert labels(last.blocks) == ["Show"] * 5 + ["Previous"]
    assert "page 3 of 3" in reading(last.blocks)


def test_what_runs_or_is_dismissed_still_counts_as_a_recommendation() -> None:
    pools = (pool("A", Standing.RUNNING, "running"), pool("B", Standing.DISMISSED), pool("C", Standing.DONE, "failed"))
    told = reading(render_report(_report(*pools), page=0, filter_text="").blocks).splitlines()
    assert told[0] == "2 of 3 pools have a recommendation."
    assert told[1].startswith("A: 1 of 4 VMs moved, running. 1 VM loses replication")
    assert told[3].startswith("B: dismissed: 4 VMs to move")


def test_what_is_still_being_read_is_not_called_unreadable() -> None:
    late = PoolAnswer(pool_name="Slow", is_late=True)
    told = render_report(_report(pool("A", Standing.OFFERED), UNREAD, late), page=0, filter_text="").text
    assert told.startswith("1 of 3 pools has a recommendation, 1 could not be read, 1 is still being read.")
    assert "Slow: still being read; ask again in a minute." in told
    told = render_report(_report(late, late), page=0, filter_text="").text
    assert told.startswith("0 of 2 pools have a recommendation, 2 are still being read.")


def test_one_pool_is_counted_in_the_singular() -> None:
    told = render_report(_report(pool("A", Standing.OFFERED)), page=0, filter_text="").text
    assert told.startswith("1 of 1 pool has a recommendation.")


def test_no_pools_at_all_is_said() -> None:
    assert render_report(_report(), page=0, filter_text="").text == "The TGC shows this account no VMstore pools."


def test_the_pools_of_tgcs_that_cannot_be_read_are_told_to_be_missing() -> None:
    unread = {f"tgc-{number}": "No route & no name. " * 200 for number in range(20)} | {"a": "No route."}
    report_ = msgspec.structs.replace(
        _report(pool("b/Lab", Standing.BALANCED)), are_many=True, unread={"a": "No route."}
    )
    assert "The pools of a are missing: No route." in render_report(report_, page=0, filter_text="").text
    longest = render_report(msgspec.structs.replace(report_, unread=unread), page=0, filter_text="")
    check(longest)
    assert "And so are those of 16 more." in reading(longest.blocks)


def test_a_pool_chosen_from_the_list_is_its_card_with_the_way_back() -> None:
    offered = view("available", Standing.OFFERED)
    shown, card = render_shown(offered), render_card(offered)
    back = actions(button("All pools", ids.LIST_ALL, "0:"))
    assert shown.forms() == ((*card.blocks, back), (*card.compact, back), ())


def test_one_pool_is_answered_with_its_card_or_its_problem() -> None:
    offered = view("available", Standing.OFFERED)
    assert render_pool(PoolAnswer(pool_name="Production", view=offered)) == render_card(offered)
    assert render_pool(UNREAD).text == "Test: The TGC failed (ERR-API-7102): try again later."
    assert render_pool(PoolAnswer(pool_name="Test")).text == "Test: could not be read."


def test_a_long_problem_is_told_with_its_advice() -> None:
    problem = f"The TGC failed (500 ERR-API-7102: {'x' * 200}); if that goes on, look at the TGC itself."
    assert render_pool(PoolAnswer(pool_name="Test", problem=problem)).text == f"Test: {problem}"


def test_an_unknown_pool_is_answered_with_those_like_it() -> None:
    answer = render_unknown_pool("Prdo <!here>", ["Production", "Prod-2"], are_all=False)
    assert answer.text == (
        "No pool is called “Prdo &lt;!here&gt;”. Close to it: Production, Prod-2. /tintri reco shows all pools."
    )
    assert "Close" not in render_unknown_pool("x", [], are_all=False).text


def test_where_there_are_few_pools_all_are_named_and_none_is_called_close() -> None:
    answer = render_unknown_pool("Marketing", ["Lab", "Test"], are_all=True)
    assert answer.text == "No pool is called “Marketing”. There is: Lab, Test."


def test_help_shows_what_to_type_and_quotes_what_it_did_not_understand() -> None:
    told = reading(render_help("mvoe <!channel>").blocks)
    assert told.startswith("“mvoe <!channel>” is nothing I know.")
    for command in ("reco", "reco Production", "pause Production 8", "resume Production", "help"):
        assert f"/tintri {command}  " in told
    assert reading(render_help(None).blocks).startswith("What you can ask for:")


def test_a_sentence_is_said_as_it_is() -> None:
    answer = render_sentence("@bob <http://a|b> &\nfriends")
    assert answer.text == "@bob &lt;http://a|b&gt; &amp; friends"
    assert answer.blocks == ({"type": "section", "text": plain("@bob <http://a|b> & friends")},)


@pytest.mark.parametrize("reason", list(StateReason))
def test_a_pool_without_a_recommendation_says_why_and_what_one_can_do(reason: StateReason) -> None:
    silent = Recommendation(state=RecommendationState.NO_RECOMMENDATION_AVAILABLE, state_reason=reason)
    answer = PoolAnswer(pool_name="Lab", view=view(silent, Standing.UNAVAILABLE, offer_id=None))
    assert pool_line(answer) == f"Lab: no recommendation, {words.reason(reason)}. {words.remedy(reason)}"
