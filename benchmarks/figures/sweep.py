"""A sweep of 64 pools at a TGC 40 ms away, logged in already."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import aiohttp

from benchmarks.far_ends import PASSWORD, FarEnds, Wanted, far_ends
from benchmarks.figure import Figure, faster, times_at_most
from benchmarks.sequential import Sequential
from bot.clock import SystemClock
from bot.readings import Readings
from bot.settings import read_settings
from bot.tgc_link import open_tgcs
from playground.tgc import V310

POOLS = 64
ROUND_TRIP_S = 0.04
_SWEEPS = 9
_SET_CONCURRENCY = (16, 64)


async def measure() -> list[Figure]:
    async with far_ends(Wanted(pools=POOLS, round_trip_s=ROUND_TRIP_S)) as ends:
        figures = []
        for concurrency in _SET_CONCURRENCY:
            figures += await _against_the_floor(ends, concurrency)
        peer_ms = 1000 * _sequential(ends)
    figures += [
        Figure(
            name=f"the sweep of {POOLS}, {concurrency} at once, against one call after the other",
            value=figures[2 * number].value,
            unit="ms",
            peer="as get_reco.py",
            peer_value=peer_ms,
            goal=faster(15),
        )
        for number, concurrency in enumerate(_SET_CONCURRENCY)
    ]
    return figures


async def _against_the_floor(ends: FarEnds, concurrency: int) -> list[Figure]:
    floor_ms = 1000 * (1 + math.ceil(POOLS / concurrency)) * ROUND_TRIP_S
    return [
        Figure(
            name=f"sweep of {POOLS} pools, {concurrency} at once",
            value=1000 * await _sweep(ends, concurrency),
            unit="ms",
            peer="round trips alone",
            peer_value=floor_ms,
            goal=times_at_most(1.3),
        ),
        Figure(
            name=f"the far end alone: the same requests by bare aiohttp, {concurrency} at once",
            value=1000 * await _bare(ends, concurrency),
            unit="ms",
            peer="round trips alone",
            peer_value=floor_ms,
        ),
    ]


async def _sweep(ends: FarEnds, concurrency: int) -> float:
    settings = read_settings(ends.environment(port=1, TGC_CONCURRENCY=str(concurrency)), need_slack=True)
    clock = SystemClock()
    async with open_tgcs(settings, clock, None) as [tgc]:

        async def sweep() -> None:
            readings = Readings(tgc, clock)  # a new one: it shares what was just read
            pools = await readings.pools()
            read = await asyncio.gather(*(readings.current(pool) for pool in pools))
            assert sum(reading.recommendation is not None for reading in read) == POOLS

        return await _typical(sweep)


async def _bare(ends: FarEnds, concurrency: int) -> float:
    """What the simulated TGC and the way to it need, whoever asks; nothing is decoded."""
    client = Sequential(ends.addresses.tgc_url)
    client.log_in("bot", PASSWORD)
    pools = [pool["uuid"]["uuid"] for pool in client.pools()]
    slots = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(ends.addresses.tgc_url, headers=client.cookie) as session:

        async def read(path: str) -> None:
            async with slots, session.get(path) as response:
                await response.read()

        async def sweep() -> None:
            await read(f"{V310}/vmstorePool")
            await asyncio.gather(*(read(f"{V310}/vmstorePool/{pool}/recommendation/current") for pool in pools))

        taken = await _typical(sweep)
    client.log_out()
    return taken


async def _typical(sweep: Callable[[], Awaitable[None]]) -> float:
    """The median of several, with the connections open."""
    await sweep()
    taken = []
    for _ in range(_SWEEPS):
        begun = time.perf_counter()
        await sweep()
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[_SWEEPS // 2]


def _sequential(ends: FarEnds) -> float:
    client = Sequential(ends.addresses.tgc_url)
    client.log_in("bot", PASSWORD)
    begun = time.perf_counter()
    client.read_all()
    taken = time.perf_counter() - begun
    client.log_out()
    return taken
