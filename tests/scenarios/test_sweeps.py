"""Sweeps that something holds up: another process that died in one, a pool that hangs, names that do not come."""

from datetime import datetime, timedelta

import aiohttp
import msgspec

from bot.app import LEASE_LIFE
from bot.storage.database import open_database
from bot.storage.leases import Leases, ensure_row
from bot.storage.tables import leases
from tests.scenarios.stage import Stage

A_DAY = 86_400


class Readiness(msgspec.Struct):
    ready: bool
    swept: bool


async def readiness(stage: Stage) -> Readiness:
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return msgspec.json.decode(await response.read(), type=Readiness)


async def die_in_a_sweep(stage: Stage) -> None:
    """Leave what another process leaves that is killed in its sweep: the lease, taken just now."""
    async with open_database(stage.settings.database_url.reveal()) as database, database.write() as connection:
        row = leases.c.name == "sweep/default"
        await ensure_row(connection, leases, row, name="sweep/default")
        assert await Leases(database, stage.clock, life=LEASE_LIFE).take(connection, leases, row)


def first_read_since(stage: Stage, since: datetime) -> datetime:
    return next(call.at for call in stage.tgc.calls if call.path.endswith("/current") and call.at >= since)


async def test_after_a_death_in_a_sweep_the_next_process_sweeps_when_that_lease_ends(stage: Stage) -> None:
    stage.set(reco_refresh_seconds=A_DAY)
    await die_in_a_sweep(stage)
    died_at = stage.clock.now()
    await stage.start_bot()
    assert await readiness(stage) == Readiness(ready=False, swept=False)
    await stage.cards_posted(3)
    assert LEASE_LIFE <= first_read_since(stage, died_at) - died_at < 2 * LEASE_LIFE
    await stage.settle()
    assert await readiness(stage) == Readiness(ready=True, swept=True)


async def test_a_scheduled_sweep_that_another_process_dies_in_is_made_when_its_lease_ends(stage: Stage) -> None:
    stage.set(reco_refresh_seconds=A_DAY)
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.settle()
    evening = stage.clock.now().replace(hour=18, minute=15, second=0, microsecond=0)
    stage.clock.move(evening - timedelta(seconds=5) - stage.clock.now())
    stage.world.new_recommendation(stage.world.pools[0])
    await die_in_a_sweep(stage)
    await stage.cards_posted(4)
    assert first_read_since(stage, evening) - evening < 2 * LEASE_LIFE
