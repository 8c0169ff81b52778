"""Sweeps that something holds up: another process that died in one, a pool that hangs, names that do not come."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import aiohttp
import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.app import LEASE_LIFE
from bot.storage.database import open_database
from bot.storage.leases import NAMED, Leases, ensure_row
from bot.storage.tables import leases
from playground.estate import Pool
from playground.slack_workspace import Message
from playground.tgc_faults import Fault, FaultKind
from playground.tgc_json import TgcJson
from tests.scenarios.conftest import NewPlace
from tests.scenarios.stage import Stage, buttons, open_stage

pytestmark = pytest.mark.extended

DECIDE = ["Accept", "Dismiss", "Details"]
A_DAY = 86_400


class Readiness(msgspec.Struct):
    ready: bool
    swept: bool


async def readiness(stage: Stage) -> Readiness:
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return msgspec.json.decode(await response.read(), type=Readiness)


async def die_in_a_sweep(stage: Stage) -> None:
    """Leave what another process leaves that is killed in its sweep: the leader's lease, taken just now."""
    async with open_database(stage.settings.database_url.reveal()) as database, database.write() as connection:
        row = leases.c.name == "leader"
        await ensure_row(connection, leases, row, name="leader")
        assert await Leases(database, stage.clock, life=LEASE_LIFE).take(connection, NAMED, "leader")


def first_read_since(stage: Stage, since: datetime) -> datetime:
    return next(call.at for call in stage.tgc.calls if call.path.endswith("/current") and call.at >= since)


async def test_after_a_death_in_a_sweep_the_next_process_sweeps_when_that_lease_ends(stage: Stage) -> None:
    stage.set(reco_refresh_seconds=A_DAY)
    stage.lease_life = LEASE_LIFE
    await die_in_a_sweep(stage)
    died_at = stage.clock.now()
    await stage.start_bot()
    assert await readiness(stage) == Readiness(ready=False, swept=False)
    await stage.cards_posted(3)
    assert LEASE_LIFE <= first_read_since(stage, died_at) - died_at < 2 * LEASE_LIFE
    await stage.settle()
    assert await readiness(stage) == Readiness(ready=True, swept=True)


def pool_of(stage: Stage, name: str) -> Pool:
    return next(pool for pool in stage.world.pools if pool.name == name)


async def test_a_pool_that_hangs_holds_back_no_other_pools_card(stage: Stage) -> None:
    stage.patience_s = 0.2
    hang = stage.tgc.fault(Fault("hang_before", f"{pool_of(stage, 'Production').uuid}/recommendation/", times=None))
    await stage.start_bot()
    first, second = await stage.cards_posted(2)
    assert [first.text.partition(":")[0], second.text.partition(":")[0]] == ["Test", "VDI"]
    hang.times = 0
    hang.release()
    await stage.cards_posted(3)
    assert buttons(stage.card("Production")) == DECIDE


async def test_an_older_recommendation_that_hangs_holds_back_no_other_pools_card(stage: Stage) -> None:
    stage.patience_s = 0.2
    production, test = pool_of(stage, "Production"), pool_of(stage, "Test")
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.pass_time(minutes=16)  # to the last look for what the analysis at 06:00 has made, which reads all pools
    older = stage.world.current(production).id
    stage.tgc.fault(Fault("hang_before", f"{production.uuid}/recommendation/{older}$", times=None))
    for pool in (production, test):
        stage.world.new_recommendation(pool)
    await stage.until(lambda: len([card for card in stage.cards if card.text.startswith("Test:")]) == 2)
    assert len([card for card in stage.cards if card.text.startswith("Production:")]) == 1
    stage.tgc.clear_faults()
    await stage.until(lambda: len([card for card in stage.cards if card.text.startswith("Production:")]) == 2)


async def test_a_pool_that_hangs_does_not_stop_what_runs_in_another_from_being_followed(stage: Stage) -> None:
    production, test = pool_of(stage, "Production"), pool_of(stage, "Test")
    stage.set(reco_refresh_seconds=60)
    stage.world.move_minutes = 4
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.world.accept_in_gui(test)
    await stage.until(lambda: "Cancel" in buttons(stage.card("Test")))
    hang = stage.tgc.fault(Fault("hang_before", f"{production.uuid}/recommendation/", times=None))
    await stage.until(hang.reached.is_set)
    await stage.until(lambda: "Cancel" not in buttons(stage.card("Test")))
    assert "4 of 4 VMs moved" in stage.card("Test").text


def give_ids_only(stage: Stage, pool: Pool) -> list[str]:
    """Have the TGC tell this pool's recommendation without the VMs' names; give these."""
    one = stage.world.current(pool)
    body = TgcJson(stage.world.zone).recommendation(one, pool.uuid, None, stage.clock.now())
    for group in body["actionGroups"]:
        for action in group["actions"]:
            del action["targetVmDisplayName"]
    stage.tgc.fault(Fault("answer", f"{pool.uuid}/recommendation/", times=None, status=200, body=body))
    return [move.vm.name for move in one.moves]


def shows(card: Message, names: list[str]) -> bool:
    return all(name in str(card.blocks) for name in names)


@pytest.mark.parametrize("kind", ["answer", "hang_before"])
async def test_names_that_do_not_come_hold_back_no_card_and_are_filled_in_later(stage: Stage, kind: FaultKind) -> None:
    stage.patience_s = 0.2
    names = give_ids_only(stage, pool_of(stage, "Production"))
    trouble = stage.tgc.fault(Fault(kind, "/v310/vm/", times=None, status=503))
    await stage.start_bot()
    await stage.cards_posted(3)
    card = stage.card("Production")
    assert buttons(card) == DECIDE
    assert not shows(card, names)
    await stage.live(minutes=4)
    asked = [call.path for call in stage.tgc.calls if "/v310/vm/" in call.path]
    assert len(asked) <= 3 * len(names)  # each read has three tries, and is not made anew at each refresh
    trouble.times = 0
    await stage.until(lambda: shows(card, names))
    assert buttons(card) == DECIDE


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the bot says to its database meanwhile."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_pools_in_which_nothing_changes_cost_no_word_to_slack_and_less_than_a_statement_each(
    new_place: NewPlace,
) -> None:
    async with open_stage(new_place(), pools=(pools := 60), moves=1) as stage:
        await stage.start_bot()
        await stage.cards_posted(pools)
        await stage.jump(seconds=stage.settings.reco_refresh_seconds)  # the end of what a start brings with it
        reads, words = count_of(stage, "/current"), len(stage.slack.calls)
        with statements() as said:
            stage.clock.move(timedelta(seconds=stage.settings.reco_refresh_seconds))
            await stage.until(lambda: count_of(stage, "/current") == reads + pools)
            await stage.settle()
        assert len(said) < pools
        assert not [call for call in stage.slack.calls[words:] if call.method.startswith("chat.")]


def count_of(stage: Stage, path_end: str) -> int:
    return sum(call.path.endswith(path_end) for call in stage.tgc.calls)
