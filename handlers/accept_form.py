"""Accept where a pool asks for a ticket: a form in the place of Slack's dialog, and its submission is the press."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.pool_rules import PoolRules
from bot.reasons import Reasons
from bot.rendering import forms, ids
from bot.rendering.reasons import ACCEPT, render_accept_form
from bot.rendering.views import Action, Message, View
from bot.requests import Request
from bot.tasks import Tasks
from handlers.modals import Modals, accept_mistakes, take
from handlers.payloads import Submission, press_by_form, read_click, request_of
from handlers.replies import Replies, told


class AcceptForm:
    """Opens the form, and hands what was submitted to the decision protocol."""

    def __init__(
        self,
        reasons: Reasons,
        decider: Decider,
        modals: Modals,
        replies: Replies,
        rules: PoolRules,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._reasons = reasons
        self._decider = decider
        self._modals = modals
        self._replies = replies
        self._rules = rules
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        app.action(ids.ACCEPT_IN_FORM)(self.pressed)
        app.view(ids.ACCEPT_VIEW)(self.submitted)

    async def pressed(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(
            self._replies.no_surprise(respond, body, self._open(respond, body)), name="open the form of an accept"
        )

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, ACCEPT, partial(accept_mistakes, rules=self._rules))
        if submission is not None:
            work = told(partial(self._say, submission), self._accept(submission))
            self._tasks.start(work, name="accept by form")

    async def _open(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        await self._replies.open_form(respond, click, self._form(request_of(click)), label="Accept")

    async def _form(self, request: Request) -> View:
        return render_accept_form(await self._reasons.accept_form(request))

    async def _accept(self, submission: Submission) -> None:
        ticket, note = submission.text(ids.TICKET), submission.text(ids.NOTE)
        press = press_by_form(submission, Action.ACCEPT, self._clock.now(), ticket=ticket, note=note)
        await self._decider.press(press, partial(self._say, submission))

    async def _say(self, submission: Submission, message: Message) -> bool:
        return await self._modals.show_result(submission.view_id, forms.render_message(ACCEPT, message))
