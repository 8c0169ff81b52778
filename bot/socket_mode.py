"""Socket Mode, kept alive. Two connections, so that Slack's hourly renewals leave no gap (slack/README 3.7).

slack_sdk never gives up and never raises: a handshake that failed once is retried for ever with the same used ticket.
So each connection is asked for beforehand (that does raise), and one that is down for a minute is built anew.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.clock import Clock
from bot.metrics import SLACK_UP

_log = structlog.get_logger(__name__)

CONNECTIONS = 2
MAX_DOWN = timedelta(seconds=60)
_CONNECT_WITHIN_S = 30.0
_LOOK_EVERY_S = 5.0
_AGAIN_AFTER_S = 10.0
_LAST_WORDS_S = 5.0


class SocketMode:
    """Keeps the connections to Slack open."""

    def __init__(self, app: AsyncApp, app_token: str, clock: Clock) -> None:
        self._app = app
        self._app_token = app_token
        self._clock = clock
        self._connected: list[AsyncSocketModeHandler] = []

    @property
    def is_up(self) -> bool:
        """Whether Slack can reach us by at least one connection."""
        return any(_has_session(handler) for handler in self._connected)

    async def run(self) -> None:
        """Keep all connections, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._keep_one())

    async def _keep_one(self) -> None:
        while True:
            try:
                await self._one_life()
            except SlackApiError as error:
                _log.error("Slack refuses Socket Mode: check SLACK_APP_TOKEN", reason=str(error.response.get("error")))
            except Exception as error:  # noqa: BLE001 - whatever ended it, a new one is due
                _log.warning("a Socket Mode connection failed", reason=f"{type(error).__name__}: {error}")
            await self._clock.sleep(_AGAIN_AFTER_S)

    async def _one_life(self) -> None:
        """Open one connection and watch it; return when it was down for too long."""
        await self._app.client.apps_connections_open(app_token=self._app_token)
        handler = AsyncSocketModeHandler(self._app, self._app_token)
        try:
            await asyncio.wait_for(handler.client.connect(), _CONNECT_WITHIN_S)  # type: ignore[no-untyped-call]
            self._connected.append(handler)
            _log.info("connected to Slack")
            await self._watch(handler)
        finally:
            if handler in self._connected:
                self._connected.remove(handler)
            SLACK_UP.set(self.is_up)
            with suppress(Exception):
                await asyncio.wait_for(handler.client.close(), _LAST_WORDS_S)  # type: ignore[no-untyped-call]

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        down_since: datetime | None = None
        while True:
            now = self._clock.now()
            down_since = None if await handler.client.is_connected() else down_since or now
            SLACK_UP.set(self.is_up)
            if down_since is not None and now - down_since > MAX_DOWN:
                _log.warning("a Socket Mode connection was down for a minute; building a new one")
                return
            await self._clock.sleep(_LOOK_EVERY_S)


def _has_session(handler: AsyncSocketModeHandler) -> bool:
    session = handler.client.current_session
    return session is not None and not session.closed
