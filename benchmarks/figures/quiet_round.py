"""What a pool costs in which nothing has changed: no word to Slack, nothing written, and how much of the processor.

All cards are there when the bot starts; then it reads all pools again and again.
"""

import asyncio
import gc
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.far_ends import FarEnds, Wanted, far_ends
from benchmarks.fast_clock import FastClock
from benchmarks.figure import Figure, at_most
from benchmarks.running_bot import answers, free_port, watched_bot
from bot.app import bot
from bot.clock import SystemClock
from bot.readings import Readings
from bot.settings import Settings, read_settings
from bot.tgc_link import open_tgcs

_POOLS = 128
_SPEED = 60.0
_ROUNDS = 2
_REFRESH_S = 6
"""More than readings are shared for."""
_IDLE_S = 5.0
_OWN_AFFAIRS = re.compile(r"(?:INSERT INTO|UPDATE) leases\b")
"""Written all the time: who leads, and whether the disk takes what is written."""


class Statements:
    """What this process says to its database."""

    def __init__(self) -> None:
        self.count = 0
        self.writes: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.count += 1
        if re.match("INSERT|UPDATE|DELETE", statement) and not _OWN_AFFAIRS.match(statement):
            self.writes.append(statement)

    def forget(self) -> None:
        self.count = 0
        self.writes.clear()


async def measure() -> list[Figure]:
    gc.freeze()  # as `tintri-bot run` does
    clock = FastClock(_SPEED)
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=_POOLS, speed=clock.speed, since=clock.since)) as ends:
            environment = ends.environment(port=free_port(), DATABASE_URL=f"sqlite+aiosqlite:///{folder}/bot.db")
            async with watched_bot(environment, Path(folder), str(clock.speed), str(clock.since)):
                await ends.until(lambda counts: counts.posts >= _POOLS)
                await asyncio.sleep(1)
            idle = read_settings(environment | {"RECO_REFRESH_SECONDS": "86400"}, need_slack=True)
            busy = read_settings(environment | {"RECO_REFRESH_SECONDS": str(_REFRESH_S)}, need_slack=True)
            return await _figures(ends, await _reading_ms(idle), await _idle_share(idle), busy)


async def _figures(ends: FarEnds, reading_ms: float, idle_share: float, settings: Settings) -> list[Figure]:
    statements = Statements()
    async with bot(settings):
        await answers(settings.port, "/readyz")
        await asyncio.sleep(1)
        before = await ends.counts()
        statements.forget()
        begun, begun_cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(_ROUNDS * _REFRESH_S)  # to look whether they have come would be measured, too
        used_s = time.process_time() - begun_cpu - idle_share * (time.perf_counter() - begun)
        after = await ends.counts()
    read = after.current - before.current
    whole_ms = 1000 * used_s / read
    return [
        Figure(
            name="words to Slack in a round in which nothing changed",
            value=after.slack_calls - before.slack_calls,
            unit="calls",
            goal=at_most(0),
        ),
        Figure(name="what it writes", value=len(statements.writes), unit="statements", goal=at_most(0)),
        Figure(name="what it asks of the database, for a pool", value=statements.count / read, unit="statements"),
        Figure(
            name="processor for a pool in which nothing changed, beyond reading and decoding it",
            value=whole_ms - reading_ms,
            unit="ms",
            peer="reading and decoding",
            peer_value=reading_ms,
            goal=at_most(0.3),
        ),
    ]


async def _reading_ms(settings: Settings) -> float:
    """Of the processor, for one pool, at the pace of the rounds: what comes rarely finds caches cold."""
    clock = SystemClock()
    async with open_tgcs(settings, clock, None) as [tgc]:
        for number in range(_ROUNDS + 1):
            if number == 1:
                begun = time.process_time()
            readings = Readings(tgc, clock)
            await asyncio.gather(*(readings.current(pool) for pool in await readings.pools()))
            await asyncio.sleep(_REFRESH_S)
        used_s = time.process_time() - begun
    return 1000 * used_s / _ROUNDS / _POOLS


async def _idle_share(settings: Settings) -> float:
    """How much of the processor the bot uses that reads nothing."""
    async with bot(settings):
        await answers(settings.port, "/readyz")
        await asyncio.sleep(1)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(_IDLE_S)
        return (time.process_time() - begun_cpu) / (time.perf_counter() - begun)
