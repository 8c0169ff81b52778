"""What the channel sees over time: a card for each recommendation, from its first posting to its end."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event
from structlog.testing import capture_logs

from bot.rendering import ids
from playground.estate import Pool
from playground.slack_workspace import Message
from playground.tgc import Call
from playground.tgc_faults import Fault
from tests.scenarios import records
from tests.scenarios.stage import Stage, buttons, open_stage

DECIDE = ["Accept", "Dismiss", "Details"]


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """In HTTP mode: a clock that jumps looks to Socket Mode like a connection that was down."""
    stage.use_http()
    stage.set(reco_refresh_seconds=20)  # five of them end before all pools are looked at for missed analyses
    return stage


def names(messages: list[Message]) -> list[str]:
    """The pools that messages speak of."""
    return [message.text.partition(":")[0] for message in messages]


def pool(stage: Stage, name: str) -> Pool:
    return next(pool for pool in stage.world.pools if pool.name == name)


def done(stage: Stage, method: str) -> int:
    """How often Slack did that."""
    return sum(1 for call in stage.slack.calls_of(method) if call.ok)


def reads_of(stage: Stage, recommendation_id: str) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith(f"/recommendation/{recommendation_id}"))


def reads_of_current(stage: Stage) -> list[Call]:
    return [call for call in stage.tgc.calls if call.path.endswith("/recommendation/current")]


def is_final(card: Message) -> bool:
    """What its metadata tells a new database."""
    return card.metadata is not None and bool(card.metadata["event_payload"]["final"])


def id_of(pool: Pool) -> str:
    assert pool.current is not None
    assert pool.current.id is not None
    return pool.current.id


def refreshes(stage: Stage) -> int:
    return sum(1 for call in stage.tgc.calls if call.path.endswith("/vmstorePool"))


async def within_a_refresh(stage: Stage, wanted: Callable[[], bool]) -> None:
    """Wait for what the next refresh must bring; others may come while it is read and shown."""
    before = refreshes(stage)
    await stage.jump(seconds=stage.settings.reco_refresh_seconds)
    await stage.until(wanted)
    assert refreshes(stage) - before <= 5


# Posting


async def test_a_start_posts_one_card_for_each_recommendation_by_name_and_a_restart_none(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=8) as stage:
        stage.world.pools.reverse()
        await stage.start_bot()
        posted = await stage.cards_posted(8)
        assert names(posted) == sorted(pool.name for pool in stage.world.pools)
        assert all(buttons(card) == DECIDE for card in posted)
        await stage.restart_bot()
        await stage.live(minutes=1.5)
        assert len(stage.cards) == 8


@pytest.mark.parametrize(
    ("zone", "midnight", "morning", "evening"),
    [
        ("Europe/Prague", "2026-03-29T00:00+01:00", "2026-03-29T06:15+02:00", "2026-03-29T18:15+02:00"),
        ("Europe/Prague", "2026-10-25T00:00+02:00", "2026-10-25T06:15+01:00", "2026-10-25T18:15+01:00"),
        ("America/New_York", "2026-11-01T00:00-04:00", "2026-11-01T06:15-05:00", "2026-11-01T18:15-05:00"),
    ],
)
async def test_quiet_pools_are_read_at_0615_and_1815_of_the_wall_clock(
    tmp_path: Path, zone: str, midnight: str, morning: str, evening: str
) -> None:
    async with open_stage(tmp_path, pools=2, start=datetime.fromisoformat(midnight)) as stage:
        stage.use_http()
        stage.set(reco_timezone=ZoneInfo(zone))
        for quiet in stage.world.pools:
            stage.world.balanced(quiet)
        await stage.start_bot()
        await stage.until(lambda: len(reads_of_current(stage)) == 2)
        for count, (scheduled, quiet) in enumerate(zip((morning, evening), stage.world.pools, strict=True)):
            await stage.jump(hours=1)
            stage.world.new_recommendation(quiet)
            before = datetime.fromisoformat(scheduled) - timedelta(seconds=20) - stage.clock.now()
            await stage.jump(seconds=before.total_seconds())
            assert len(stage.cards) == count
            await stage.cards_posted(count + 1)
            assert stage.clock.now() >= datetime.fromisoformat(scheduled)


async def test_pools_with_nothing_to_decide_get_no_card(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=7) as stage:
        world = stage.world
        balanced, unavailable, accepted, expired, cancelled, invalidated, left = world.pools
        world.balanced(balanced)
        world.unavailable(unavailable, "UNAVAILABLE_NO_SUITABLE_VMS_TO_MOVE")
        world.accept_in_gui(accepted)
        world.expire(expired)
        world.accept_in_gui(cancelled)
        world.cancel_in_gui(cancelled)
        world.invalidate(invalidated, "INVALID_VMS_CHANGED")
        await stage.start_bot()
        await stage.cards_posted(1)
        await stage.live(minutes=1.5)
        assert names(stage.cards) == [left.name]


async def test_what_is_being_built_is_posted_when_it_is_built(stage: Stage) -> None:
    production = pool(stage, "Production")
    issue = stage.world.current(production).issues[0]
    stage.world.choose_issues(production.uuid, id_of(production), {issue["vmStoreId"]: ["SPACE"]})
    await stage.start_bot()
    await stage.cards_posted(2)
    await stage.settle()
    assert names(stage.cards) == ["Test", "VDI"]
    stage.clock.move(timedelta(minutes=stage.world.rebuild_minutes))
    await within_a_refresh(stage, lambda: len(stage.cards) == 3)
    assert names(stage.cards)[-1] == "Production"


async def test_many_who_ask_and_press_at_once_make_no_second_card(stage: Stage) -> None:
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    await stage.start_bot()
    await stage.cards_posted(1)
    await asyncio.gather(*(who.command("/tintri reco") for who in (alice, bob) for _ in range(5)))
    await stage.cards_posted(3)
    await asyncio.gather(*(who.click(stage.card("VDI"), ids.DISMISS) for who in (alice, bob)))
    await stage.until(lambda: buttons(stage.card("VDI")) == ["Reopen", "Say why", "Details"])
    await stage.live(minutes=1.5)
    assert len(stage.cards) == 3


# Following the TGC


async def test_a_new_recommendation_ends_the_old_card_and_gets_its_own(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    old = stage.card("Production")
    stage.world.new_recommendation(pool(stage, "Production"))
    await within_a_refresh(stage, lambda: len(stage.cards) == 4 and not buttons(old))
    assert "expired" in old.text
    assert buttons(stage.card("Production")) == DECIDE


async def test_what_came_after_a_card_that_a_press_found_ended_gets_its_own_within_a_refresh(stage: Stage) -> None:
    """No card of the pool is open any more when the refresh comes."""
    await stage.start_bot()
    await stage.cards_posted(3)
    old = stage.card("Production")
    stage.world.new_recommendation(pool(stage, "Production"))
    await stage.slack.person("alice").click(old, ids.ACCEPT)
    await stage.until(lambda: is_final(old))
    assert len(stage.cards) == 3
    await within_a_refresh(stage, lambda: len(stage.cards) == 4)
    assert buttons(stage.card("Production")) == DECIDE


async def test_so_does_what_came_after_one_that_ended_while_its_pool_was_read(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    old, production = stage.card("Production"), pool(stage, "Production")
    reading = stage.tgc.fault(Fault("hang_after", f"{production.uuid}/recommendation/current$"))
    await stage.until(reading.reached.is_set)  # it has read that nothing changed, and the answer is on its way
    stage.world.new_recommendation(production)
    await stage.slack.person("alice").click(old, ids.ACCEPT)
    await stage.until(lambda: is_final(old))
    reading.release()
    await within_a_refresh(stage, lambda: len(stage.cards) == 4)


@pytest.mark.parametrize(
    ("happens", "said", "left"),
    [
        (lambda world, pool: world.expire(pool), "nobody decided", []),
        (lambda world, pool: world.invalidate(pool, "INVALID_VMS_CHANGED"), "no longer valid", []),
        (lambda world, pool: world.accept_in_gui(pool), "Accepted in Tintri Global Center", ["Cancel", "Details"]),
        (lambda world, pool: world.delete_pool(pool), "no longer knows", []),
    ],
    ids=["expired", "invalidated", "accepted", "pool deleted"],
)
async def test_what_others_do_at_the_tgc_shows_within_a_refresh(
    stage: Stage, happens: Callable[..., None], said: str, left: list[str]
) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card = stage.card("Test")
    happens(stage.world, pool(stage, "Test"))
    await within_a_refresh(stage, lambda: said in card.text)
    assert buttons(card) == left
    assert len(stage.cards) == 3


async def test_a_card_ends_when_its_time_is_over(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.jump(hours=12)
    await stage.until(lambda: all("nobody decided" in card.text for card in stage.cards))
    assert [buttons(card) for card in stage.cards] == [[], [], []]


async def test_a_card_whose_time_is_over_loses_its_buttons_also_while_the_tgc_is_away(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    shown = stage.cards
    await stage.settle()
    await stage.tgc.stop()
    await stage.jump(hours=12)
    await stage.until(lambda: all("expired" in card.text for card in shown))
    assert [buttons(card) for card in shown] == [[], [], []]
    await stage.tgc.start()
    await stage.until(lambda: all(is_final(card) for card in shown))


@pytest.mark.parametrize("unreadable", ["{pool}/recommendation/", "{pool}/recommendation/{current}$"])
async def test_so_it_does_while_its_pool_or_it_alone_cannot_be_read(stage: Stage, unreadable: str) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card, production = stage.card("Production"), pool(stage, "Production")
    where = unreadable.format(pool=production.uuid, current=id_of(production))
    stage.tgc.fault(Fault("answer", where, times=None))
    stage.world.new_recommendation(production)
    await stage.jump(hours=12)
    await stage.until(lambda: not buttons(card))
    assert "expired" in card.text


async def test_a_recommendation_that_vanished_is_said_to_be_gone(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card, vanished = stage.card("Production"), id_of(pool(stage, "Production"))
    stage.world.vanish(pool(stage, "Production"))
    await stage.live(minutes=1.5)
    assert buttons(card) == DECIDE  # for all we know the TGC fails: nothing else is current
    stage.world.new_recommendation(pool(stage, "Production"))
    await within_a_refresh(stage, lambda: "no longer knows" in card.text and len(stage.cards) == 4)
    assert buttons(card) == []
    await stage.settle()
    read = reads_of(stage, vanished)
    await stage.live(minutes=1.5)
    assert reads_of(stage, vanished) == read


async def test_a_running_recommendation_that_fails_to_be_read_is_not_gone(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card, running = stage.card("Production"), id_of(pool(stage, "Production"))
    stage.world.accept_in_gui(pool(stage, "Production"))
    stage.world.new_recommendation(pool(stage, "Production"))
    await within_a_refresh(stage, lambda: "Cancel" in buttons(card))
    failing = stage.tgc.fault(Fault("answer", f"{running}$", status=500, code="ERR-API-7102"))
    await stage.until(failing.reached.is_set)
    await stage.jump(hours=1)
    await stage.until(lambda: "4 of 4 VMs moved" in card.text)
    assert not any("no longer knows" in str(blocks) for blocks in card.versions)


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
async def test_a_running_recommendation_is_followed_to_its_end(stage: Stage, end: str) -> None:
    stage.world.move_minutes = 2
    await stage.start_bot()
    await stage.cards_posted(3)
    card, production = stage.card("Production"), pool(stage, "Production")
    running = id_of(production)
    stage.world.accept_in_gui(production)
    if end == "failed":
        stage.world.fail_move(production, stage.world.current(production).moves[0].vm)
    await within_a_refresh(stage, lambda: buttons(card) == ["Cancel", "Details"])

    began, read = stage.clock.now(), reads_of(stage, running)
    await stage.until(lambda: reads_of(stage, running) == read + 3)
    assert timedelta(seconds=30) <= stage.clock.now() - began <= timedelta(seconds=120)  # every 15 s
    await stage.until(lambda: "▇" in str(card.blocks))
    if end == "cancelled":
        stage.world.cancel_in_gui(production)

    await stage.jump(minutes=10)
    said = {"done": "4 of 4 VMs moved", "failed": "failed", "cancelled": "cancelled"}[end]
    await stage.until(lambda: is_final(card) and said in card.text)
    assert buttons(card) == ["Details"]
    read, edited = reads_of(stage, running), done(stage, "chat.update")
    await stage.live(minutes=1.5)
    assert (reads_of(stage, running), done(stage, "chat.update")) == (read, edited)


async def test_the_new_card_of_a_pool_says_that_the_one_before_still_runs_until_it_ends(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    before, production = stage.card("Production"), pool(stage, "Production")
    stage.world.accept_in_gui(production)
    await within_a_refresh(stage, lambda: "Cancel" in buttons(before))
    stage.world.new_recommendation(production)
    await within_a_refresh(stage, lambda: len(stage.cards) == 4)
    new = stage.card("Production")
    assert "still runs" in str(new.versions[0] if new.versions else new.blocks)
    await stage.jump(hours=1)
    await stage.until(lambda: "4 of 4 VMs moved" in before.text)
    await within_a_refresh(stage, lambda: "still runs" not in str(new.blocks))


async def test_a_reading_from_before_our_accept_shows_nothing_older_when_it_ends_after_it(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    card, production = stage.card("Production"), pool(stage, "Production")
    old = stage.tgc.fault(Fault("hang_after", f"{production.uuid}/recommendation/current$"))
    await stage.until(old.reached.is_set)  # the next refresh has read AVAILABLE, and the answer is on its way
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: buttons(card) == ["Cancel", "Details"])
    edited = len(card.versions)
    old.release()
    await stage.settle()
    assert records.states(stage).count("ACCEPTED") == 1
    assert buttons(card) == ["Cancel", "Details"]
    assert not any(ids.ACCEPT in str(blocks) for blocks in card.versions[edited:])


async def test_a_card_at_its_end_does_not_go_on_saying_what_hindered_accepting(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.slack.person("alice").command("/tintri pause")
    await stage.until(lambda: "paused" in str(stage.card("VDI").blocks))
    stage.world.expire(pool(stage, "VDI"))
    stage.world.accept_in_gui(pool(stage, "Test"))
    await within_a_refresh(
        stage, lambda: "nobody decided" in stage.card("VDI").text and "Cancel" in buttons(stage.card("Test"))
    )
    assert "paused" not in str(stage.card("VDI").blocks)
    assert "paused" not in str(stage.card("Test").blocks)


# Nothing without need


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The statements that change a row, but for the leases of the sweeps themselves."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")) and " leases " not in statement:
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


async def test_where_nothing_changed_nothing_is_written_and_slack_is_not_called(
    stage: Stage, written: list[str]
) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.until(lambda: records.all_cards_at_rest(stage))
    assert written  # the cards were written down
    written.clear()
    calls, before = len(stage.slack.calls), refreshes(stage)
    await stage.until(lambda: refreshes(stage) == before + 3)
    assert written == []
    assert len(stage.slack.calls) == calls


async def test_cards_at_their_end_are_never_drawn_again(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    for ended in stage.world.pools:
        stage.world.expire(ended)
    await within_a_refresh(stage, lambda: all("nobody decided" in card.text for card in stage.cards))
    edited = done(stage, "chat.update")
    await stage.slack.person("alice").command("/tintri pause")
    await stage.until(lambda: len(stage.cards) == 4)
    await stage.restart_bot()
    await stage.jump(days=1)
    await stage.jump(days=1)
    assert done(stage, "chat.update") == edited


@pytest.mark.parametrize(("zone", "warned"), [("UTC", 0), ("Europe/Prague", 1)])
async def test_another_zone_than_the_tgcs_is_warned_of_once(stage: Stage, zone: str, warned: int) -> None:
    stage.set(reco_timezone=ZoneInfo(zone))
    with capture_logs() as lines:
        await stage.start_bot()
        await stage.cards_posted(3)
        await stage.live(minutes=1.5)
    assert sum("RECO_TIMEZONE" in line["event"] for line in lines) == warned
