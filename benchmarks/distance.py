"""A way to a server that takes time, as a network does: half a round trip for each byte in either direction.

The system accepts a connection here at once, where over a distance that takes a round trip: so what is sent first on a
connection comes a round trip later.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Late:
    """Hands on in order what it was given, each piece so much later."""

    def __init__(self, delay_s: float, first_delay_s: float) -> None:
        self.target: asyncio.Transport | None = None
        self._delay_s = delay_s
        self._next_delay_s = first_delay_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes | None] = deque()
        self._due = 0.0

    def give(self, piece: bytes | None) -> None:
        """None is the end."""
        self._due = max(self._due, self._loop.time() + self._next_delay_s)
        self._next_delay_s = self._delay_s
        self._waiting.append(piece)
        self._loop.call_at(self._due, self._hand_on)

    def _hand_on(self) -> None:
        piece = self._waiting.popleft()
        if self.target is None:
            return
        if piece is None:
            self.target.close()
        else:
            self.target.write(piece)


class _End(asyncio.Protocol):
    """One end of a connection; what comes in goes out late at the other."""

    def __init__(self, onward: _Late, back: _Late) -> None:
        self._onward = onward
        self._back = back

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._back.target = transport

    def data_received(self, data: bytes) -> None:
        self._onward.give(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        self._back.target = None
        self._onward.give(None)


@asynccontextmanager
async def far_away(port: int, round_trip_s: float) -> AsyncIterator[int]:
    """The port at which the server on `port` of this machine seems that far away."""
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[object]] = set()

    def accepted() -> _End:
        there = _Late(round_trip_s / 2, first_delay_s=round_trip_s * 1.5)
        here = _Late(round_trip_s / 2, first_delay_s=round_trip_s / 2)
        task: asyncio.Task[object] = loop.create_task(
            loop.create_connection(lambda: _End(onward=here, back=there), "127.0.0.1", port)
        )
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return _End(onward=there, back=here)

    server = await loop.create_server(accepted, "127.0.0.1", 0, backlog=1000)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
