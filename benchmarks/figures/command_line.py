"""`tintri-bot reco --json` as a process, against one that makes one call after the other; and what it imports."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from benchmarks.child import Child
from benchmarks.far_ends import PASSWORD, Wanted, far_ends
from benchmarks.figure import Figure, at_most, faster
from benchmarks.figures.sweep import POOLS, ROUND_TRIP_S

_RUNS = 5
_UNWANTED = ("slack_bolt", "sqlalchemy")


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=POOLS, round_trip_s=ROUND_TRIP_S)) as ends:
            environment = ends.environment(port=1)

            async def reco() -> None:
                child = await Child.start(["-m", "bot", "reco", "--json"], environment=environment, folder=Path(folder))
                await child.output()

            async def peer() -> None:
                child = await Child.start(["-m", "benchmarks.sequential", ends.addresses.tgc_url, "bot", PASSWORD])
                await child.output()

            reco_s, peer_s = await _least(reco, runs=_RUNS), await _least(peer, runs=1)
            unwanted = await asyncio.to_thread(_imported, environment, folder)

    async def show_help() -> None:
        await (await Child.start(["-m", "bot", "--help"])).output()

    return [
        Figure(
            name=f"tintri-bot reco --json, {POOLS} pools, from start to end",
            value=reco_s * 1000,
            unit="ms",
            peer="as get_reco.py",
            peer_value=peer_s * 1000,
            goal=faster(6),
        ),
        Figure(
            name="tintri-bot --help",
            value=1000 * await _least(show_help, runs=_RUNS),
            unit="ms",
            peer="python -c pass",
            peer_value=1000 * await _least(_nothing, runs=_RUNS),
            goal=at_most(250),
        ),
        Figure(
            name=f"modules of {' and '.join(_UNWANTED)} that reco imports",
            value=len(unwanted),
            unit="modules",
            goal=at_most(0),
        ),
    ]


async def _nothing() -> None:
    await (await Child.start(["-c", "pass"])).output()


async def _least(run: Callable[[], Awaitable[None]], *, runs: int) -> float:
    """The least of several: a busy machine adds, and never takes away."""
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        await run()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _imported(environment: Mapping[str, str], folder: str) -> list[str]:
    """What Python's own list of imports names of the unwanted packages."""
    arguments = [sys.executable, "-X", "importtime", "-m", "bot", "reco", "--json"]
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        arguments, env={**environment, **paths}, cwd=folder, capture_output=True, text=True, check=True
    )
    names = [line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return [name for name in names if name.partition(".")[0] in _UNWANTED]
