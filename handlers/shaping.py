"""The forms of Details that change a recommendation before it is accepted: each becomes a press."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.reconcile import Reconciler
from bot.rendering import ids
from bot.rendering.forms import render_message, render_said
from bot.rendering.shapes import Shape
from bot.rendering.shaping import (
    TITLE,
    render_issues_form,
    render_leave_out_form,
    render_rule_form,
    render_shaped,
)
from bot.rendering.views import Action, CardView, Message, View
from bot.requests import RefusedError
from bot.shaping import Shaping as ShapingService
from bot.tasks import Tasks
from handlers.modals import Mistakes, Modals, take
from handlers.payloads import Click, Submission, press_by_form, read_click, request_of
from handlers.replies import no_surprise, told
from tgc.models import AffinityRuleType

_FORMS = {ids.LEAVE_OUT: Action.LEAVE_OUT, ids.CHOOSE_ISSUES: Action.CHOOSE_ISSUES, ids.SET_RULE: Action.SET_RULE}
_RENDERERS: Mapping[Action, Callable[[CardView], View]] = {
    Action.LEAVE_OUT: render_leave_out_form,
    Action.CHOOSE_ISSUES: render_issues_form,
    Action.SET_RULE: render_rule_form,
}

Shaped = Callable[[Submission], Awaitable[Shape | None]]
"""What a form asks for; None where nobody knows what its options stand for."""


class Shaping:
    """Listens to the buttons that ask for a form, and to the forms."""

    def __init__(
        self,
        shaping: ShapingService,
        decider: Decider,
        reconciler: Reconciler,
        modals: Modals,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._shaping = shaping
        self._decider = decider
        self._reconciler = reconciler
        self._modals = modals
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        for action_id in _FORMS:
            app.action(action_id)(self.asked)
        app.view(ids.LEAVE_OUT_VIEW)(self.vms_chosen)
        app.view(ids.ISSUES_VIEW)(self.issues_chosen)
        app.view(ids.RULE_VIEW)(self.rule_chosen)

    async def asked(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._ask(body)), name="show a form that shapes")

    async def vms_chosen(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, TITLE, lambda _submission: {})
        self._start(submission, Action.LEAVE_OUT, self._leaving_out)

    async def issues_chosen(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, TITLE, _nothing_chosen)
        self._start(submission, Action.CHOOSE_ISSUES, self._choosing_issues)

    async def rule_chosen(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        submission = await take(ack, body, TITLE, _wrong_vm_stores)
        self._start(submission, Action.SET_RULE, self._ruling)

    async def _ask(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is not None:
            await told(partial(self._tell, click.view_id), self._show_form(click.view_id, click))

    async def _show_form(self, view_id: str, click: Click) -> None:
        action = _FORMS[click.action_id]
        try:
            form = _RENDERERS[action](await self._shaping.form(request_of(click), action))
        except RefusedError as error:
            form = render_said(TITLE, str(error))
        await self._modals.show(view_id, form)

    def _start(self, submission: Submission | None, action: Action, shaped: Shaped) -> None:
        if submission is not None:
            work = told(partial(self._tell, submission.view_id), self._press(submission, action, shaped))
            self._tasks.start(work, name=f"carry out {action}")

    async def _leaving_out(self, submission: Submission) -> Shape | None:
        return await self._shaping.leaving_out(submission.offer_id, submission.choices(ids.LEAVE_OUT_VMS))

    async def _choosing_issues(self, submission: Submission) -> Shape | None:
        return await self._shaping.choosing_issues(submission.offer_id, _issues(submission))

    async def _ruling(self, submission: Submission) -> Shape | None:
        return await self._shaping.ruling(
            submission.offer_id,
            submission.choices(ids.RULE_VMS),
            submission.choice(ids.RULE_TYPE),
            submission.choices(ids.RULE_VM_STORES),
        )

    async def _press(self, submission: Submission, action: Action, shaped: Shaped) -> None:
        press = press_by_form(submission, action, self._clock.now(), shape=await shaped(submission))
        await self._decider.press(press, partial(self._show, submission))

    async def _show(self, submission: Submission, message: Message) -> bool:
        """What came of it, in the place of the form; False where the modal is closed."""
        view = await self._reconciler.view_of_offer(submission.offer_id)
        return await self._modals.show_result(submission.view_id, render_shaped(message, view))

    async def _tell(self, view_id: str, message: Message) -> None:
        await self._modals.show(view_id, render_message(TITLE, message))


def _issues(submission: Submission) -> dict[str, frozenset[str]]:
    """What is ticked, by the options of the VMstores."""
    fields = (field.partition(":") for field in submission.fields)
    return {option: submission.choices(f"{kind}:{option}") for kind, _, option in fields if kind == ids.ISSUES_OF}


def _nothing_chosen(submission: Submission) -> Mistakes:
    """The mistake of a form in which nothing is ticked, at its first field."""
    issues = _issues(submission)
    if not issues or any(issues.values()):
        return {}
    return {f"{ids.ISSUES_OF}:{next(iter(issues))}": "Tick at least one issue. To solve none now, use Dismiss."}


def _wrong_vm_stores(submission: Submission) -> Mistakes:
    """The mistake of a rule that names VMstores where it needs none, or none where it needs some."""
    has_some = bool(submission.choices(ids.RULE_VM_STORES))
    if has_some == (submission.choice(ids.RULE_TYPE) == AffinityRuleType.EXCLUDE_DATASTORES):
        return {}
    why = "Choose “Not to these VMstores” for that." if has_some else "Choose at least one VMstore."
    return {ids.RULE_VM_STORES: why}
