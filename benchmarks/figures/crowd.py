"""200 times `/tintri reco` from 20 people at once, of 32 pools at a TGC 40 ms away."""

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.far_ends import Wanted, far_ends
from benchmarks.figure import Figure, at_most
from benchmarks.load import Sink, command, send
from benchmarks.running_bot import free_port, running_bot
from bot.readings import SHARED_FOR

_POOLS = 32
_PEOPLE = 20
_COMMANDS = 200


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=_POOLS, round_trip_s=0.04, people=_PEOPLE)) as ends, Sink().serve() as sink:
            environment = ends.environment(port=free_port(), RECO_REFRESH_SECONDS="86400")
            async with running_bot(environment, Path(folder)):
                await asyncio.sleep(SHARED_FOR.total_seconds() + 1)  # what the start has read is shared no more
                before = await ends.counts()
                secret = ends.addresses.slack_signing_secret
                requests = [
                    command("/tintri reco", f"U0PERSON{number % _PEOPLE + 1}", sink.url, secret)
                    for number in range(_COMMANDS)
                ]
                begun = time.perf_counter()
                load = await send(int(environment["PORT"]), requests, connections=_COMMANDS)
                await sink.has(_COMMANDS)
                answered_s = time.perf_counter() - begun
                after = await ends.counts()
    name = f"{_COMMANDS} /tintri reco at once"
    return [
        Figure(name=f"{name}, half acknowledged within", value=load.quantile_ms(0.5), unit="ms"),
        Figure(name=f"{name}, 99 % acknowledged within", value=load.quantile_ms(0.99), unit="ms", goal=at_most(300)),
        Figure(
            name=f"{name}, sweeps",
            value=(after.current - before.current) / _POOLS,
            unit="sweeps",
            goal=at_most(2),
        ),
        Figure(name=f"{name}, all answered within", value=answered_s, unit="s"),
    ]
