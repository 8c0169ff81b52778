"""Accept at…: the form in the place of the details, what became of it, and the card's button that cancels a plan."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.planning import Planning as PlanningService
from bot.pool_rules import PoolRules
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.forms import render_message, render_said
from bot.rendering.planning import TITLE, render_plan_form, render_planned
from bot.rendering.views import Message, View
from bot.requests import RefusedError, Request
from bot.tasks import Tasks
from handlers.modals import Modals, accept_mistakes, take
from handlers.payloads import Submission, read_click, request_by_form, request_of
from handlers.replies import Replies, no_surprise, told


class Planning:
    """Listens to what plans an accept, and to what cancels a plan."""

    def __init__(
        self, planning: PlanningService, modals: Modals, replies: Replies, rules: PoolRules, tasks: Tasks
    ) -> None:
        self._planning = planning
        self._modals = modals
        self._replies = replies
        self._rules = rules
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.PLAN)(self.asked)
        app.action(ids.CANCEL_PLAN)(self.cancelled)
        app.view(ids.PLAN_VIEW)(self.submitted)

    async def asked(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._ask(body)), name="show the form of a plan")

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, TITLE, partial(accept_mistakes, rules=self._rules))
        if submission is not None:
            work = told(partial(self._tell, submission.view_id), self._show_result(submission))
            self._tasks.start(work, name="plan")

    async def cancelled(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._replies.no_surprise(respond, body, self._cancel(respond, body)), name="cancel a plan")

    async def _ask(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is not None:
            await told(partial(self._tell, click.view_id), self._show_form(click.view_id, request_of(click)))

    async def _show_form(self, view_id: str, request: Request) -> None:
        try:
            form = await self._planning.form(request)
        except RefusedError as error:
            await self._modals.show(view_id, render_said(TITLE, str(error)))
        else:
            await self._modals.show(view_id, render_plan_form(form.view, form.zone))

    async def _show_result(self, submission: Submission) -> None:
        await self._modals.show_result(submission.view_id, await self._plan(submission))

    async def _plan(self, submission: Submission) -> View:
        try:
            planned = await self._planning.plan(request_by_form(submission), submission.moment(ids.PLAN_AT))
        except RefusedError as error:
            return render_said(TITLE, str(error))
        return render_planned(planned.pool_name, planned.due_at)

    async def _cancel(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        try:
            said = await self._planning.cancel(request_of(click))
        except RefusedError as error:
            said = str(error)
        await self._replies.tell(respond, click, render_sentence(said), replace_original=click.is_ephemeral)

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._modals.show(view_id, render_message(TITLE, message))
