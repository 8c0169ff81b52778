"""How long it takes from the start of the process until the bot is ready."""

import tempfile
import time
from pathlib import Path

from benchmarks.bare_bolt import bare_bolt
from benchmarks.far_ends import FarEnds, Wanted, far_ends
from benchmarks.figure import Figure, at_most
from benchmarks.running_bot import free_port, running_bot

_RUNS = 4


async def measure() -> list[Figure]:
    async with far_ends(Wanted()) as ends:
        bare_s = min([await _bare(ends) for _ in range(_RUNS)])
        with tempfile.TemporaryDirectory() as folder:
            first_s = await _bot(ends, Path(folder))
            again_s = min([await _bot(ends, Path(folder)) for _ in range(_RUNS)])
    return [
        Figure(name="start to ready", value=again_s, unit="s", goal=at_most(1.5), peer="bare Bolt", peer_value=bare_s),
        Figure(name="the very first start, which makes the tables", value=first_s, unit="s"),
    ]


async def _bot(ends: FarEnds, folder: Path) -> float:
    begun = time.perf_counter()
    async with running_bot(ends.environment(port=free_port()), folder):
        return time.perf_counter() - begun


async def _bare(ends: FarEnds) -> float:
    begun = time.perf_counter()
    async with bare_bolt(ends.addresses, does="ack"):
        return time.perf_counter() - begun
