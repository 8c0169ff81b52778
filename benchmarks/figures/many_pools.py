"""1,000 pools of ten TGCs against 64 of one: what each costs, how memory grows, how long anything holds up the rest."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from benchmarks.far_ends import Wanted, far_ends
from benchmarks.figure import Figure, at_most, times_at_most
from benchmarks.running_bot import free_port, watched_bot

_FEW, _MANY, _TGCS = 64, 1000, 10
_LATER_STARTS = 5
"""The one in the middle counts: its processor is told in hundredths of a second."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start of the bot, until it has read all pools."""

    pools: int
    cpu_ms: float
    held_up_ms: float
    resident_mib: float

    def pool_ms(self, alone: "Start") -> float:
        """Of the processor, for one pool more than `alone`."""
        return (self.cpu_ms - alone.cpu_ms) / (self.pools - alone.pools)


async def measure() -> list[Figure]:
    """The first start stores all pools, the second finds nothing new."""
    alone, few, many = await _starts(1), await _starts(_FEW), await _starts(_MANY, _TGCS)
    return [
        *(
            figure
            for which, one, some, all_ in zip(("first", "later"), alone, few, many, strict=True)
            for figure in (
                _per_pool(f"{which} sweep, processor for a pool", some.pool_ms(one), all_.pool_ms(one)),
                _held_up(which, some.held_up_ms, all_.held_up_ms),
            )
        ),
        Figure(
            name=f"memory for a pool, of {_MANY:,}",
            value=1024 * (many[1].resident_mib - alone[1].resident_mib) / (_MANY - 1),
            unit="KiB",
            peer=f"of {_FEW}",
            peer_value=1024 * (few[1].resident_mib - alone[1].resident_mib) / (_FEW - 1),
            goal=times_at_most(1.2),
        ),
        Figure(name=f"memory with {_MANY:,} pools", value=many[1].resident_mib, unit="MiB"),
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


async def _starts(pools: int, tgcs: int = 1) -> tuple[Start, Start]:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=pools // tgcs, tgcs=tgcs)) as ends:
            file = ends.configure(Path(folder))
            environment = ends.environment(port=free_port(), RECO_REFRESH_SECONDS="86400", CONFIG_FILE=file)
            first = await _start(pools, environment, Path(folder))
            later = [await _start(pools, environment, Path(folder)) for _ in range(_LATER_STARTS)]
            return first, sorted(later, key=lambda start: start.cpu_ms)[_LATER_STARTS // 2]


async def _start(pools: int, environment: Mapping[str, str], folder: Path) -> Start:
    async with watched_bot(environment, folder) as bot:
        return Start(
            pools=pools,
            cpu_ms=1000 * bot.cpu_s,
            held_up_ms=1000 * await bot.ask("held up"),
            resident_mib=bot.resident_mib,
        )
