"""Details: a modal opened at once from what is stored, then filled with what the TGC says now."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.access import Access
from bot.reconcile import Reconciler
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.details import render_details, render_details_problem
from bot.rendering.views import CardView, Message, View
from bot.slack import Slack, SlackError
from bot.tasks import Tasks
from handlers.payloads import Click, read_click, read_page
from handlers.replies import Replies, no_surprise, told
from tgc.errors import TGCError

_log = structlog.get_logger(__name__)

UNKNOWN = "I do not know this any more: type /tintri reco for what there is now."


class Details:
    """Everything about one recommendation, paged. Reading it takes no approver."""

    def __init__(self, reconciler: Reconciler, slack: Slack, access: Access, replies: Replies, tasks: Tasks) -> None:
        self._reconciler = reconciler
        self._slack = slack
        self._access = access
        self._replies = replies
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.DETAILS)(self.opened)
        app.action(ids.DETAILS_PREVIOUS)(self.turned)
        app.action(ids.DETAILS_NEXT)(self.turned)

    async def opened(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._replies.no_surprise(respond, body, self._open(respond, body)), name="open details")

    async def turned(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._turn(body)), name="turn details")

    async def _open(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        refusal = await self._access.refusal_to_read(click.actor)
        view = None if refusal else await self._reconciler.view_of_offer(click.value)
        if view is None:
            await self._replies.tell(respond, click, render_sentence(refusal or UNKNOWN))
            return
        try:
            opened = await self._slack.open_view(click.trigger_id, render_details(view))
        except SlackError as error:
            _log.warning("details could not be opened", reason=str(error))
            sorry = render_sentence(f"The details could not be opened: {error} Press Details again.")
            await self._replies.tell(respond, click, sorry)
            return
        # With the hash of what was opened: a page that was turned meanwhile stays.
        await self._update(opened.id, await self._fresh(click.value, view), opened.hash)

    async def _fresh(self, offer_id: str, known: CardView) -> View:
        try:
            view = await self._reconciler.fresh_view_of_offer(offer_id)
        except TGCError as error:
            return render_details(known, problem=f"This is what I knew before. {error}")
        return render_details(view or known)

    async def _turn(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is not None and not await self._access.refusal_to_read(click.actor):
            await told(partial(self._tell, click.view_id), self._show_page(click, click.view_id))

    async def _show_page(self, click: Click, view_id: str) -> None:
        view = await self._reconciler.view_of_offer(click.private_metadata)
        if view is not None:
            await self._update(view_id, render_details(view, read_page(click.value)))

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._update(view_id, render_details_problem("Details", message.text))

    async def _update(self, view_id: str, view: View, unchanged_since: str | None = None) -> None:
        try:
            await self._slack.update_view(view_id, view, unchanged_since)
        except SlackError as error:  # closed or turned meanwhile, or Slack is busy: what it shows is still true
            _log.info("details were not updated", reason=str(error))
