"""The bot is killed at every step that its far ends can see, and at random moments; another process goes on.

In the end there is one card, at most one accept, nobody waits for an answer, and no button is dead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.scenarios.conftest import NewPlace
from tests.scenarios.killing import PEOPLE, Scene, When, open_scene
from tests.scenarios.places import Place
from tests.scenarios.stage import buttons

AT_ONCE = 8
"""Scenes played side by side: most of their time is waiting for leases."""
KILLS = 10
"""Random ones in a scene; three scenes make thirty."""

Arm = Callable[[Scene], None]
"""Arranges the next kill."""


def slack(method: str, when: When, *, spare: int = 0) -> Arm:
    return lambda scene: scene.kill_at_slack(method, when, spare=spare)


def tgc(method: str, path: str, when: When, *, spare: int = 0) -> Arm:
    return lambda scene: scene.kill_at_tgc(method, path, when, spare=spare)


READ = r"/recommendation/[0-9A-F-]+$"

AT_START: dict[str, list[Arm]] = {
    "asking who we are": [slack("auth.test", "arrives")],
    "logging in": [tgc("POST", "/login$", "done")],
    "looking through the channel": [slack("conversations.history", "arrives")],
    "listing the pools": [tgc("GET", "/vmstorePool$", "done")],
    "reading a pool": [tgc("GET", "/current$", "arrives")],
    "posting a card, in vain": [slack("chat.postMessage", "arrives in vain")],
    "posting a card": [slack("chat.postMessage", "arrives")],
    "a card is posted": [slack("chat.postMessage", "done")],
    "a card is posted, then looking for it": [
        slack("chat.postMessage", "done"),
        slack("conversations.history", "arrives"),
    ],
    "each card in turn": [slack("chat.postMessage", "done"), slack("chat.postMessage", "arrives in vain")],
}
WHEN_ACCEPTING: dict[str, list[Arm]] = {
    "accepting, in vain": [tgc("POST", "/accept$", "arrives in vain")],
    "checking the person": [slack("users.info", "arrives")],
    "reading again": [tgc("GET", READ, "arrives")],
    "it was read again": [tgc("GET", READ, "done")],
    "accepting": [tgc("POST", "/accept$", "arrives")],
    "it is accepted": [tgc("POST", "/accept$", "done")],
    "reading after the accept": [tgc("GET", READ, "arrives", spare=1)],
    "editing the card, in vain": [slack("chat.update", "arrives in vain")],
    "editing the card": [slack("chat.update", "arrives")],
    "the card is edited": [slack("chat.update", "done")],
    "answering, in vain": [slack("response_url", "arrives in vain")],
    "it is answered": [slack("response_url", "done")],
    "accepted, then finding out": [tgc("POST", "/accept$", "done"), tgc("GET", READ, "arrives")],
    "accepted, then telling in vain": [
        tgc("POST", "/accept$", "done"),
        slack("chat.postMessage", "arrives in vain"),
    ],
    "accepted, then told": [tgc("POST", "/accept$", "done"), slack("chat.postMessage", "done")],
    "reading, then accepting": [tgc("GET", READ, "arrives"), tgc("POST", "/accept$", "done")],
    "reading, then editing": [tgc("GET", READ, "done"), slack("chat.update", "done")],
}

WHEN_ANNOUNCING: tuple[When, ...] = ("arrives in vain", "arrives", "done")


async def side_by_side(scenes: dict[str, Awaitable[None]]) -> None:
    """Play all; each that fails is named."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def play(name: str, scene: Awaitable[None]) -> None:
        async with turns:
            try:
                await scene
            except BaseException as error:
                error.add_note(f"killed at: {name}")
                raise

    outcomes = await asyncio.gather(*(play(name, scene) for name, scene in scenes.items()), return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(scenes)} scenes went wrong", failed)


async def killed_at_start(place: Place, kills: list[Arm]) -> None:
    async with open_scene(place, pools=2) as scene:
        for arrange in kills:
            arrange(scene)
            scene.start()
            await scene.dead()
        scene.start()
        await scene.listening()
        await scene.all_well()


