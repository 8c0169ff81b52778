"""What nobody else listens to: acknowledged all the same, or Slack shows people an error (slack/README 6.2)."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.rendering.answers import render_sentence
from bot.tasks import Tasks
from handlers.payloads import read_click
from handlers.replies import Replies, answer, no_surprise

_log = structlog.get_logger(__name__)

_ANYTHING = re.compile("")


class Unknown:
    """Comes last: buttons of older versions, link buttons, submissions and events that are nobody's."""

    def __init__(self, replies: Replies, tasks: Tasks) -> None:
        self._replies = replies
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.command(_ANYTHING)(self.command)
        app.action(_ANYTHING)(self.action)
        app.view(_ANYTHING)(self.other)
        app.view_closed(_ANYTHING)(self.other)
        app.shortcut(_ANYTHING)(self.other)
        app.event(_ANYTHING)(self.other)
        app.error(self.failed)

    async def command(self, ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        text = "This command is not mine. Type /tintri help for what I know."
        self._tasks.start(no_surprise(respond, self._say(respond, text)), name="unknown command")

    async def action(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._replies.no_surprise(respond, body, self._answer(respond, body)), name="unknown button")

    async def other(self, ack: AsyncAck) -> None:
        await ack()

    async def failed(self, error: Exception) -> None:
        """Only log: in a listener that has acknowledged there is no answer to change (slack/README 6.2)."""
        _log.error("a listener failed", exc_info=error)

    async def _answer(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        is_link = any("url" in action for action in body["actions"])
        click = read_click(body)
        if (body.get("response_url") or click.is_in_home) and not is_link:
            text = "Nothing was done: I do not know this button any more. Type /tintri reco for what there is now."
            await self._replies.tell(respond, click, render_sentence(text))

    async def _say(self, respond: AsyncRespond, text: str) -> None:
        await answer(respond, render_sentence(text))
