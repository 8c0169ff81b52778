"""Several processes on one PostgreSQL: one works on its own, any answers people, and who hung changes nothing any more.

They run in real time. Leases are short in most scenes, so that what is waited for comes soon.
"""

import asyncio
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bot.app import LEASE_LIFE
from playground.tgc_faults import Fault
from tests.postgresql import Network, Server
from tests.scenarios.conftest import NewPlace
from tests.scenarios.killing import PEOPLE, Scene, open_scene
from tests.scenarios.places import Place, on_server
from tests.scenarios.stage import STORAGE, buttons
from tests.scenarios.test_kills import (
    killed_at_start,
    killed_when_accepting,
    press_something,
    random_kills,
    side_by_side,
    slack,
    tgc,
)

pytestmark = pytest.mark.extended

TAKEN_OVER_WITHIN_S = 30.0
HANGS = 8


async def two_replicas(scene: Scene) -> None:
    """Start one, which leads, then another, which stands by and hears people as well."""
    scene.start()
    await scene.listening()
    await second_replica(scene)


async def second_replica(scene: Scene) -> None:
    before = len(scene.slack.sockets.connections)
    scene.start()
    await scene.until(lambda: len(scene.slack.sockets.connections) > before)


def accepts(scene: Scene) -> int:
    return len(scene.tgc.accepts)


async def new_card(scene: Scene) -> float:
    """Have the TGC recommend something else, and wait until the channel shows it; how long that took, in seconds."""
    began = time.monotonic()
    [pool] = scene.world.pools
    one = scene.world.new_recommendation(pool)
    await scene.until(lambda: any(str(one.id) in str(card.metadata) for card in scene.cards))
    return time.monotonic() - began


async def test_two_that_start_at_once_post_each_card_once_and_no_faster_than_slack_allows(
    new_server_place: NewPlace,
) -> None:
    async with open_scene(new_server_place(), pools=6) as scene:
        scene.lease_life = LEASE_LIFE
        scene.start()
        scene.start()
        await scene.listening()
        await scene.all_well()
        posted = [call.at for call in scene.slack.calls_of("chat.postMessage")]
        assert len(posted) == 6
        assert min(later - earlier for earlier, later in pairwise(posted)) > 0.9  # as heard at the far end


async def test_two_people_who_press_on_two_replicas_accept_once(new_server_place: NewPlace) -> None:
    async with open_scene(new_server_place(), pools=3) as scene:
        scene.lease_life = LEASE_LIFE
        await two_replicas(scene)
        for pool in scene.world.pools:
            for who in PEOPLE * 2:
                scene.click(who, scene.card(pool), "Accept")
        await scene.all_well()
        assert accepts(scene) == 3


@pytest.mark.parametrize("ending", ["killed", "hung"])
async def test_a_replica_that_stands_by_takes_over(new_server_place: NewPlace, ending: str) -> None:
    await taken_over(new_server_place(), ending, timedelta(seconds=2), within_s=15)


@pytest.mark.torture
@pytest.mark.parametrize("ending", ["killed", "hung"])
async def test_it_takes_over_within_thirty_seconds(new_server_place: NewPlace, ending: str) -> None:
    await taken_over(new_server_place(), ending, LEASE_LIFE, within_s=TAKEN_OVER_WITHIN_S)


async def taken_over(place: Place, ending: str, lease_life: timedelta, *, within_s: float) -> None:
    async with open_scene(place, pools=1) as scene:
        scene.lease_life = lease_life
        await two_replicas(scene)
        leading, _ = scene.bots
        if ending == "killed":
            await leading.kill()
        else:
            leading.hang()
        assert await new_card(scene) < within_s
        if ending == "hung":
            leading.wake()
        await scene.all_well()


async def test_who_takes_over_goes_on_following_and_says_the_end_once(new_server_place: NewPlace) -> None:
    async with open_scene(new_server_place(), pools=1) as scene:
        scene.world.move_minutes = 0.1
        scene.lease_life = timedelta(seconds=2)
        await two_replicas(scene)
        leading, _ = scene.bots
        await scene.until(lambda: scene.cards)
        [card] = scene.cards
        scene.click("alice", card, "Accept")
        await scene.until(lambda: "Cancel" in buttons(card))
        await leading.kill()
        replies = scene.slack.channel(STORAGE).replies
        await scene.until(lambda: replies(card.ts))
        await scene.all_well()
        assert ["4 of 4 VMs moved" in reply.text for reply in replies(card.ts)] == [True]
        assert "accepted by <@U0ALICE00>" in replies(card.ts)[0].text