async def killed_when_accepting(place: Place, kills: list[Arm]) -> None:
    async with open_scene(place, pools=1) as scene:
        scene.start()
        await scene.listening()
        [pool] = scene.world.pools
        first, *later = kills
        first(scene)
        scene.click("alice", scene.card(pool), "Accept")
        await scene.dead()
        for arrange in later:
            arrange(scene)
            scene.start()
            await scene.dead()
        scene.start()
        await scene.all_well()
        assert len(scene.presses()) == 1


async def killed_while_the_moves_changed(place: Place) -> None:
    """They are not accepted, for nobody saw them."""
    async with open_scene(place, pools=1) as scene:
        scene.start()
        await scene.listening()
        [pool] = scene.world.pools
        scene.kill_at_tgc("GET", READ, "done")
        scene.click("alice", scene.card(pool), "Accept")
        await scene.dead()
        scene.world.change_moves(pool)
        scene.start()
        await scene.all_well()
        [press] = scene.presses()
        assert "Its moves are not the ones you saw" in (press.answer or "")
        assert not [call for call in scene.tgc.calls if call.path.endswith("/accept")]


async def killed_when_announcing(place: Place, when: When) -> None:
    async with open_scene(place, pools=1) as scene:
        scene.start()
        await scene.listening()
        scene.kill_at_slack("chat.postMessage", when)
        await scene.slack.person("alice").command("/tintri pause")
        await scene.dead()
        scene.start()
        await scene.until(lambda: len(scene.slack.messages("storage")) == 2)
        await scene.until(lambda: not scene.unrest())
        await scene.stop_in_order()
        assert len(scene.slack.messages("storage")) == 2


async def test_killed_at_each_step_of_an_accept(new_place: NewPlace) -> None:
    await side_by_side(
        {
            **{name: killed_when_accepting(new_place(), kills) for name, kills in WHEN_ACCEPTING.items()},
            "the moves changed meanwhile": killed_while_the_moves_changed(new_place()),
        }
    )


@pytest.mark.long
async def test_killed_at_each_step_of_a_start(new_place: NewPlace) -> None:
    await side_by_side({name: killed_at_start(new_place(), kills) for name, kills in AT_START.items()})


@pytest.mark.long
async def test_killed_when_announcing(new_place: NewPlace) -> None:
    await side_by_side({when: killed_when_announcing(new_place(), when) for when in WHEN_ANNOUNCING})


async def random_kills(place: Place, seed: int, *, processes: int, http: bool) -> None:
    """People press what they see while the processes die one after the other."""
    chance = Random(seed)  # noqa: S311 - it shall be the same again
    async with open_scene(place, pools=4, seed=seed) as scene:
        for _ in range(processes):
            scene.start(http=http)
        await scene.listening()
        for _ in range(KILLS):
            await scene.listening()
            for who in chance.sample(PEOPLE, chance.randint(0, len(PEOPLE))):
                press_something(scene, who, chance)
            await asyncio.sleep(chance.uniform(0, 0.6))
            if scene.alive:
                await chance.choice(scene.alive).kill()
            if chance.random() < 0.2:
                scene.world.new_recommendation(chance.choice(scene.world.pools))
            scene.start(http=http)
        await scene.all_well()


def press_something(scene: Scene, who: str, chance: Random) -> None:
    card = chance.choice(scene.cards)
    labels = [label for label in ("Accept", "Dismiss", "Reopen", "Cancel") if label in buttons(card)]
    if labels:
        scene.click(who, card, chance.choice(labels))


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(100, 130))
async def test_killed_at_very_many_random_moments(new_place: NewPlace, seed: int) -> None:
    await random_kills(new_place(), seed, processes=1 + seed % 3, http=seed % 3 == 0 and seed % 2 == 0)


@pytest.mark.long
async def test_killed_at_thirty_random_moments(new_place: NewPlace) -> None:
    await side_by_side(
        {f"seed {seed}": random_kills(new_place(), seed, processes=1, http=seed == 3) for seed in (1, 2, 3)}
    )


@pytest.mark.long
async def test_two_processes_on_one_database_killed_at_random_moments(new_place: NewPlace) -> None:
    await side_by_side({f"seed {seed}": random_kills(new_place(), seed, processes=2, http=False) for seed in (4, 5)})
