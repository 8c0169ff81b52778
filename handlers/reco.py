"""`/tintri reco [pool]`: what the TGC recommends now, and the buttons of that answer."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.access import Access
from bot.pools import AmbiguousPoolError, UnknownPoolError
from bot.reconcile import Reconciler
from bot.rendering import ids
from bot.rendering.answers import (
    render_pool,
    render_report,
    render_sentence,
    render_shown,
    render_unknown_pool,
)
from bot.rendering.views import Message
from bot.reports import Reports
from bot.tasks import Tasks
from handlers.payloads import Click, Command, read_click, read_turn
from handlers.replies import answer, no_surprise
from tgc.errors import TGCError


class Reco:
    """The list of pools, its pages, and one pool's card, each for one person only."""

    def __init__(self, reports: Reports, reconciler: Reconciler, access: Access, tasks: Tasks) -> None:
        self._reports = reports
        self._reconciler = reconciler
        self._access = access
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.SHOW)(self.shown)
        app.action(ids.LIST_PREVIOUS)(self.turned)
        app.action(ids.LIST_NEXT)(self.turned)
        app.action(ids.LIST_ALL)(self.turned)

    async def answer(self, command: Command, rest: str) -> Message:
        return await self._refusal(command) or await self._list(rest, page=0)

    async def shown(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._show(respond, body)), name="show")

    async def turned(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._turn(respond, body)), name="turn the list")

    async def _show(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        message = await self._refusal(click) or await self._card(click.value)
        await answer(respond, message, replace_original=True)

    async def _turn(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        page, typed = read_turn(click.value)
        message = await self._refusal(click) or await self._list(typed, page=page)
        await answer(respond, message, replace_original=True)

    async def _refusal(self, asked: Command | Click) -> Message | None:
        refusal = await self._access.refusal_to_read(asked.actor)
        return None if refusal is None else render_sentence(refusal)

    async def _list(self, typed: str, *, page: int) -> Message:
        try:
            report = await self._reports.report(typed)
        except UnknownPoolError as error:
            return render_unknown_pool(error.typed, error.close, are_all=error.are_all)
        except (AmbiguousPoolError, TGCError) as error:
            return render_sentence(str(error))
        if len(report.pools) == 1:
            return render_pool(report.pools[0])
        return render_report(report, page=page, filter_text=typed)

    async def _card(self, offer_id: str) -> Message:
        view = await self._reconciler.view_of_offer(offer_id)
        if view is None:
            return render_sentence("I do not know this any more: type /tintri reco for what there is now.")
        return render_shown(view)
