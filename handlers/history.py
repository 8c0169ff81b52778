"""`/tintri history [pool] [days]`: what became of recommendations, and the buttons that turn its pages."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.access import Access, Actor
from bot.history import History as HistoryService
from bot.history import HistoryRefusedError
from bot.pools import AmbiguousPoolError, UnknownPoolError
from bot.rendering import ids
from bot.rendering.answers import render_sentence, render_unknown_pool
from bot.rendering.history import render_history
from bot.rendering.views import Message
from bot.tasks import Tasks
from handlers.payloads import Command, read_click, read_turn
from handlers.replies import answer, no_surprise
from tgc.errors import TGCError


class History:
    """The pages of what was recommended, each for one person only."""

    def __init__(self, history: HistoryService, access: Access, tasks: Tasks) -> None:
        self._history = history
        self._access = access
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.HISTORY_NEWER)(self.turned)
        app.action(ids.HISTORY_OLDER)(self.turned)

    async def answer(self, command: Command, rest: str) -> Message:
        return await self._page(command.actor, rest, page=0)

    async def turned(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._turn(respond, body)), name="turn the history")

    async def _turn(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        page, typed = read_turn(click.value)
        await answer(respond, await self._page(click.actor, typed, page=page), replace_original=True)

    async def _page(self, actor: Actor, typed: str, *, page: int) -> Message:
        refusal = await self._access.refusal_to_read(actor)
        if refusal is not None:
            return render_sentence(refusal)
        try:
            return render_history(await self._history.page(typed, page))
        except UnknownPoolError as error:
            return render_unknown_pool(error.typed, error.close, are_all=error.are_all)
        except (HistoryRefusedError, AmbiguousPoolError, TGCError) as error:
            return render_sentence(str(error))
