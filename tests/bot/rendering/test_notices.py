from datetime import timedelta

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
    render_resumed,
)
from bot.rendering.views import Action, Standing
from tests.bot.rendering.samples import AT, DAY_AND_TIME, bold, date, emoji, line, reading, rich, text, view

SINCE = f"<!date^1773151920^{DAY_AND_TIME}|2026-03-10 14:12 UTC>"
UNTIL = f"<!date^1773155520^{DAY_AND_TIME}|2026-03-10 15:12 UTC>"
LATER = AT + timedelta(hours=1)


def test_an_outage_names_the_tgc_the_time_and_the_problem() -> None:
    notice = render_outage("tgc.example.com", AT, "connection refused")
    assert list(notice.blocks) == [
        rich(
            line(
                emoji("warning"),
                text(" "),
                bold("tgc.example.com"),
                text(" gives no answers since "),
                date(1773151920, "2026-03-10 14:12 UTC"),
                text(": connection refused. Cards may be out of date until it is back."),
            )
        )
    ]
    assert notice.text == (
        f":warning: tgc.example.com gives no answers since {SINCE}: connection refused. "
        "Cards may be out of date until it is back."
    )


def test_the_end_of_an_outage_tells_how_long_it_was() -> None:
    notice = render_outage_over("tgc.example.com", AT, LATER)
    assert notice.text == f"tgc.example.com is back. It gave no answers from {SINCE} to {UNTIL}."


def test_a_pause_tells_who_what_until_when_and_how_to_end_it() -> None:
    assert render_paused("U0ALICE", "Production", LATER).text == (
        f"<@U0ALICE> paused accepting in Production until {UNTIL}. /tintri resume Production ends it early."
    )
    assert render_paused("U0ALICE", None, None).text == (
        "<@U0ALICE> paused accepting in all pools. /tintri resume ends it."
    )


def test_the_end_of_a_pause_tells_who_ended_it() -> None:
    assert render_resumed("U0BOB", "Production").text == (
        "<@U0BOB> ended the pause in Production: recommendations can be accepted again."
    )


def test_other_moves_are_listed_with_what_to_do() -> None:
    notice = render_other_moves(view("running", Standing.RUNNING), "U0ALICE")
    assert notice.text.startswith(
        ":warning: The TGC runs other moves than the ones shown when <@U0ALICE> accepted this for Production."
    )
    assert "press Cancel" in notice.text
    assert "erp-db-04  vmstore01 → vmstore03" in reading(notice.blocks)


def test_where_the_bot_cannot_post_the_fix_is_told() -> None:
    notice = render_cannot_post("C012AB3CD", "it is not a member.", 3)
    assert notice.text == (
        ":warning: I cannot post in <#C012AB3CD>: it is not a member. 3 recommendations wait to be shown there. "
        "To fix it, type /invite with my name in that channel, or set RECO_CHANNEL (or its route) to another one."
    )


def test_what_is_no_channel_id_is_not_written_as_a_link() -> None:
    assert "in the channel: gone." in render_cannot_post("general>", "gone", 1).text


def test_what_became_of_a_plan_speaks_to_the_person_who_made_it() -> None:
    assert render_plan_came("U0ALICE", AT, "Production: Nothing was done. It has expired.").text == (
        f"<@U0ALICE>, you planned to accept this {SINCE}. Production: Nothing was done. It has expired."
    )


def test_a_plan_that_a_pause_holds_back_tells_until_when() -> None:
    assert render_plan_held("Production", "U0ALICE", AT, LATER).text == (
        f"<@U0ALICE> planned to accept this for Production {SINCE}, but accepting is paused. It is accepted as soon as "
        "the pause ends, if that is by <!date^1773155520^{time}|2026-03-10 15:12 UTC>; otherwise the plan is over."
    )


def test_the_end_of_a_plan_tells_why() -> None:
    plan = f"The plan of <@U0ALICE> to accept this {SINCE} is over, because"
    assert render_plan_changed("U0ALICE", AT).text == (
        f"{plan} its moves have changed. Look at the card, and plan it anew."
    )
    assert render_plan_overtaken("U0ALICE", AT, "U0BOB", Action.DISMISS).text == f"{plan} <@U0BOB> dismissed it."
    assert render_plan_overtaken("U0ALICE", AT, "U0BOB", Action.ACCEPT).text == f"{plan} <@U0BOB> accepted it."
    assert render_plan_cancelled("U0ALICE", AT, "U0BOB").text == (
        f"<@U0BOB> cancelled the plan of <@U0ALICE> to accept this {SINCE}."
    )
