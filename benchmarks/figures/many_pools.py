"""1,000 pools against 64: what each costs, how memory grows, and for how long anything holds up the rest."""

import asyncio
import tempfile
from pathlib import Path

import msgspec

from benchmarks.far_ends import Wanted, far_ends
from benchmarks.figure import Figure, at_most, times_at_most
from benchmarks.running_bot import free_port, watched_bot

_FEW, _MANY = 64, 1000
_LOOK_EVERY_S = 0.05


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    first_ms: float
    """Of the processor for a pool in the first sweep, which stores all."""
    again_ms: float
    """The same in one that finds nothing new."""
    first_held_up_ms: float
    again_held_up_ms: float
    resident_mib: float


async def measure() -> list[Figure]:
    none, few, many = await _cost(1), await _cost(_FEW), await _cost(_MANY)
    return [
        _per_pool("first sweep, processor for a pool", few.first_ms, many.first_ms),
        _per_pool("later sweep, processor for a pool", few.again_ms, many.again_ms),
        Figure(
            name=f"memory for a pool, of {_MANY:,}",
            value=1024 * (many.resident_mib - few.resident_mib) / (_MANY - _FEW),
            unit="KiB",
            peer=f"of {_FEW}",
            peer_value=1024 * (few.resident_mib - none.resident_mib) / (_FEW - 1),
            goal=times_at_most(1.2),
        ),
        Figure(name=f"memory with {_MANY:,} pools", value=many.resident_mib, unit="MiB"),
        _held_up("first", few.first_held_up_ms, many.first_held_up_ms),
        _held_up("later", few.again_held_up_ms, many.again_held_up_ms),
    ]


def _per_pool(name: str, few_ms: float, many_ms: float) -> Figure:
    return Figure(
        name=f"{name}, of {_MANY:,}",
        value=many_ms,
        unit="ms",
        peer=f"of {_FEW}",
        peer_value=few_ms,
        goal=times_at_most(1.2),
    )


def _held_up(which: str, few_ms: float, many_ms: float) -> Figure:
    return Figure(
        name=f"longest hold-up of the event loop in the {which} sweep of {_MANY:,}",
        value=many_ms,
        unit="ms",
        peer=f"of {_FEW}",
        peer_value=few_ms,
        goal=at_most(50),
    )


async def _cost(pools: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=pools)) as ends:
            environment = ends.environment(port=free_port(), RECO_REFRESH_SECONDS="3")
            async with watched_bot(environment, Path(folder)) as bot:
                first_s, first_held_up_s = bot.cpu_s, await bot.ask("held up")
                before = await ends.counts()
                while (after := await ends.counts()).current < before.current + pools:
                    await asyncio.sleep(_LOOK_EVERY_S)
                return Cost(
                    first_ms=1000 * first_s / pools,
                    again_ms=1000 * (bot.cpu_s - first_s) / (after.current - before.current),
                    first_held_up_ms=1000 * first_held_up_s,
                    again_held_up_ms=1000 * await bot.ask("held up"),
                    resident_mib=bot.resident_mib,
                )
