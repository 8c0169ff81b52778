"""Databases as bots of each migration left them, kept in tests/upgrades as SQL.

After a migration was added, and before anything else: `python -m tests.scenarios.upgrades` writes that of today.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.config_file import Config, PoolConfig
from bot.pool_rules import SecondApprover
from bot.rendering import ids
from tests.scenarios.quiet import QuietLoop
from tests.scenarios.stage import Stage, open_stage

FOLDER = Path(__file__).parents[1] / "upgrades"
POOLS = 4


async def live_through(stage: Stage) -> None:
    """One pool's accept is planned, one is accepted by a first of two, one dismissed, one runs and is paused."""
    planned, by_two, dismissed, runs = [pool.name for pool in stage.world.pools]
    configure(stage)
    await stage.start_bot()
    await stage.cards_posted(POOLS)
    alice, bob = stage.slack.person("alice"), stage.slack.person("bob")
    await plan(stage, planned)
    await alice.click(stage.card(by_two), ids.ACCEPT)
    await bob.click(stage.card(dismissed), ids.DISMISS)
    await bob.click(stage.card(runs), ids.ACCEPT)
    await stage.until(lambda: "accepted this" in stage.card(by_two).text)
    await stage.until(lambda: "dismissed by" in stage.card(dismissed).text)
    await stage.until(lambda: "Accepted by" in str(stage.card(runs).blocks))
    await alice.command(f"/tintri pause {runs} 100")
    await stage.answer("alice", "paused")
    await stage.settle()
    await stage.stop_bot()


def configure(stage: Stage) -> None:
    stage.world.move_minutes = 600
    by_two = PoolConfig(second_approver=SecondApprover(always=True))
    stage.set(config=Config(file="tintri-bot.toml", pools=((stage.world.pools[1].name, by_two),)))


async def plan(stage: Stage, pool: str) -> None:
    alice = stage.slack.person("alice")
    await alice.click(stage.card(pool), ids.DETAILS)
    (modal,) = await stage.until(lambda: stage.slack.modals("alice"))
    await stage.settle()
    await alice.click(modal, ids.PLAN)
    await stage.until(lambda: modal.content.get("callback_id") == ids.PLAN_VIEW)
    await alice.submit(modal, {ids.PLAN_AT: int((stage.clock.now() + timedelta(hours=5)).timestamp())})
    await stage.until(lambda: "accepts it" in stage.card(pool).text)
    await alice.close(modal)


async def _keep() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with open_stage(folder, pools=POOLS) as stage:
            await live_through(stage)
        with closing(sqlite3.connect(folder / "bot.db")) as database:
            [(revision,)] = database.execute("SELECT version_num FROM alembic_version")
            (FOLDER / f"{revision}.sql").write_text("\n".join(database.iterdump()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=QuietLoop) as runner:
        runner.run(_keep())
