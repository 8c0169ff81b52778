"""`/tintri …`: acknowledge, then hand the rest to the feature that it names."""

from collections.abc import Mapping
from typing import Any, Protocol

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.access import Access
from bot.rendering.answers import render_help, render_sentence
from bot.rendering.views import Message
from bot.tasks import Tasks
from handlers.payloads import Command, read_command
from handlers.replies import answer, no_surprise


class Feature(Protocol):
    """What stands behind one word after `/tintri`. It checks who asks, for some keep whom they refused."""

    async def answer(self, command: Command, rest: str, /) -> Message:
        """Carry out the command; `rest` is what was typed after the feature's own word."""
        ...


class TintriCommand:
    """The one slash command of the bot."""

    def __init__(self, features: Mapping[str, Feature], access: Access, tasks: Tasks) -> None:
        self._features = features
        self._access = access
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.command("/tintri")(self.typed)

    async def typed(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._answer(respond, body)), name="/tintri")

    async def _answer(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        await answer(respond, await self._message(read_command(body)))

    async def _message(self, command: Command) -> Message:
        word, _, rest = command.text.partition(" ")
        feature = self._features.get(word.casefold())
        if feature is not None:
            return await feature.answer(command, rest.strip())
        refusal = await self._access.refusal_to_read(command.actor)
        if refusal is not None:
            return render_sentence(refusal)
        return render_help(None if word.casefold() in {"", "help"} else command.text)
