"""The home tab: published when it is opened and when it changes, and its buttons work like those of cards."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.rendering import ids
from playground.slack_workspace import Message, View
from tests.bot.rendering.samples import reading
from tests.scenarios.records import outcomes
from tests.scenarios.stage import Stage, open_stage

pytestmark = pytest.mark.extended

PRODUCTION = "Production"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """One pool, Production; alice and bob may act."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()
        opened.world.move_minutes = 600
        yield opened
        opened.slack.faults.clear()


async def opened(stage: Stage, who: str) -> View:
    await stage.slack.person(who).open_home()
    home = await stage.until(lambda: stage.slack.home(who))
    await stage.settle()
    return home


def said(view: View) -> str:
    return reading(view.blocks)


def labels(view: View) -> list[str]:
    elements = [element for block in view.blocks for element in block.get("elements", ())]
    return [element["text"]["text"] for element in elements if element.get("type") == "button"]


def publishings(stage: Stage, who: str) -> list[Any]:
    user_id = stage.slack.person(who).user.id
    return [call for call in stage.slack.calls_of("views.publish") if call.arguments["user_id"] == user_id]


async def modal_says(stage: Stage, who: str) -> str:
    (modal,) = await stage.until(lambda: stage.slack.modals(who))
    return said(modal)


