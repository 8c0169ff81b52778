"""The forms of Details that change a recommendation before it is accepted: each becomes a press."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.reconcile import Reconciler
from bot.rendering import ids
from bot.rendering.shaping import (
    render_leave_out_form,
    render_shaped,
    render_shaping_problem,
    render_shaping_waiting,
)
from bot.rendering.views import Action, Message, View
from bot.shaping import FormRequest, ShapingRefusedError
from bot.shaping import Shaping as ShapingService
from bot.slack import Slack, SlackError
from bot.storage.presses import Press
from bot.tasks import Tasks
from handlers.payloads import Submission, read_click, read_submission
from handlers.replies import no_surprise, told

_log = structlog.get_logger(__name__)

_WAITING_S = 1.0
"""As in handlers/planning.py: a waiting view that Slack takes up late would hide the result."""


class Shaping:
    """Listens to the buttons that ask for a form, and to the forms."""

    def __init__(
        self,
        shaping: ShapingService,
        decider: Decider,
        reconciler: Reconciler,
        slack: Slack,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._shaping = shaping
        self._decider = decider
        self._reconciler = reconciler
        self._slack = slack
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        app.action(ids.LEAVE_OUT)(self.asked)
        app.view(ids.LEAVE_OUT_VIEW)(self.submitted)

    async def asked(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._ask(body)), name="show a form that shapes")

    async def submitted(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack(response_action="update", view=render_shaping_waiting())
        self._tasks.start(no_surprise(respond, self._submit(body)), name="shape")

    async def _ask(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is None:
            return
        request = FormRequest(id=click.id, actor=click.actor, action=Action.LEAVE_OUT, offer_id=click.value)
        await told(partial(self._tell, click.view_id), self._show_form(click.view_id, request))

    async def _show_form(self, view_id: str, request: FormRequest) -> None:
        try:
            form = render_leave_out_form(await self._shaping.form(request))
        except ShapingRefusedError as error:
            form = render_shaping_problem(str(error))
        await self._update(view_id, form)

    async def _submit(self, body: Mapping[str, Any]) -> None:
        submission = read_submission(body)
        await told(partial(self._tell, submission.view_id), self._press(submission))

    async def _press(self, submission: Submission) -> None:
        offer_id = submission.private_metadata
        press = Press(
            id=submission.id,
            action=Action.LEAVE_OUT,
            offer_id=offer_id,
            team_id=submission.actor.team_id,
            user_id=submission.actor.user_id,
            user_name=submission.actor.name,
            channel_id=None,
            pressed_at=self._clock.now(),
            shape=await self._shaping.leaving_out(offer_id, submission.chosen(ids.LEAVE_OUT_VMS)),
        )
        await self._decider.press(press, partial(self._show, submission))

    async def _show(self, submission: Submission, message: Message) -> bool:
        """What came of it, in the place of the form; False where the modal is closed."""
        await self._clock.sleep(_WAITING_S)
        view = await self._reconciler.view_of_offer(submission.private_metadata)
        return await self._update(submission.view_id, render_shaped(message, view))

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._update(view_id, render_shaped(message, None))

    async def _update(self, view_id: str, view: View) -> bool:
        try:
            await self._slack.update_view(view_id, view)
        except SlackError as error:
            _log.info("a form that shapes was not updated", reason=str(error))
            return False
        return True
