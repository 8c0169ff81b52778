"""What the bot is at, line by line."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import limits
from bot.rendering.status import LINES_SHOWN, render_status
from bot.rendering.views import Action, CardView, Outage, Paused, PlannedAct, Standing, StatusView, TgcStatus, Unposted
from tests.bot.rendering.checks import check, size
from tests.bot.rendering.samples import AT, act, reading, recommendation, view
from tests.bot.rendering.strategies import MOMENTS, TEXTS, USER_IDS, VIEWS
from tests.bot.rendering.test_properties import slow
from tgc.models import ExecutionState

NEXT = (datetime(2026, 3, 10, 18, 15, tzinfo=UTC), datetime(2026, 3, 11, 6, 15, tzinfo=UTC))

WAITS = "4 VMs to move · expires 2026-03-11 01:00 UTC"
MOVING = next(
    action.vm
    for group in recommendation("running").action_groups
    for action in group.actions
    if action.result and action.result.state is ExecutionState.RUNNING
)
SECOND = "A second person must accept it too, because it always does."


def status(*cards: CardView, **changes: Any) -> StatusView:
    of_tgc: dict[str, Any] = {"outage": None, "login_refused_at": None, "swept_at": AT, "next_sweeps": NEXT}
    of_tgc |= {name: changes.pop(name) for name in of_tgc if name in changes}
    tgc = TgcStatus(name=changes.pop("tgc_name", "tgc.example.com"), **of_tgc)
    given: dict[str, Any] = {
        "tgcs": (tgc,) * changes.pop("tgc_copies", 1),
        "paused": (),
        "unposted": None,
    }
    return StatusView(cards=cards, **given | changes)


def told(shown: StatusView) -> list[str]:
    return reading(render_status(shown).blocks).splitlines()


def test_where_nothing_is_to_be_told_that_is_told() -> None:
    quiet = status(view("available", Standing.DISMISSED), view("available", Standing.EXPIRED))
    first, readings = told(quiet)
    assert first == "Nothing runs, nothing waits."
    assert readings == ("All pools read 2026-03-10 14:12 UTC · next 2026-03-10 18:15 UTC, 2026-03-11 06:15 UTC")
    assert told(status(swept_at=None))[1] == "All pools read next 2026-03-10 18:15 UTC, 2026-03-11 06:15 UTC"


def test_what_runs_is_planned_and_waits_is_told_the_first_to_end_first() -> None:
    plan = PlannedAct(id="plan-1", user_id="U0ALICE", due_at=AT)
    shown = status(
        view("available", Standing.OFFERED, pool_name="Two", approval=act(Action.ACCEPT), second="it always does"),
        view("available", Standing.DECIDING, pool_name="App", pending=act(Action.DISMISS, "U0BOB")),
        view("available", Standing.OFFERED, pool_name="Later", planned=plan),
        view("running", Standing.RUNNING, act=act(Action.ACCEPT), stalled={MOVING: AT}),
    )
    assert told(shown)[:-1] == [
        "Running",
        "Production: 1 of 4 VMs moved, running · accepted by U0ALICE 2026-03-10 14:12 UTC · 1 move is stalled",
        "Planned",
        f"Later: {WAITS} · U0ALICE accepts it 2026-03-10 14:12 UTC, unless that changes.",
        "Waiting for a decision",
        f"App: {WAITS} · U0BOB is dismissing this…",
        f"Two: {WAITS} · U0ALICE accepted this 2026-03-10 14:12 UTC. {SECOND}",
    ]


def test_what_is_paused_refused_and_away_is_told_with_since_when_and_why() -> None:
    shown = status(
        paused=(
            Paused(pool_name=None, user_id="U0ALICE", until=AT),
            Paused(pool_name="Lab", user_id="U0BOB", until=None),
        ),
        unposted=Unposted(cards=2, messages=1, since=AT, problem="The channel is archived"),
        mail=Outage(since=AT, problem="The mail server refuses the login (535)."),
        outage=Outage(since=AT, problem="There is no connection to tgc.example.com."),
        login_refused_at=AT,
    )
    assert told(shown)[:-1] == [
        "Paused",
        "Every pool: U0ALICE paused accepting until 2026-03-10 14:12 UTC",
        "Lab: U0BOB paused accepting until somebody resumes",
        "Not posted",
        "2 cards, 1 message since 2026-03-10 14:12 UTC: The channel is archived.",
        "Mail",
        "has not gone out since 2026-03-10 14:12 UTC: The mail server refuses the login (535).",
        "tgc.example.com",
        "No answers since 2026-03-10 14:12 UTC: There is no connection to tgc.example.com.",
        "It refused the bot's login 2026-03-10 14:12 UTC.",
    ]


def test_of_many_some_are_told_and_how_many_more() -> None:
    waiting = view("available", Standing.OFFERED)
    cards = [msgspec.structs.replace(waiting, pool_name=f"Pool {number:02}") for number in range(LINES_SHOWN + 3)]
    lines = told(status(*reversed(cards)))
    assert lines[1].startswith("Pool 00:")
    assert lines[LINES_SHOWN + 1] == "and 3 more"


@pytest.mark.extended
@slow
@given(st.lists(VIEWS, max_size=3), st.sampled_from([1, 12]), TEXTS, TEXTS, MOMENTS, USER_IDS, st.booleans())
def test_whatever_there_is_to_tell_is_legal_harmless_and_small(
    cards: list[CardView],
    copies: int,
    pool: str,
    problem: str,
    at: datetime,
    user_id: str,
    is_told: bool,
) -> None:
    shown = status(
        *(cards * copies),
        tgc_name=pool,
        paused=(Paused(pool_name=pool, user_id=user_id, until=at if is_told else None),) * copies,
        unposted=Unposted(cards=copies, messages=10**6, since=at, problem=problem) if is_told else None,
        outage=Outage(since=at, problem=problem) if is_told else None,
        login_refused_at=at,
        swept_at=at if is_told else None,
    )
    message = render_status(shown)
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE


def test_with_several_tgcs_each_is_named() -> None:
    calm = TgcStatus(name="berlin (b.example.com)", outage=None, login_refused_at=None, swept_at=AT, next_sweeps=())
    away = msgspec.structs.replace(calm, name="oslo (o.example.com)", outage=Outage(since=AT, problem="No route."))
    lines = told(status(tgcs=(calm, away)))
    assert lines[:2] == ["oslo (o.example.com)", "No answers since 2026-03-10 14:12 UTC: No route."]
    assert lines[2:] == [
        "All pools read",
        "berlin (b.example.com): 2026-03-10 14:12 UTC",
        "oslo (o.example.com): 2026-03-10 14:12 UTC",
    ]


def test_the_longest_status_is_small_enough() -> None:
    long = "&" * 5_000
    plan = PlannedAct(id="plan-1", user_id="U0ALICE", due_at=AT)
    cards = [
        view("available", Standing.OFFERED, pool_name=long, approval=act(Action.ACCEPT), second=long[:150]),
        view("available", Standing.OFFERED, pool_name=long, planned=plan),
        view("running", Standing.RUNNING, pool_name=long, act=act(Action.ACCEPT)),
    ]
    shown = status(
        *(cards * 20),
        tgc_name=long,
        tgc_copies=40,
        paused=(Paused(pool_name=long, user_id="U0ALICE", until=AT),) * 20,
        unposted=Unposted(cards=10**6, messages=10**6, since=AT, problem=long),
        outage=Outage(since=AT, problem=long),
        login_refused_at=AT,
    )
    message = render_status(shown)
    check(message)
    assert size(message.blocks) < limits.MESSAGE_SIZE
