"""The bot goes on for weeks: what it holds in memory, its tasks and its open files stay as they were.

A cycle is one refresh, two minutes apart. In every 25 of them something of everything happens: new recommendations,
presses, commands, moves that run, a TGC and a Slack in trouble. The far ends live in the same process and keep records
of all they saw, so these are thrown away before anything is counted.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.rendering import ids
from playground.slack_workspace import Message
from playground.tgc_faults import Fault
from tests.scenarios.quiet import quiet_loop
from tests.scenarios.records import count_rows, outcomes, untold
from tests.scenarios.stage import STORAGE, Stage, buttons

ROUND = 25
"""Cycles after which everything has happened once."""
WARM_UP = 2 * ROUND
LABELS = {
    ids.DETAILS: "Details",
    ids.ACCEPT: "Accept",
    ids.DISMISS: "Dismiss",
    ids.REOPEN: "Reopen",
    ids.CANCEL: "Cancel",
}


class Holding(NamedTuple):
    """What the process holds."""

    tasks: int
    files: int
    """Sockets included."""
    objects: int
    """Those that Python's garbage collector knows."""
    resident_mib: float


async def holding(stage: Stage) -> Holding:
    """What it holds at rest: the least of several looks, as connections come and go."""
    await stage.settle()
    looks = []
    for _ in range(10):
        forget_the_past(stage)
        await stage.settle()
        gc.collect()
        looks.append(Holding(len(asyncio.all_tasks()), _open_files(), len(gc.get_objects()), _resident_mib()))
    return Holding(*map(min, zip(*looks, strict=True)))


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def forget_the_past(stage: Stage) -> None:
    """Throw away what the far ends recorded, but for the cards that can still change."""
    slack, workspace = stage.slack, stage.slack.workspace
    stage.tgc.calls.clear()
    clearers = (
        slack.calls.clear,
        slack.courier.delivered.clear,
        slack.sockets._tickets.clear,
        slack._responses._issued.clear,
        workspace.ephemerals.clear,
        workspace.views.clear,
        workspace.triggers.clear,
    )
    for clear in clearers:
        clear()
    for message in (channel := slack.channel(STORAGE)).messages:
        message.versions.clear()
    channel.messages[:] = [message for message in stage.cards if set(buttons(message)) - {"Details"}]
    for pool in stage.world.pools:
        del pool.past[:-2]


class Life:
    """What people, the TGC and Slack do, cycle by cycle."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pools = cycle(stage.world.pools)
        self._pool = stage.world.pools[0]
        stage.world.move_minutes = 60
        self._happenings: dict[int, Callable[[], Awaitable[None]]] = {
            1: self._tgc_goes,
            2: self._recommend,
            3: self._tgc_comes,
            5: self._command,
            6: lambda: self._press("bob", ids.DISMISS),
            8: lambda: self._press("carol", ids.REOPEN),  # refused
            9: lambda: self._press("bob", ids.REOPEN),
            11: lambda: self._press("alice", ids.DETAILS),
            13: self._edits_fail,
            14: lambda: self._press("alice", ids.ACCEPT),
            16: lambda: self._press("bob", ids.CANCEL),
            18: self._sockets_break,
            24: self._posts_fail,
        }

    async def go_on(self, cycles: int) -> None:
        for number in range(cycles):
            if number % ROUND == 0:
                forget_the_past(self._stage)
            if happening := self._happenings.get(number % ROUND):
                await happening()
            await self.refresh()

    async def refresh(self) -> None:
        """The time to the next one passes, with nothing under way, and what is due gets done."""
        await self._rest()
        self._stage.clock.move(timedelta(seconds=self._stage.settings.reco_refresh_seconds))
        await self._rest()

    async def _rest(self) -> None:
        """Wait until nobody has asked anybody anything for a moment, and every press has its answer."""
        stage, quiet = self._stage, 0
        async with asyncio.timeout(30):
            while quiet < 3:
                before = len(stage.tgc.calls) + len(stage.slack.calls)
                await quiet_loop().quiet()
                stage.clock.move(timedelta(seconds=1))
                is_quiet = before == len(stage.tgc.calls) + len(stage.slack.calls)
                quiet = quiet + 1 if is_quiet and not (quiet == 2 and untold(stage)) else 0

    async def _recommend(self) -> None:
        self._pool = next(self._pools)
        self._stage.world.new_recommendation(self._pool, moves=2)

    async def _command(self) -> None:
        await self._stage.until(lambda: self._stage.slack.sockets.connections)
        assert (await self._stage.slack.person("alice").command("/tintri reco")).acknowledged

    async def _press(self, who: str, action: str) -> None:
        """Press it on the pool's card as soon as it is there."""
        stage, label = self._stage, LABELS[action]

        current = stage.world.current(self._pool).id

        def ready() -> Message | None:
            for card in stage.cards:
                if (card.metadata or {}).get("event_payload", {}).get("recommendation") == current:
                    return card if label in buttons(card) and stage.slack.sockets.connections else None
            return None

        def seen() -> int:
            return len(stage.slack.ephemerals(who)) + len(stage.slack.modals(who))

        card, before = await stage.until(ready), seen()
        assert (await stage.slack.person(who).click(card, action)).acknowledged
        await stage.slack.until(lambda: seen() > before, timeout_s=20)
        for modal in stage.slack.modals(who):
            await stage.slack.person(who).close(modal)

    async def _edits_fail(self) -> None:
        self._stage.slack.faults.fail("chat.update", "internal_error")
        self._stage.slack.faults.fail("chat.update", retry_after_s=5)

    async def _posts_fail(self) -> None:
        self._stage.slack.faults.drop_after("chat.postMessage")

    async def _tgc_goes(self) -> None:
        self._stage.tgc.fault(Fault("drop_before", "/vmstorePool", times=None))

    async def _tgc_comes(self) -> None:
        self._stage.tgc.clear_faults()

    async def _sockets_break(self) -> None:
        self._stage.slack.sockets.cut()


@pytest.mark.long
@pytest.mark.parametrize("cycles", [ROUND, pytest.param(10_000, marks=pytest.mark.torture)])
async def test_nothing_piles_up(stage: Stage, cycles: int) -> None:
    stage.set(reco_schedule="*/4 * * * *")  # every second cycle is a sweep
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.slack.courier.ack_timeout_s = 30  # a busy machine is no mistake
    life = Life(stage)
    await life.go_on(WARM_UP)
    before, decided = await holding(stage), len(outcomes(stage))
    await life.go_on(cycles)
    after = await holding(stage)
    print(f"{cycles} cycles: {before} before, {after} after")  # noqa: T201 - the numbers of a long run are of interest
    assert len(outcomes(stage)) - decided == 5 * cycles // ROUND  # all of it really happened
    assert after.tasks - before.tasks <= 12
    assert after.files - before.files <= 12
    assert after.objects - before.objects <= 3_000
    assert after.resident_mib - before.resident_mib <= 16


@pytest.mark.long
async def test_time_alone_fills_no_database(stage: Stage) -> None:
    await stage.start_bot()
    await stage.cards_posted(3)
    life = Life(stage)
    await life.go_on(1)
    before = count_rows(stage)
    for _ in range(3 * ROUND):
        await life.refresh()
    assert count_rows(stage) == before
