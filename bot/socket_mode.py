"""Socket Mode, kept alive. Two connections, so that Slack's hourly renewals leave no gap (slack/README 3.7).

slack_sdk renews a connection by itself, but two things it does not do (slack/README 6.4): give up a handshake that
failed, which it repeats for ever with the same used ticket, and rest where Slack sends it away each time.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import msgspec
import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.clock import Clock
from bot.dispatch import dispatch
from bot.slack import Slack, SlackBusyError, SlackError, SlackRefusedError

_log = structlog.get_logger(__name__)

CONNECTIONS = 2
MAX_DOWN = timedelta(seconds=60)
REST = timedelta(seconds=10)
"""Between one connection and the next in its place."""
_LOOK_EVERY_S = 5.0
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
    def is_up(self) -> bool:
        """Whether Slack can reach us by at least one connection."""
        return any(client.is_open for client in self._clients)

    async def run(self) -> None:
        """Keep all connections, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._keep_one())

    async def _keep_one(self) -> None:
        while True:
            rest_s = REST.total_seconds()
            try:
                await self._one_life()
            except SlackBusyError as error:
                rest_s = max(rest_s, error.retry_after_s)
                _log.warning("Slack asks to wait before the next Socket Mode connection", seconds=rest_s)
            except SlackRefusedError as error:
                _log.error("Slack refuses Socket Mode: check SLACK_APP_TOKEN", reason=error.code)
            except SlackError as error:
                _log.warning("no Socket Mode connection yet", reason=str(error))
            await self._clock.sleep(rest_s)

    async def _one_life(self) -> None:
        """Open one connection and watch it; return when it was down for too long. Raises SlackError."""
        url = await self._slack.open_socket(self._app_token)
        client = _Client(self._app, self._app_token, self._clock)
        client.wss_uri = url
        connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]  # slack_sdk's
        self._clients.append(client)
        try:
            await self._watch(client)
        finally:
            self._clients.remove(client)
            connecting.cancel()
            await client.end()

    async def _watch(self, client: "_Client") -> None:
        seen_up_at = self._clock.now()
        was_up = False
        while self._clock.now() - seen_up_at <= MAX_DOWN:
            is_up = await client.is_connected()
            if is_up:
                seen_up_at = self._clock.now()
            if is_up != was_up:
                _log.info("connected to Slack" if is_up else "a connection to Slack is down")
                was_up = is_up
            await self._clock.sleep(_LOOK_EVERY_S)
        _log.warning("a Socket Mode connection was down for a minute; building a new one")


class _Client(SocketModeClient):
    def __init__(self, app: AsyncApp, app_token: str, clock: Clock) -> None:
        super().__init__(app_token, web_client=app.client, ping_interval=_PING_EVERY_S)
        self.socket_mode_request_listeners.append(self._take)
        self._app = app
        self._clock = clock
        self._rested_at = clock.now()

    @property
    def is_open(self) -> bool:
        return self.current_session is not None and not self.current_session.closed

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Reconnect, but never in a tight loop, as slack_sdk does while Slack answers each time with `disconnect`."""
        while (wait := self._rested_at - self._clock.now()) > timedelta(0):
            await self._clock.sleep(wait.total_seconds())
        if not self.closed:
            self._rested_at = self._clock.now() + REST
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
