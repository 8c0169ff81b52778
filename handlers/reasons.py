"""Say why, on what was dismissed, and Add a note, on what was accepted: a form, and what is kept of it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.reasons import Reasons as ReasonsService
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.forms import render_message, render_said
from bot.rendering.reasons import ADD_NOTE, FEEDBACKS, SAY_WHY, render_note_form, render_reason_form
from bot.rendering.views import Action, Message, View
from bot.requests import RefusedError, Request
from bot.storage import decisions
from bot.storage.presses import Press
from bot.tasks import Tasks
from handlers.modals import Mistakes, Modals, take, text_mistakes
from handlers.payloads import Submission, press_by_form, read_click, request_by_form, request_of
from handlers.replies import Replies, told


class Reasons:
    """Listens to what people write of a decision; feedback for the TGC goes the way of every press."""

    def __init__(
        self,
        reasons: ReasonsService,
        decider: Decider,
        modals: Modals,
        replies: Replies,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._reasons = reasons
        self._decider = decider
        self._modals = modals
        self._replies = replies
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        app.action(ids.SAY_WHY)(self.asked_why)
        app.action(ids.ADD_NOTE)(self.asked_for_note)
        app.view(ids.SAY_WHY_VIEW)(self.said_why)
        app.view(ids.ADD_NOTE_VIEW)(self.noted)

    async def asked_why(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(
            self._replies.no_surprise(respond, body, self._ask_why(respond, body)), name="show the form of a reason"
        )

    async def asked_for_note(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(
            self._replies.no_surprise(respond, body, self._ask_for_note(body)), name="show the form of a note"
        )

    async def said_why(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, SAY_WHY, _mistakes)
        if submission is not None:
            self._tasks.start(told(partial(self._say, submission, SAY_WHY), self._keep_reason(submission)), name="say")

    async def noted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, ADD_NOTE, _note_mistakes)
        if submission is not None:
            self._tasks.start(told(partial(self._say, submission, ADD_NOTE), self._keep_note(submission)), name="note")

    async def _ask_why(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        await self._replies.open_form(respond, click, self._reason_form(request_of(click)), label="Say why")

    async def _reason_form(self, request: Request) -> View:
        return render_reason_form(await self._reasons.form(request, decisions.SAY_WHY))

    async def _ask_for_note(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is not None:
            await told(partial(self._tell, click.view_id), self._show_note_form(click.view_id, request_of(click)))

    async def _show_note_form(self, view_id: str, request: Request) -> None:
        try:
            view = await self._reasons.form(request, decisions.ADD_NOTE)
        except RefusedError as error:
            await self._modals.show(view_id, render_said(ADD_NOTE, str(error)))
        else:
            await self._modals.show(view_id, render_note_form(view))

    async def _keep_reason(self, submission: Submission) -> None:
        try:
            said = await self._reasons.keep(request_by_form(submission), decisions.SAY_WHY)
        except RefusedError as error:
            await self._modals.show_result(submission.view_id, render_said(SAY_WHY, str(error)))
            return
        if submission.choice(ids.FEEDBACK) is None:
            await self._modals.show_result(submission.view_id, render_said(SAY_WHY, said))
            return
        await self._decider.press(self._feedback(submission), partial(self._say, submission, SAY_WHY, said=said))

    async def _keep_note(self, submission: Submission) -> None:
        try:
            said = await self._reasons.keep(request_by_form(submission), decisions.ADD_NOTE)
        except RefusedError as error:
            said = str(error)
        await self._modals.show_result(submission.view_id, render_said(ADD_NOTE, said))

    def _feedback(self, submission: Submission) -> Press:
        comment, feedback = submission.text(ids.COMMENT), submission.choice(ids.FEEDBACK)
        return press_by_form(submission, Action.FEEDBACK, self._clock.now(), note=comment, feedback=feedback)

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._modals.show(view_id, render_message(ADD_NOTE, message))

    async def _say(self, submission: Submission, title: str, message: Message, *, said: str | None = None) -> bool:
        before = (render_sentence(said),) if said else ()
        return await self._modals.show_result(submission.view_id, render_message(title, *before, message))


def _mistakes(submission: Submission) -> Mistakes:
    feedback = submission.choice(ids.FEEDBACK)
    mistakes = {**_note_mistakes(submission), **text_mistakes(submission, ids.COMMENT)}
    if feedback is not None and feedback not in FEEDBACKS:
        mistakes[ids.FEEDBACK] = "Choose one of those shown."
    if feedback is None and submission.text(ids.COMMENT):
        mistakes[ids.FEEDBACK] = "Choose how helpful it was, or leave the comment empty: it goes with that."
    return mistakes


def _note_mistakes(submission: Submission) -> Mistakes:
    if submission.text(ids.NOTE) is None:
        return {ids.NOTE: "Write something."}
    return text_mistakes(submission, ids.NOTE)
