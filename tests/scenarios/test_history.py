"""`/tintri history`: the TGC's own history and what was decided here, in one list."""

from pathlib import Path

import pytest

from bot.rendering import ids
from playground.tgc_faults import Fault
from tests.bot.rendering.samples import reading
from tests.scenarios.harmless import harmful
from tests.scenarios.stage import Stage, buttons, open_stage
from tests.scenarios.test_answers import ask, shows

pytestmark = pytest.mark.extended


async def history(stage: Stage, typed: str, said: str = "recommendation") -> list[str]:
    """The lines of the answer."""
    return reading((await ask(stage, f"/tintri history {typed}".rstrip(), said)).blocks).splitlines()


async def press(stage: Stage, who: str, pool: str, action_id: str, answered: str) -> None:
    await stage.slack.person(who).click(stage.card(pool), action_id)
    await stage.answer(who, answered)


async def analysed(stage: Stage) -> None:
    """Half a day later: what nobody decided has expired, and the next recommendations are there."""
    await stage.jump(hours=12)
    for pool in stage.world.pools:
        stage.world.new_recommendation(pool)


async def test_what_was_decided_here_there_and_by_nobody_stands_in_one_list(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=4) as stage:
        stage.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
        stage.world.move_minutes = 1
        await stage.start_bot()
        await stage.cards_posted(4)
        await press(stage, "alice", "Production", ids.ACCEPT, "Production: Accepted.")
        await press(stage, "bob", "Test", ids.DISMISS, "Test: Dismissed.")
        stage.world.accept_in_gui(stage.world.pools[2])
        await analysed(stage)

        head, *lines = await history(stage, "", "8 recommendations in the last 30 days, newest first.")
        assert head == "8 recommendations in the last 30 days, newest first."
        assert len(lines) == 8
        assert all("4 VMs to move" in line and " · expires 2026-03-11 06:15 UTC" in line for line in lines[:4])
        of = {line.partition(" · ")[0]: line for line in lines[4:]}
        assert "4 of 4 VMs moved, 2026-03-10 06:15 UTC to " in of["Production"]
        assert of["Production"].endswith(" · accepted by U0ALICE00")
        assert (
            of["Test"].partition("expired ")[2].startswith("2026-03-10 18:15 UTC · dismissed by U0BOB0000 2026-03-10")
        )
        assert of["VDI"].endswith(" · accepted in Tintri Global Center")
        assert of["Databases"].endswith("expired 2026-03-10 18:15 UTC, nobody decided")
        assert all(line.split(" · ")[1] == "2026-03-10 06:15 UTC" for line in lines[4:])

        assert len(await history(stage, "prod")) == 1 + 2
        await stage.jump(hours=13)
        assert (await history(stage, "prod 1"))[0] == "1 recommendation in the last day."
        assert harmful(stage) == []


async def test_a_pool_that_cannot_be_read_costs_itself_alone_and_not_what_was_decided_there(stage: Stage) -> None:
    stage.patience_s = 0.2
    await stage.start_bot()
    await stage.cards_posted(3)
    await press(stage, "bob", "Production", ids.DISMISS, "Production: Dismissed.")
    await press(stage, "carol", "Test", ids.DISMISS, "You are not an approver of this pool")
    failing, hanging, _ = stage.world.pools
    stage.tgc.fault(Fault("answer", f"{failing.uuid}/recommendationHistory", times=None))
    hang = stage.tgc.fault(Fault("hang_before", f"{hanging.uuid}/recommendationHistory", times=1))
    head, *lines = await history(stage, "")
    assert head == "2 recommendations in the last 30 days, newest first. 2 pools could not be read."
    assert lines[0].startswith("Production: The TGC failed (500: The server failed.);")
    assert lines[1] == "Test: still being read; ask again in a minute."
    assert {line.partition(" · ")[0] for line in lines[2:]} == {"Production", "VDI"}
    assert "dismissed by U0BOB0000" in next(line for line in lines[2:] if line.startswith("Production · "))
    hang.release()
    # Alone it holds up nobody else, so it is waited for.
    slow = stage.tgc.fault(Fault("latency", f"{hanging.uuid}/recommendationHistory", seconds=0.5))
    assert (await history(stage, "Test"))[1].startswith("Test · 2026-03-10 06:15 UTC · 4 VMs to move")
    assert slow.reached.is_set()


async def test_many_are_paged_for_full_members_alone(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=11, moves=1) as stage:
        await stage.start_bot()
        alice = stage.slack.person("alice")
        told = await ask(stage, "/tintri history 7", "11 recommendations in the last 7 days")
        assert buttons(told) == ["Older"]
        first = reading(told.blocks).splitlines()[1:9]
        pressed = await alice.click(told, ids.HISTORY_OLDER)
        await shows(stage, told, "Page 2 of 2")
        assert buttons(told) == ["Newer"]
        second = reading(told.blocks).splitlines()[1:4]
        assert len({line.partition(" · ")[0] for line in first + second}) == 11
        assert "in the last 7 days" in told.text

        # As if somebody had got hold of the answer, or made up what its button says.
        gina = stage.slack.person("gina").user
        await stage.slack.forge(pressed, user={"id": gina.id, "name": gina.name, "team_id": gina.team_id})
        await stage.until(lambda: "you are a guest" in told.text)
        for value in ("99999999999999:7", "<!channel>", "999999999:Nowhere"):
            action = {**pressed.payload["actions"][0], "value": value, "action_ts": f"1.{len(value):06}"}
            await stage.slack.forge(pressed, actions=[action])
            await stage.settle()
        assert "No pool is called “Nowhere”" in told.text
        await ask(stage, "/tintri history", "you are a guest", "gina")


async def test_what_cannot_be_shown_is_said_in_a_sentence(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    await ask(stage, "/tintri history Produktion 7", "No pool is called “Produktion”. There is: Production, Test, VDI.")
    await ask(stage, "/tintri history Production 31", "type a number of days from 1 to 30.")
    await stage.tgc.stop()
    await stage.pass_time(seconds=10)
    await ask(stage, "/tintri history", "There is no connection to 127.0.0.1")
