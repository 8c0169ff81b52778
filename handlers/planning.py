"""Accept at…: the form in the place of the details, what became of it, and the card's button that cancels a plan."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.planning import Planning as PlanningService
from bot.planning import PlanRefusedError, PlanRequest
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.planning import render_not_planned, render_plan_form, render_plan_waiting, render_planned
from bot.rendering.views import Message, View
from bot.slack import Slack, SlackError
from bot.tasks import Tasks
from handlers.payloads import Submission, read_click, read_submission
from handlers.replies import Replies, no_surprise, told

_log = structlog.get_logger(__name__)

_WAITING_S = 1.0
"""Slack takes up our acknowledgement, and with it the waiting view, at its own pace: one that came after the result
would hide it."""


class Planning:
    """Listens to what plans an accept, and to what cancels a plan."""

    def __init__(self, planning: PlanningService, slack: Slack, replies: Replies, tasks: Tasks, clock: Clock) -> None:
        self._planning = planning
        self._slack = slack
        self._replies = replies
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        app.action(ids.PLAN)(self.asked)
        app.action(ids.CANCEL_PLAN)(self.cancelled)
        app.view(ids.PLAN_VIEW)(self.submitted)

    async def asked(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._ask(body)), name="show the form of a plan")

    async def submitted(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack(response_action="update", view=render_plan_waiting())
        self._tasks.start(no_surprise(respond, self._submit(body)), name="plan")

    async def cancelled(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._replies.no_surprise(respond, body, self._cancel(respond, body)), name="cancel a plan")

    async def _ask(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is None:
            return
        request = PlanRequest(id=click.id, actor=click.actor, channel_id=click.channel_id, value=click.value)
        await told(partial(self._tell, click.view_id), self._show_form(click.view_id, request))

    async def _show_form(self, view_id: str, request: PlanRequest) -> None:
        try:
            form = await self._planning.form(request)
        except PlanRefusedError as error:
            await self._update(view_id, render_not_planned(str(error)))
        else:
            await self._update(view_id, render_plan_form(form.view, form.zone))

    async def _submit(self, body: Mapping[str, Any]) -> None:
        submission = read_submission(body)
        await told(partial(self._tell, submission.view_id), self._show_result(submission))

    async def _show_result(self, submission: Submission) -> None:
        view = await self._plan(submission)
        await self._clock.sleep(_WAITING_S)
        await self._update(submission.view_id, view)

    async def _plan(self, submission: Submission) -> View:
        request = PlanRequest(
            id=submission.id, actor=submission.actor, channel_id=None, value=submission.private_metadata
        )
        try:
            planned = await self._planning.plan(request, submission.moment(ids.PLAN_AT))
        except PlanRefusedError as error:
            return render_not_planned(str(error))
        return render_planned(planned.pool_name, planned.due_at)

    async def _cancel(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        request = PlanRequest(id=click.id, actor=click.actor, channel_id=click.channel_id, value=click.value)
        try:
            said = await self._planning.cancel(request)
        except PlanRefusedError as error:
            said = str(error)
        await self._replies.tell(respond, click, render_sentence(said), replace_original=click.is_ephemeral)

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._update(view_id, render_not_planned(message.text))

    async def _update(self, view_id: str, view: View) -> None:
        try:
            await self._slack.update_view(view_id, view)
        except SlackError as error:  # closed meanwhile, or Slack is busy: the card shows a plan that stands
            _log.info("the form of a plan was not updated", reason=str(error))
