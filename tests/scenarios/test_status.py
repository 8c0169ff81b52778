"""`/tintri status`: what the bot is at, whoever asks."""

from pathlib import Path

import pytest

from bot.rendering import ids
from playground.tgc_faults import Fault
from tests.bot.rendering.samples import reading
from tests.scenarios.harmless import harmful
from tests.scenarios.stage import STORAGE, Stage, open_stage
from tests.scenarios.test_answers import ask
from tests.scenarios.test_planning import planned

pytestmark = pytest.mark.extended


async def status(stage: Stage, who: str = "carol") -> list[str]:
    return reading((await ask(stage, "/tintri status", "All pools read", who)).blocks).splitlines()


async def test_what_runs_is_planned_waits_and_is_paused(tmp_path: Path) -> None:
    async with open_stage(tmp_path, pools=3) as stage:
        stage.use_http()  # a clock that jumps looks to Socket Mode like a connection that was down
        stage.world.move_minutes = 1
        await stage.start_bot()
        await stage.cards_posted(3)
        card, _ = await planned(stage)
        pool = card.text.partition(":")[0]
        first, second = sorted({"Production", "Test", "VDI"} - {pool})
        await stage.slack.person("alice").click(stage.card(first), ids.ACCEPT)
        await stage.answer("alice", f"{first}: Accepted.")
        await ask(stage, f"/tintri pause {second} 8", "paused", "bob")
        await stage.live(minutes=2)
        lines = await status(stage)
        assert lines[0] == "Running"
        assert lines[1].startswith(f"{first}: ")
        assert " of 4 VMs moved, running · accepted by U0ALICE00 2026-03-10 06:" in lines[1]
        assert "0 of 4" not in lines[1]
        assert lines[2] == "Planned"
        assert lines[3].startswith(f"{pool}: 4 VMs to move · expires 2026-03-10 18:15 UTC · U0ALICE00 accepts it ")
        assert lines[4:7] == [
            "Waiting for a decision",
            f"{second}: 4 VMs to move · expires 2026-03-10 18:15 UTC",
            "Paused",
        ]
        assert lines[7].startswith(f"{second}: U0BOB0000 paused accepting until 2026-03-10 14:")
        assert lines[8] == "All pools read 2026-03-10 06:15 UTC · next 2026-03-10 18:15 UTC, 2026-03-11 06:15 UTC"
        assert len(lines) == 9
        assert harmful(stage) == []
        await ask(stage, "/tintri status", "you are a guest", "gina")


async def test_where_nothing_is_open_it_says_so(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    for pool in stage.world.pools:
        stage.world.expire(pool)
    await stage.live(minutes=3)
    assert (await status(stage))[0] == "Nothing runs, nothing waits."


async def test_what_could_not_be_posted_and_a_tgc_that_is_away_are_told(stage: Stage) -> None:
    stage.slack.channel(STORAGE).is_archived = True
    await stage.start_bot()
    await stage.until(lambda: stage.slack.direct("alice"))
    stage.tgc.password = "another"
    stage.tgc.fault(Fault("expired_session"))
    await stage.live(minutes=5)
    lines = await status(stage)
    assert lines[lines.index("Not posted") + 1].startswith("3 cards, 1 message since 2026-03-10 06:15 UTC: ")
    assert "archived" in lines[lines.index("Not posted") + 1]
    away = lines[lines.index("127.0.0.1") + 1 :]
    assert away[0].startswith("No answers since 2026-03-10 06:1")
    assert away[1].startswith("It refused the bot's login 2026-03-10 06:1")
    stage.slack.channel(STORAGE).is_archived = False
    await stage.cards_posted(3 + 1)
    assert "Not posted" not in await status(stage)
