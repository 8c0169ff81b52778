"""Memory at rest against bare Bolt's, and after a thousand cards against after two hundred.

Ten thousand cycles in which everything happens are the affair of tests/scenarios/test_endurance.py.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.bare_bolt import bare_bolt
from benchmarks.child import Child
from benchmarks.far_ends import Counts, FarEnds, Wanted, far_ends
from benchmarks.fast_clock import FastClock
from benchmarks.figure import Figure, times_at_most
from benchmarks.running_bot import free_port, running_bot, watched_bot

_REST_S = 3.0
_SPEED = 60.0
_POOLS = 100
_EARLY, _CARDS = 200, 1000


async def measure() -> list[Figure]:
    return [*await _at_rest(), await _after_cards()]


async def _at_rest() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted()) as ends, bare_bolt(ends.addresses, does="ack") as (bare, _):
            environment = ends.environment(port=free_port())
            first_mib, mib = await _rested(environment, Path(folder)), await _rested(environment, Path(folder))
            return [
                Figure(
                    name="memory at rest",
                    value=mib,
                    unit="MiB",
                    peer="bare Bolt",
                    peer_value=bare.resident_mib,
                    goal=times_at_most(2),
                ),
                Figure(name="the same after the very first start, which makes the tables", value=first_mib, unit="MiB"),
            ]


async def _rested(environment: Mapping[str, str], folder: Path) -> float:
    async with running_bot(environment, folder) as bot:
        await asyncio.sleep(_REST_S)
        return bot.resident_mib


async def _after_cards() -> Figure:
    """A new recommendation in each pool again and again; the pace of posts and edits makes it a fast clock."""
    clock = FastClock(_SPEED)
    wanted = Wanted(pools=_POOLS, speed=clock.speed, since=clock.since)
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(wanted) as ends:
            environment = ends.environment(port=free_port(), RECO_REFRESH_SECONDS="60")
            async with watched_bot(environment, Path(folder), str(clock.speed), str(clock.since)) as bot:
                await ends.until(partial(_has_posted, _POOLS))
                early_mib = await _memory_after(_EARLY, ends, bot)
                late_mib = await _memory_after(_CARDS, ends, bot)
    return Figure(
        name=f"memory after {_CARDS:,} cards",
        value=late_mib,
        unit="MiB",
        peer=f"after {_EARLY}",
        peer_value=early_mib,
        goal=times_at_most(1.1),
    )


async def _memory_after(cards: int, ends: FarEnds, bot: Child) -> float:
    posts = (await ends.counts()).posts
    for wanted in range(posts + _POOLS, cards + 1, _POOLS):
        await ends.renew()
        await ends.until(partial(_has_posted, wanted))
    await asyncio.sleep(_REST_S)
    return bot.resident_mib


def _has_posted(wanted: int, counts: Counts) -> bool:
    """Also that the cards before have been edited: they end as new ones come."""
    return counts.posts >= wanted and counts.edits >= wanted - _POOLS
