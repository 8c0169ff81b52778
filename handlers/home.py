"""The home tab: whoever opens it gets it published."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.homes import Homes
from bot.rendering.views import Message
from bot.tasks import Tasks
from handlers.payloads import MalformedPayloadError, read_home_opened
from handlers.replies import told

_log = structlog.get_logger(__name__)

_HOME = "home"


class Home:
    """Listens to who opens the bot's page. Its buttons are those of cards, and listened to with them."""

    def __init__(self, homes: Homes, tasks: Tasks) -> None:
        self._homes = homes
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.event("app_home_opened")(self.opened)

    async def opened(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._open(body), name="open a home")

    async def _open(self, body: Mapping[str, Any]) -> None:
        try:
            opened = read_home_opened(body)
        except MalformedPayloadError as error:
            _log.warning("a payload could not be read", reason=str(error))
            return
        if opened.tab == _HOME:
            work = self._homes.opened(opened.actor, opened.slack_hash)
            await told(partial(self._tell, opened.actor.user_id), work)

    async def _tell(self, user_id: str, message: Message) -> None:
        await self._homes.tell(user_id, message.text)