async def test_whoever_opens_it_sees_what_they_may_see(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(1)

    alice = await opened(stage, "alice")
    assert labels(alice) == ["Accept", "Dismiss", "Details"]
    assert "Production: 4 VMs to move" in said(alice)
    for figure in ("▇", "IOPS", "latency", "1 pool, 1 to decide"):
        assert figure in said(alice)

    carol = await opened(stage, "carol")
    assert labels(carol) == []
    assert "4 VMs to move" in said(carol)

    assert said(await opened(stage, "gina")).startswith("This bot answers only full members")
    await stage.slack.person("frank").open_home()
    await stage.slack.person("bob").open_home(tab="messages")
    await stage.settle()
    assert stage.slack.home("frank") is stage.slack.home("bob") is None
    assert stage.place.rows("SELECT count(*) FROM homes") == [[2]]


async def test_over_socket_mode_it_is_published_as_well(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=1) as stage:
        await stage.start_bot()
        await stage.cards_posted(1)
        assert "Production: 4 VMs to move" in said(await opened(stage, "alice"))


async def test_a_press_there_goes_the_way_of_every_other(stage: Stage) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    alice, bob = await opened(stage, "alice"), await opened(stage, "bob")
    await stage.slack.person("alice").click(alice, ids.ACCEPT)
    assert "Production: Accepted." in await modal_says(stage, "alice")
    await stage.slack.person("bob").click(bob, ids.ACCEPT)  # which his home still offers
    assert "alice" in await modal_says(stage, "bob")
    assert outcomes(stage) == [("alice", "accept", "done"), ("bob", "accept", "taken")]
    assert stage.slack.direct("alice") == stage.slack.direct("bob") == []
    assert len([call for call in stage.tgc.calls if call.path.endswith("/accept")]) == 1

    await stage.until(lambda: labels(alice) == labels(bob) == ["Cancel", "Details"])
    assert "Production  ▁▁▁▁▁▁▁▁▁▁  0 of 4 VMs moved" in said(alice)
    assert "accepted by U0ALICE00" in said(alice)
    await stage.until(lambda: "Cancel" in str(card.blocks))
    await stage.slack.person("alice").close(stage.slack.modals("alice")[0])
    await stage.slack.person("alice").click(alice, ids.DETAILS)
    await stage.until(lambda: stage.slack.modals("alice"))
    assert stage.slack.modals("alice")[0].title == PRODUCTION


async def test_an_answer_too_late_for_a_modal_is_a_direct_message(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(1)
    home = await opened(stage, "alice")
    stage.slack.faults.fail("views.open", "expired_trigger_id")
    await stage.slack.person("alice").click(home, ids.DISMISS)
    told = await stage.answer("alice", "Production: Dismissed.")
    assert told in stage.slack.direct("alice")
    await stage.until(lambda: "Decided last" in said(home))
    assert "Production  dismissed by U0ALICE00" in said(home)


async def test_what_cannot_be_done_there_is_said_there_or_in_a_direct_message(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(1)
    home = await opened(stage, "alice")
    stage.slack.faults.fail("views.open", "expired_trigger_id", times=2)  # for the details, and for why there are none
    delivery = await stage.slack.person("alice").click(home, ids.DETAILS)
    assert await stage.answer("alice", "could not be opened") in stage.slack.direct("alice")

    (action,) = delivery.payload["actions"]
    trigger_id = stage.slack.workspace.issue_trigger("U0ALICE00", stage.clock.timestamp())
    await stage.slack.forge(delivery, actions=[{**action, "action_id": "of_last_year"}], trigger_id=trigger_id)
    assert "I do not know this button any more" in await modal_says(stage, "alice")


async def test_it_is_published_again_only_where_it_changed_and_to_nobody_too_often(stage: Stage) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await opened(stage, "alice")
    await opened(stage, "carol")
    await stage.live(seconds=30)
    before = len(publishings(stage, "alice"))
    await stage.pass_time(minutes=6)  # which reads the pool three times
    await opened(stage, "alice")
    assert len(publishings(stage, "alice")) == before

    home = home_of(stage, "alice")
    for action_id, deed in ((ids.DISMISS, "dismissed"), (ids.REOPEN, "reopened")):
        await stage.until(partial(has, card, action_id))
        await stage.slack.person("bob").click(card, action_id)
        await stage.until(partial(tells, home, f"{deed} by U0BOB0000"))
    moments = [call.at for call in publishings(stage, "alice")[before:]]
    assert all(later - earlier >= 10 for earlier, later in pairwise(moments))


def has(card: Message, action_id: str) -> bool:
    return action_id in str(card.blocks)


def tells(view: View, what: str) -> bool:
    return what in said(view)


def home_of(stage: Stage, who: str) -> View:
    home = stage.slack.home(who)
    assert home is not None
    return home


async def test_who_opened_it_lately_is_known_after_a_restart_and_forgotten_after_a_day(stage: Stage) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    home = await opened(stage, "alice")
    await stage.restart_bot()
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "dismissed by U0BOB0000" in said(home))

    count = len(publishings(stage, "alice"))
    stage.clock.move(timedelta(hours=25))
    await stage.live(minutes=1)
    assert len(publishings(stage, "alice")) == count


async def test_two_that_publish_at_once_end_with_what_is_true(stage: Stage) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    home = await opened(stage, "alice")
    await stage.live(seconds=30)
    stage.slack.workspace.change_view(home, {"type": "home", "blocks": []}, stage.clock.timestamp())  # by another
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.until(lambda: "dismissed by U0BOB0000" in said(home))
    assert "hash_conflict" in [call.error for call in publishings(stage, "alice")]


async def test_whoever_cannot_be_served_is_left_alone(stage: Stage) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await opened(stage, "alice")
    await opened(stage, "carol")
    await stage.live(seconds=30)
    stage.slack.workspace.user("carol").deleted = True
    stage.slack.workspace.home_tab_enabled = False
    await stage.slack.person("bob").click(card, ids.DISMISS)
    await stage.live(minutes=2)
    assert stage.place.rows("SELECT count(*) FROM homes") == [[0]]
    assert [call.error for call in publishings(stage, "alice")].count("not_enabled") == 1


async def test_while_the_tgc_is_away_it_says_so(stage: Stage) -> None:
    stage.set(reco_refresh_seconds=30)
    await stage.start_bot()
    await stage.cards_posted(1)
    home = await opened(stage, "alice")
    await stage.tgc.stop()
    await stage.until(lambda: "cannot be read since" in said(home))
    await stage.tgc.start()
    await stage.until(lambda: "cannot be read since" not in said(home))
