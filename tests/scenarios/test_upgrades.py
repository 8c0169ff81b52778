"""A bot of this version starts on what an older one left, and knows all that people had decided."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.slack_workspace import Message
from tests.scenarios.records import outcomes
from tests.scenarios.stage import Stage, buttons, open_stage
from tests.scenarios.upgrades import FOLDER, POOLS, configure

MIGRATIONS = Path(__file__).parents[2] / "bot/storage/migrations/versions"


async def shown(stage: Stage, pool: str) -> Message:
    await stage.slack.person("alice").command(f"/tintri reco {pool}")
    return await stage.answer("alice", f"{pool}:")


@pytest.fixture(params=sorted(FOLDER.glob("*.sql")), ids=lambda path: str(path.stem))
def left(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of an older bot, with its database."""
    with closing(sqlite3.connect(tmp_path / "bot.db")) as database:
        database.executescript(request.param.read_text(encoding="utf-8"))
    return tmp_path


async def test_it_goes_on_where_the_older_one_stopped(left: Path) -> None:
    async with open_stage(left, pools=POOLS) as stage:
        configure(stage)
        planned, by_two, dismissed, runs = stage.world.pools
        stage.world.accept_in_gui(runs)
        before = outcomes(stage)
        assert len(before) == 5
        await stage.start_bot()
        assert "Cancel the plan" in buttons(await shown(stage, planned.name))
        assert "<@U0ALICE00> accepted this" in (await shown(stage, by_two.name)).text
        assert "dismissed by <@U0BOB0000>" in (await shown(stage, dismissed.name)).text
        running = await shown(stage, runs.name)
        assert "Accepted by" in str(running.blocks)
        assert "U0BOB0000" in str(running.blocks)
        assert outcomes(stage) == before


def test_the_newest_migration_has_left_a_database() -> None:
    """Written by `python -m tests.scenarios.upgrades`."""
    newest = max(path.stem.partition("_")[0] for path in MIGRATIONS.glob("0*.py"))
    assert (FOLDER / f"{newest}.sql").is_file()
