"""Socket Mode: connections that an app opens, and envelopes that go to any one of them."""

import asyncio
import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from playground.slack_workspace import APP_ID

CONNECTIONS = 10
FRAME_BYTES = 20_480
TOO_BIG = 1009


@dataclass(eq=False)
class Connection:
    request: web.Request
    socket: web.WebSocketResponse
    deaf: bool = False
    """Its pings are not answered."""
    swallows: bool = False
    """What Slack sends on it does not arrive, and nobody notices: pings are answered."""

    def stall(self) -> None:
        """Become a black hole: nothing is read or sent any more, and nobody closes it."""
        self.deaf = self.swallows = True
        if self.request.transport is not None:
            self.request.transport.pause_reading()

    def cut(self) -> None:
        """As a broken network does: no closing frame."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass
class Sockets:
    changed: Callable[[], None]
    choice: random.Random
    connections: list[Connection] = field(default_factory=list)
    deaf: bool = False
    """Pings are not answered: the connections look alive and are not."""
    greets: bool = True
    """Whether a new connection is told hello, as the first thing there."""
    _tickets: set[str] = field(default_factory=set)
    _waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    def ticket(self) -> str:
        """Lets one connection in, once."""
        ticket = secrets.token_urlsafe(18)
        self._tickets.add(ticket)
        return ticket

    async def connect(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="invalid ticket")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0, compress=False)
        await socket.prepare(request)
        if len(self.connections) >= CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = Connection(request, socket)
        self.connections.append(connection)
        try:
            if self.greets:
                await socket.send_json(_hello(len(self.connections)))
            self.changed()
            await self._listen(connection)
        except ConnectionResetError:
            pass  # the app went away while it was spoken to
        finally:
            self.connections.remove(connection)
            self.changed()
        return socket

    async def _listen(self, connection: Connection) -> None:
        socket = connection.socket
        async for frame in socket:
            if frame.type is WSMsgType.PING:
                if not self.deaf and not connection.deaf:
                    await socket.pong(frame.data)
            elif frame.type is WSMsgType.TEXT:
                if len(frame.data.encode()) > FRAME_BYTES:
                    reason = f"Max frame length of {FRAME_BYTES} has been exceeded."
                    await socket.close(code=TOO_BIG, message=reason.encode())
                    return
                self._take(frame.data)

    def _take(self, text: str) -> None:
        answer = json.loads(text)
        waiting = self._waiting.get(answer.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload"))

    async def send(self, envelope: dict[str, Any]) -> Any:
        """Send to one connection and give the payload of its acknowledgement, or None where it has none.

        Waits as long as it is let. Raises ConnectionError when no app is connected.
        """
        if not self.connections:
            raise ConnectionError
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            connection = self.choice.choice(self.connections)
            if not connection.swallows:
                await connection.socket.send_json(envelope)
            return await waiting
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: str) -> None:
        """Tell all to go: `warning`, `refresh_requested` or `link_disabled`. Closing is left to the app."""
        for connection in list(self.connections):
            if not connection.swallows:
                await connection.socket.send_json(_disconnect(reason))

    def cut(self) -> None:
        for connection in list(self.connections):
            connection.cut()


def _hello(connections: int) -> dict[str, Any]:
    return {
        "type": "hello",
        "connection_info": {"app_id": APP_ID},
        "num_connections": connections,
        "debug_info": {"host": "applink-playground", "build_number": 10, "approximate_connection_time": 3600},
    }


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-playground"}}
