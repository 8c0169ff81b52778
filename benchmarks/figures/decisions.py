"""Presses decided a second: on each of several cards twenty people press Accept at the same time, and one wins.

From the button to the answer: signature, who may, claim, reading again, asking the TGC, journal, answer.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.far_ends import Presses, Wanted, far_ends
from benchmarks.figure import Figure, at_least
from benchmarks.running_bot import free_port, running_bot
from bot.rendering import ids
from tests.postgresql import running_server

_CARDS = 10
_PEOPLE = 20
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 90.0


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        figures = await _decided("SQLite", f"sqlite+aiosqlite:///{folder}/bot.db", Path(folder))
        try:
            with running_server() as server, server.database() as name:
                figures += await _decided("PostgreSQL", server.url(name), Path(folder))
        except pytest.skip.Exception as skipped:
            figures.append(Figure(name=f"PostgreSQL: {skipped}", value=0, unit="", goal=at_least(1)))
    return figures


async def _decided(kind: str, database_url: str, folder: Path) -> list[Figure]:
    presses = _CARDS * _PEOPLE
    async with far_ends(Wanted(pools=_CARDS, people=_PEOPLE)) as ends, _engine(database_url) as engine:
        environment = ends.environment(port=free_port(), DATABASE_URL=database_url, RECO_REFRESH_SECONDS="86400")
        async with running_bot(environment, folder) as bot:
            await ends.until(lambda counts: counts.posts >= _CARDS)
            url = f"http://127.0.0.1:{environment['PORT']}/slack/events"
            begun, used_s = time.perf_counter(), bot.cpu_s
            pressing = asyncio.create_task(ends.press(Presses(action_id=ids.ACCEPT, people=_PEOPLE, request_url=url)))
            async with asyncio.timeout(_PATIENCE_S):
                while await _told(engine) < presses:  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(_LOOK_EVERY_S)
            taken_s, used_s = time.perf_counter() - begun, bot.cpu_s - used_s
            await pressing
            accepts = (await ends.counts()).accepts
    return [
        Figure(
            name=f"presses decided on {kind}, {_PEOPLE} at once on each of {_CARDS} cards",
            value=presses / taken_s,
            unit="a second",
            goal=at_least(100),
        ),
        Figure(name=f"processor for such a press on {kind}", value=1000 * used_s / presses, unit="ms"),
        Figure(
            name=f"recommendations on {kind} that were accepted exactly once, of {_CARDS}",
            value=sum(times == 1 for times in accepts.values()),
            unit="recommendations",
            goal=at_least(_CARDS),
        ),
    ]


@asynccontextmanager
async def _engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _told(engine: AsyncEngine) -> int:
    """How many presses have their answer."""
    async with engine.connect() as connection:
        return int(
            (await connection.execute(text("SELECT count(*) FROM presses WHERE told_at IS NOT NULL"))).scalar_one()
        )
