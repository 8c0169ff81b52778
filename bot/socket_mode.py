"""Socket Mode, kept alive. Two connections, so that Slack's hourly renewals leave no gap (slack/README 3.7).

slack_sdk renews a connection by itself, but three things it does not do (slack/README 6.4): give up a handshake that
failed, which it repeats for ever with the same used ticket; rest where Slack sends it away each time; and see that a
connection is none although its socket is open, because Slack never said hello on it or answers no pings.

A connection that answers pings and delivers nothing cannot be told from one on which nobody has pressed anything. So
one that has been quiet for long is renewed, while the other one listens.
"""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from aiohttp import ClientWebSocketResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.clock import Clock, uptime
from bot.dispatch import dispatch
from bot.loops import CameRound
from bot.slack import Slack, SlackBusyError, SlackError, SlackRefusedError

_log = structlog.get_logger(__name__)

CONNECTIONS = 2
LOOK_EVERY = timedelta(seconds=5)
# Counted in looks and not by the clock, which may be set, or sleep with the machine.
DEAF_LOOKS = 8
"""So many pings in a row without an answer: 40 s."""
DOWN_LOOKS = 12
"""For a minute slack_sdk may try to reconnect by itself."""
QUIET_LOOKS = 180
"""A quarter of an hour without anything but answers to pings."""
REST = timedelta(seconds=10)
"""Between one connection and the next in its place."""
_LAST_WORDS_S = 1.0
_PING_EVERY_S = 10


class SocketMode:
    """Keeps the connections to Slack open."""

    def __init__(self, app: AsyncApp, slack: Slack, app_token: str, clock: Clock) -> None:
        self._app = app
        self._slack = slack
        self._app_token = app_token
        self._clock = clock
        self._clients: list[_Client] = []

    @property
    def live_connections(self) -> int:
        """How many connections Slack can reach us by, as far as anybody can tell."""
        return sum(client.is_live for client in self._clients)

    async def keep_one(self, came_round: CameRound) -> None:
        """Keep one connection, until cancelled."""
        while True:
            rest_s = REST.total_seconds()
            try:
                await self._one_life(came_round)
            except SlackBusyError as error:
                rest_s = max(rest_s, error.retry_after_s)
                _log.warning("Slack asks to wait before the next Socket Mode connection", seconds=rest_s)
            except SlackRefusedError as error:
                _log.error("Slack refuses Socket Mode: check SLACK_APP_TOKEN", reason=error.code)
            except SlackError as error:
                _log.warning("no Socket Mode connection yet", reason=str(error))
            came_round()
            await self._clock.sleep(rest_s)

    async def _one_life(self, came_round: CameRound) -> None:
        """Open one connection and watch it; return when another is to take its place. Raises SlackError."""
        url = await self._slack.open_socket(self._app_token)
        client = _Client(self._app, self._app_token, self._clock)
        client.wss_uri = url
        connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]  # slack_sdk's
        self._clients.append(client)
        try:
            await self._watch(client, came_round)
        finally:
            self._clients.remove(client)
            connecting.cancel()
            await client.end()

    async def _watch(self, client: "_Client", came_round: CameRound) -> None:
        was_live = False
        down_looks = 0
        while down_looks <= DOWN_LOOKS:
            await client.look()
            came_round()
            if client.is_live != was_live:
                was_live = client.is_live
                _log.info("connected to Slack" if was_live else "a connection to Slack is down")
            if client.is_deaf:
                _log.warning("a Socket Mode connection answers no pings; building a new one")
                return
            if client.is_quiet and self.live_connections > 1:
                _log.debug("a Socket Mode connection was quiet for long; building a new one")
                return
            down_looks = 0 if was_live else down_looks + 1
            await self._clock.sleep(LOOK_EVERY.total_seconds())
        _log.warning("a Socket Mode connection was down for a minute; building a new one")


class _Client(SocketModeClient):
    def __init__(self, app: AsyncApp, app_token: str, clock: Clock) -> None:
        super().__init__(app_token, web_client=app.client, ping_interval=_PING_EVERY_S)
        self.message_listeners.append(self._hear)
        self.socket_mode_request_listeners.append(self._take)
        self._app = app
        self._clock = clock
        self._rested_at = uptime(clock)
        self._greeted: ClientWebSocketResponse | None = None
        """The session on which Slack said hello."""
        self._answered = self.last_ping_pong_time
        self._unanswered_looks = 0
        self._quiet_looks = 0

    @property
    def is_live(self) -> bool:
        """Whether Slack greeted us on the present session and answers there, and somebody takes what it sends."""
        return (
            self.current_session is not None
            and self.current_session is self._greeted
            and not self.current_session.closed
            and not self.is_deaf
            and not self.message_processor.done()
        )

    @property
    def is_deaf(self) -> bool:
        return self._unanswered_looks >= DEAF_LOOKS

    @property
    def is_quiet(self) -> bool:
        return self._quiet_looks >= QUIET_LOOKS

    async def look(self) -> None:
        """Note whether a ping was answered since the last look, and send the next."""
        session = self.current_session
        if session is None or session.closed:
            return
        self._quiet_looks += 1
        self._unanswered_looks = 0 if self.last_ping_pong_time != self._answered else self._unanswered_looks + 1
        self._answered = self.last_ping_pong_time
        with suppress(ConnectionError):  # it was closed this very moment
            await session.ping(f"sdk-ping-pong:{time.time()}".encode())  # slack_sdk's own form, whose answer it notes

    async def _hear(
        self, _client: AsyncBaseSocketModeClient, message: dict[str, Any], _text: str | None = None
    ) -> None:
        if message.get("type") == "hello":
            self._greeted = self.current_session
            self._unanswered_looks = 0
        if message:  # Slack sends empty frames as well
            self._quiet_looks = 0

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Reconnect, but never in a tight loop, as slack_sdk does while Slack answers each time with `disconnect`."""
        while (wait := self._rested_at - uptime(self._clock)) > timedelta(0):
            await self._clock.sleep(wait.total_seconds())
        if not self.closed:
            self._rested_at = uptime(self._clock) + REST
            await super().connect_to_new_endpoint(force)

    async def end(self) -> None:
        """Take leave of Slack if it still listens; whether or not, nothing is left behind."""
        try:
            with suppress(Exception):
                await asyncio.wait_for(self.close(), _LAST_WORDS_S)  # type: ignore[no-untyped-call]  # slack_sdk's
        finally:
            for task in (self.message_processor, self.current_session_monitor, self.message_receiver):
                if task is not None:
                    task.cancel()
            await self.aiohttp_client_session.close()

    async def _take(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        response = await dispatch(self._app, request.payload, mode="socket_mode")
        await self.send_socket_mode_response(SocketModeResponse(request.envelope_id, _payload(response)))


def _payload(response: BoltResponse) -> dict[str, object] | str | None:
    """What an acknowledgement carries: mostly nothing, JSON for a modal."""
    if response.body.startswith("{"):
        return msgspec.json.decode(response.body, type=dict[str, object])
    return response.body or None