async def test_who_hung_and_wakes_up_neither_posts_nor_paints(new_server_place: NewPlace) -> None:
    async with open_scene(new_server_place(), pools=1) as scene:
        await two_replicas(scene)
        leading, _ = scene.bots
        leading.hang()
        await new_card(scene)  # the one that hangs would post it as well, and paint the one before
        await scene.until(lambda: not scene.unrest())
        shown = sent_to_slack(scene)
        leading.wake()
        await scene.until(lambda: "another replica has taken over" in scene.log)
        await asyncio.sleep(1)  # there is nothing to wait for: nothing must come
        assert sent_to_slack(scene) == shown
        await scene.all_well()


def sent_to_slack(scene: Scene) -> tuple[int, int]:
    return len(scene.slack.calls_of("chat.postMessage")), len(scene.slack.calls_of("chat.update"))


@pytest.mark.long
async def test_who_hung_right_before_it_asked_the_tgc_does_not_ask_when_it_wakes_up(
    new_server_place: NewPlace,
) -> None:
    """Its session has ended, so that a login lies between its word that it is going to ask and the asking."""
    async with open_scene(new_server_place(), pools=1) as scene:
        scene.start()
        await scene.listening()
        [hanging], [pool] = scene.bots, scene.world.pools
        hung = asyncio.Event()

        async def hang() -> None:
            hanging.hang()
            hung.set()

        scene.tgc.fault(Fault("expired_session", "/accept$"))
        scene.tgc.fault(Fault("hook_before", "/login$", hook=hang))
        scene.click("alice", scene.card(pool), "Accept")
        await asyncio.wait_for(hung.wait(), 20)
        await second_replica(scene)
        await scene.until(lambda: [press for press in scene.presses() if press.told])
        [press] = scene.presses()
        assert "press again" in (press.answer or "").casefold()
        hanging.wake()
        await scene.until(lambda: "another replica has taken over" in scene.log)
        await asyncio.sleep(1)  # there is nothing to wait for: nothing must come
        assert accepts(scene) == 0
        scene.click("bob", scene.card(pool), "Accept")
        await scene.until(lambda: accepts(scene) == 1)
        await scene.until(lambda: not scene.unrest())


async def test_the_server_is_restarted_while_people_press(own_postgresql: Server, tmp_path: Path) -> None:
    async with open_scene(on_server(tmp_path, own_postgresql, "postgres"), pools=3) as scene:
        await two_replicas(scene)
        for number, pool in enumerate(scene.world.pools):
            for who in PEOPLE:
                scene.click(who, scene.card(pool), "Accept")
            await asyncio.sleep(0.1 * number)
            await asyncio.to_thread(own_postgresql.restart, "immediate")
        await scene.all_well()


@pytest.mark.long
async def test_a_network_to_the_database_that_stalls_costs_its_replica_the_lead(
    postgresql: Server, empty: str, tmp_path: Path
) -> None:
    async with (
        Network(postgresql).open() as network,
        open_scene(on_server(tmp_path, postgresql, empty), pools=1) as scene,
    ):
        scene.start(database_url=network.url(empty))
        await scene.listening()
        await second_replica(scene)
        network.stall()
        assert await new_card(scene) < TAKEN_OVER_WITHIN_S
        network.go_on()
        await scene.all_well()


async def random_hangs(place: Place, seed: int) -> None:
    """Processes hang and wake up at any moment, while people press what they see."""
    chance = Random(seed)  # noqa: S311 - it shall be the same again
    async with open_scene(place, pools=4, seed=seed) as scene:
        for _ in range(3):
            scene.start()
        await scene.listening()
        for _ in range(HANGS):
            for who in chance.sample(PEOPLE, chance.randint(0, len(PEOPLE))):
                press_something(scene, who, chance)
            await asyncio.sleep(chance.uniform(0, 0.6))
            hanging = chance.choice(scene.alive)
            hanging.hang()
            if chance.random() < 0.3:
                scene.world.new_recommendation(chance.choice(scene.world.pools))
            await asyncio.sleep(chance.uniform(0, 4))
            hanging.wake()
        await scene.all_well()


@pytest.mark.long
async def test_replicas_that_hang_at_random_moments(new_server_place: NewPlace) -> None:
    await random_hangs(new_server_place(), 300)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(301, 321))
async def test_replicas_that_hang_at_very_many_random_moments(new_server_place: NewPlace, seed: int) -> None:
    await random_hangs(new_server_place(), seed)


@pytest.mark.long
async def test_killed_on_a_server_as_well(new_server_place: NewPlace) -> None:
    await side_by_side(
        {
            "it is accepted": killed_when_accepting(new_server_place(), [tgc("POST", "/accept$", "done")]),
            "a card is posted": killed_at_start(new_server_place(), [slack("chat.postMessage", "done")]),
            "two, at random": random_kills(new_server_place(), 6, processes=2, http=False),
        }
    )


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(200, 220))
async def test_three_replicas_killed_at_very_many_random_moments(new_server_place: NewPlace, seed: int) -> None:
    await random_kills(new_server_place(), seed, processes=3, http=False)
