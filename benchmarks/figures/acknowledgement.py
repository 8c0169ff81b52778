"""How many `/tintri help` are acknowledged a second at 16 connections, against an app of Bolt with one listener."""

import tempfile
from pathlib import Path

import msgspec

from benchmarks.bare_bolt import bare_bolt
from benchmarks.child import Child
from benchmarks.far_ends import FarEnds, Wanted, far_ends
from benchmarks.figure import Figure, times_at_least, times_at_most
from benchmarks.load import Load, Sink, command, send
from benchmarks.running_bot import free_port, running_bot

_CONNECTIONS = 16
_REQUESTS = 1500
_ROUNDS = 3


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        async with far_ends(Wanted(pools=1)) as ends:
            environment = ends.environment(port=free_port())
            async with (
                running_bot(environment, Path(folder)) as bot,
                bare_bolt(ends.addresses, does="answer") as answering,
                bare_bolt(ends.addresses, does="ack") as acknowledging,
            ):
                apps = [(bot, int(environment["PORT"])), answering, acknowledging]
                rounds = [
                    [await _load(ends, *app, answered=app is not acknowledging) for app in apps] for _ in range(_ROUNDS)
                ]
    own, answering_peer, acking_peer = (_best([one[number] for one in rounds]) for number in range(3))
    name = f"/tintri help at {_CONNECTIONS} connections"
    return [
        Figure(
            name=f"{name}, acknowledged",
            value=own.per_second,
            unit="a second",
            peer="bare Bolt that answers too",
            peer_value=answering_peer.per_second,
            goal=times_at_least(0.9),
        ),
        Figure(
            name=f"{name}, 99 % acknowledged within",
            value=own.quantile_ms(0.99),
            unit="ms",
            peer="bare Bolt that answers too",
            peer_value=answering_peer.quantile_ms(0.99),
            goal=times_at_most(1.1),
        ),
        Figure(
            name=f"{name}, processor for each with its answer",
            value=own.cpu_ms,
            unit="ms",
            peer="bare Bolt that answers too",
            peer_value=answering_peer.cpu_ms,
        ),
        Figure(
            name=f"{name}, acknowledged, against nothing but the acknowledgement",
            value=own.per_second,
            unit="a second",
            peer="bare Bolt that answers nothing",
            peer_value=acking_peer.per_second,
        ),
    ]


def _best(loads: list[Load]) -> Load:
    return max(loads, key=lambda load: load.per_second)


async def _load(ends: FarEnds, app: Child, port: int, *, answered: bool) -> Load:
    """Until the last answer is there, so that one round does not disturb the next."""
    async with Sink().serve() as sink:
        request = command("/tintri help", "U0ALICE00", sink.url, ends.addresses.slack_signing_secret)
        cpu_s = app.cpu_s
        load = await send(port, [request] * _REQUESTS, connections=_CONNECTIONS)
        if answered:
            await sink.has(_REQUESTS)
    return msgspec.structs.replace(load, cpu_s=app.cpu_s - cpu_s)
