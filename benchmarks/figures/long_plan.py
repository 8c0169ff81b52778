"""Decoding and drawing a recommendation of 1,000 moves, against json.loads of the same bytes."""

import json
import time
from collections.abc import Callable
from datetime import UTC

import msgspec

from benchmarks.figure import Figure, at_most, times_at_most
from bot.clock import SystemClock
from bot.readings import PoolReading, Tgc, view_of_reading
from bot.rendering.card import render_card
from playground.tgc_json import TgcJson
from playground.world import World
from tgc.client import connect
from tgc.decode import decode_recommendation
from tgc.models import Pool
from tgc.tls import TLSPolicy

_MOVES = 1000
_TIMES = 200


async def measure() -> list[Figure]:
    world = World.seeded(pools=1, moves=_MOVES)
    [pool] = world.pools
    body = msgspec.json.encode(TgcJson(UTC).recommendation(world.current(pool), pool.uuid, None, world.now()))
    recommendation = decode_recommendation(body, "")
    clock = SystemClock()
    async with connect("https://tgc.example.com", "bot", "", tls=TLSPolicy()) as client:
        tgc = Tgc(key="default", name="tgc.example.com", url="https://tgc.example.com", client=client)
        reading = PoolReading(
            tgc_key=tgc.key,
            pool=Pool(uuid=pool.uuid, name=pool.name),
            read_at=clock.now(),
            recommendation=recommendation,
        )
        loads_ms = _least_ms(lambda: json.loads(body))
        decode_ms = _least_ms(lambda: decode_recommendation(body, ""))
        render_ms = _least_ms(lambda: render_card(view_of_reading(tgc, reading, clock.now())))
    name = f"a recommendation of {_MOVES:,} moves ({len(body) // 1024} KiB)"
    return [
        Figure(
            name=f"decoding {name}",
            value=decode_ms,
            unit="ms",
            peer="json.loads",
            peer_value=loads_ms,
            goal=times_at_most(1.5),
        ),
        Figure(name="drawing its card", value=render_ms, unit="ms"),
        Figure(name="both", value=decode_ms + render_ms, unit="ms", goal=at_most(5)),
    ]


def _least_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return 1000 * min(taken)
