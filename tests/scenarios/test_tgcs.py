"""Two TGCs, whose pools have the same names and ids: one in trouble delays no other, and each gets its own accepts."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from rich.console import Console

from bot.config_file import Config, PoolConfig
from bot.pool_rules import Approvers
from bot.pools import AmbiguousPoolError
from bot.print_doctor import examine
from bot.print_reco import Wanted, print_reco
from bot.rendering import ids
from bot.screen import Screen
from bot.settings import Secret
from bot.tgc_sections import TgcSection
from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.stage import PASSWORD, Stage, buttons

pytestmark = pytest.mark.extended

DECIDE = ["Accept", "Dismiss", "Details"]


@pytest.fixture
async def berlin(stage: Stage) -> AsyncIterator[SimulatedTgc]:
    """The second one: what is called so at both is not the same."""
    tgc = SimulatedTgc(World.seeded(seed=1, pools=2, moves=4, now=stage.clock.true_now))
    async with tgc.serve():
        stage.use_http()
        stage.set(reco_refresh_seconds=60, config=config(tgc), tgc_passwords={"berlin": Secret(PASSWORD)})
        yield tgc
        tgc.clear_faults()
        await stage.stop_bot()
    assert tgc.mistakes == []


def config(tgc: SimulatedTgc, **pools: PoolConfig) -> Config:
    section = TgcSection(name="berlin", url=tgc.url, user="bot", password_env="BERLIN_PASSWORD")
    return Config(file="tintri-bot.toml", tgcs=(section,), pools=tuple(pools.items()))


def accepts(tgc: SimulatedTgc) -> int:
    return sum(1 for call in tgc.calls if call.path.endswith("/accept"))


async def test_each_card_names_its_tgc_and_an_accept_goes_there_and_nowhere_else(
    stage: Stage, berlin: SimulatedTgc
) -> None:
    await stage.start_bot()
    await stage.cards_posted(5)
    names = sorted(card.text.partition(":")[0] for card in stage.cards)
    assert names == ["berlin/Production", "berlin/Test", "default/Production", "default/Test", "default/VDI"]
    await stage.slack.person("alice").click(stage.card("berlin/Production"), ids.ACCEPT)
    await stage.answer("alice", "berlin/Production: Accepted.")
    await stage.until(lambda: buttons(stage.card("berlin/Production")) == ["Cancel", "Details"])
    assert (accepts(berlin), accepts(stage.tgc)) == (1, 0)
    assert buttons(stage.card("default/Production")) == DECIDE
    assert "berlin (127.0.0.1)" in str(stage.card("berlin/Production").blocks)

    await stage.slack.person("alice").open_home()
    await stage.until(lambda: "default/VDI" in str(stage.slack.home("alice")))
    assert "berlin/Production" in str(stage.slack.home("alice"))
    await stage.slack.person("bob").command("/tintri status")
    status = await stage.answer("bob", "berlin/Production: ")
    assert "berlin (127.0.0.1): " in status.text


async def test_one_that_is_away_delays_no_other_and_is_told_of_by_its_name(stage: Stage, berlin: SimulatedTgc) -> None:
    await berlin.stop()
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.jump(seconds=61)
    notice = await stage.until(lambda: next((one for one in stage.cards if "gives no answers" in one.text), None))
    assert "berlin (127.0.0.1)" in notice.text
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{stage.settings.port}/readyz") as response,
    ):
        ready = json.loads(await response.read())
    assert response.status == 200
    assert ready["tgcs"]["default"] == "ok"
    assert ready["tgcs"]["berlin"].startswith("not readable since")
    assert ready["tgc"].startswith("berlin not readable since")
    await berlin.start()
    await stage.jump(seconds=61)
    await stage.until(lambda: "berlin/Production" in {card.text.partition(":")[0] for card in stage.cards})


async def test_a_login_that_one_refuses_is_remembered_for_that_one_alone(stage: Stage, berlin: SimulatedTgc) -> None:
    stage.set(tgc_passwords={"berlin": Secret("a-wrong-one")})
    await stage.start_bot()
    await stage.cards_posted(3)
    for _ in range(3):
        await stage.jump(seconds=61)
    await stage.restart_bot()
    notice = await stage.until(lambda: next((one for one in stage.cards if "gives no answers" in one.text), None))
    assert "correct user or password of [[tgc]] berlin in tintri-bot.toml" in notice.text
    assert len(stage.cards) == 4
    assert berlin.logins == 1


async def test_while_one_hangs_the_other_is_read_accepted_and_followed(stage: Stage, berlin: SimulatedTgc) -> None:
    stage.tgc_timeout_s, stage.patience_s = 3600, 0.3
    berlin.fault(Fault("hang_before", "vmstorePool", times=None))
    await stage.start_bot()
    await stage.until(lambda: len(stage.cards) == 3)
    await stage.slack.person("alice").click(stage.card("default/Production"), ids.ACCEPT)
    await stage.until(lambda: buttons(stage.card("default/Production")) == ["Cancel", "Details"])
    await stage.slack.person("bob").command("/tintri reco")
    await stage.until(lambda: any("The pools of berlin are missing" in said.text for said in stage.shown_to("bob")))
    await stage.slack.person("bob").command("/tintri pause production")
    await stage.until(lambda: any("type default/Production if" in said.text for said in stage.shown_to("bob")))
    await stage.slack.person("bob").command("/tintri pause vd")
    await stage.until(lambda: any("type default/VDI if" in said.text for said in stage.shown_to("bob")))
    assert "Accept" in buttons(stage.card("default/VDI"))


@pytest.mark.usefixtures("berlin")
async def test_a_name_that_both_have_must_be_told_apart(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(5)
    alice = stage.slack.person("alice")
    typed = ("reco production", "pause production", "history production 7")
    for number, words in enumerate(typed, 1):
        await alice.command(f"/tintri {words}")
        await told(stage, "alice", number)
        assert "type one of berlin/Production, default/Production" in stage.slack.ephemerals("alice")[-1].text
    await alice.command("/tintri reco berlin/production")
    await stage.answer("alice", "berlin/Production: 4 VMs to move")
    await alice.command("/tintri reco vdi")  # only one has it
    await stage.answer("alice", "default/VDI: ")
    await alice.command("/tintri pause berlin/production 8")
    await stage.until(lambda: "Accept" not in buttons(stage.card("berlin/Production")))
    await alice.command("/tintri audit berlin/production")
    await stage.answer("alice", "accepting is paused in berlin/Production")
    assert "Accept" in buttons(stage.card("default/Production"))
    await alice.command("/tintri pause")
    await stage.until(lambda: not any("Accept" in buttons(card) for card in stage.cards))
    await alice.command("/tintri resume")
    await stage.until(lambda: "Accept" in buttons(stage.card("default/Production")))
    assert "Accept" not in buttons(stage.card("berlin/Production"))


async def test_a_section_of_one_tgcs_pool_counts_there_only(stage: Stage, berlin: SimulatedTgc) -> None:
    carol = stage.slack.person("carol")
    hers = PoolConfig(approvers=Approvers(user_ids=frozenset({carol.user.id})))
    stage.set(config=config(berlin, **{"berlin/Prod*": hers}))
    await stage.start_bot()
    await stage.cards_posted(5)
    await carol.click(stage.card("default/Production"), ids.ACCEPT)
    await stage.answer("carol", "You are not an approver")
    await stage.slack.person("alice").click(stage.card("berlin/Production"), ids.ACCEPT)
    await stage.answer("alice", "You are not an approver")
    await carol.click(stage.card("berlin/Production"), ids.ACCEPT)
    await stage.answer("carol", "berlin/Production: Accepted.")
    assert (accepts(berlin), accepts(stage.tgc)) == (1, 0)


async def test_what_was_of_a_tgc_that_is_taken_out_says_so_and_cannot_be_accepted(
    stage: Stage, berlin: SimulatedTgc
) -> None:
    await stage.start_bot()
    await stage.cards_posted(5)
    both = stage.settings.config
    before = stage.card("berlin/Production")
    accept = next(
        one for block in before.blocks for one in block.get("elements", ()) if one.get("action_id") == ids.ACCEPT
    )
    stage.set(config=Config())
    await stage.restart_bot()
    await stage.until(lambda: buttons(stage.card("berlin/Production")) == ["Details"])
    assert "“berlin” is not among this bot's settings any more" in str(before.blocks)
    await stage.slack.person("alice").click_old(accept, before)
    await stage.answer("alice", "Nothing was done. The Tintri Global Center “berlin” is not among")
    assert accepts(berlin) == 0
    stage.set(config=both)
    await stage.restart_bot()
    await stage.until(lambda: buttons(stage.card("berlin/Production")) == DECIDE)


async def test_what_was_sent_to_a_tgc_that_is_taken_out_is_told_as_never_known(
    stage: Stage, berlin: SimulatedTgc
) -> None:
    await stage.start_bot()
    await stage.cards_posted(5)
    hang = berlin.fault(Fault("hang_before", "/accept$"))
    await stage.slack.person("alice").click(stage.card("berlin/Production"), ids.ACCEPT)
    await stage.until(hang.reached.is_set)
    await stage.stop_bot()
    stage.set(config=Config())
    stage.lease_life = timedelta(seconds=20)
    await stage.start_bot()
    await stage.jump(hours=1)
    await stage.answer(
        "alice", "Nobody can tell whether it was accepted, because the answer was lost. The Tintri Global"
    )
    assert accepts(stage.tgc) == 0


async def test_the_command_line_covers_all_and_accepts_at_the_right_one(stage: Stage, berlin: SimulatedTgc) -> None:
    as_json = json.loads(await printed(stage, Wanted(as_json=True)))
    assert {(pool["tgc"], pool["pool"]) for pool in as_json["pools"]} == {
        *(("default", f"default/{name}") for name in ("Production", "Test", "VDI")),
        *(("berlin", f"berlin/{name}") for name in ("Production", "Test")),
    }
    with pytest.raises(AmbiguousPoolError, match="type one of berlin/Production, default/Production"):
        await printed(stage, Wanted(accept=True, is_agreed=True, patterns=("production",)))
    assert (accepts(berlin), accepts(stage.tgc)) == (0, 0)
    out = await printed(stage, Wanted(accept=True, is_agreed=True, patterns=("berlin/prod*",)))
    assert "berlin/Production: Accepted." in out
    assert (accepts(berlin), accepts(stage.tgc)) == (1, 0)
    await berlin.stop()
    with pytest.raises(AmbiguousPoolError, match="may be a pool of berlin, too"):
        await printed(stage, Wanted(accept=True, is_agreed=True, patterns=("Test",)))
    out = await printed(stage, Wanted(accept=True, is_agreed=True, patterns=("default/Test",)), all_well=True)
    assert "default/Test: Accepted." in out
    out = await printed(stage, Wanted(), all_well=False)
    assert "The pools of berlin are missing" in out
    findings = {finding.name: finding for finding in await examine(stage.settings, stage.clock)}
    assert findings["default TGC"].mark == "ok"
    assert findings["berlin TGC"].mark == "error"
    assert findings["default pools"].mark == "ok"
    await berlin.start()


async def test_what_runs_is_watched_to_its_end_while_another_tgc_is_away(stage: Stage, berlin: SimulatedTgc) -> None:
    for world in (stage.world, berlin.world):
        pool = world.pools[0]
        world.accept(pool.uuid, str(world.current(pool).id))
    out = io.StringIO()
    screen = Screen(Console(file=out), stage.settings.reco_timezone)
    wanted = Wanted(follow=True, patterns=("*/production",))
    running = asyncio.create_task(print_reco(stage.settings, wanted, screen, stage.clock))
    await stage.until(lambda: all(f"{tgc}/Production: 0 of 4" in out.getvalue() for tgc in ("default", "berlin")))
    await berlin.stop()
    stage.world.set_pace(1)
    await stage.until(lambda: "default/Production: 4 of 4 VMs moved" in out.getvalue())
    assert out.getvalue().count("berlin/Production: it cannot be read now, and is asked for again.") == 1
    await berlin.start()
    berlin.world.set_pace(1)
    await stage.until(running.done)
    assert await running
    assert "berlin/Production: 4 of 4 VMs moved" in out.getvalue()


async def told(stage: Stage, who: str, answers: int) -> None:
    await stage.until(lambda: len(stage.slack.ephemerals(who)) == answers)


async def printed(stage: Stage, wanted: Wanted, *, all_well: bool = True) -> str:
    out = io.StringIO()
    screen = Screen(Console(file=out), stage.settings.reco_timezone)
    running = asyncio.create_task(print_reco(stage.settings, wanted, screen, stage.clock))
    await stage.until(running.done)
    assert await running is all_well
    return out.getvalue()
