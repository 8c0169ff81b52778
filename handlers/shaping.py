"""The forms of Details that change a recommendation before it is accepted: each becomes a press."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.reconcile import Reconciler
from bot.rendering import ids
from bot.rendering.shapes import Shape
from bot.rendering.shaping import (
    render_issues_form,
    render_leave_out_form,
    render_rule_form,
    render_shaped,
    render_shaping_problem,
    render_shaping_waiting,
)
from bot.rendering.views import Action, CardView, Message, View
from bot.shaping import FormRequest, ShapingRefusedError
from bot.shaping import Shaping as ShapingService
from bot.slack import Slack, SlackError
from bot.storage.presses import Press
from bot.tasks import Tasks
from handlers.payloads import MalformedPayloadError, Submission, read_click, read_submission
from handlers.replies import no_surprise, told
from tgc.models import AffinityRuleType

_log = structlog.get_logger(__name__)

_WAITING_S = 1.0
"""As in handlers/planning.py: a waiting view that Slack takes up late would hide the result."""


_FORMS = {ids.LEAVE_OUT: Action.LEAVE_OUT, ids.CHOOSE_ISSUES: Action.CHOOSE_ISSUES, ids.SET_RULE: Action.SET_RULE}
_RENDERERS: Mapping[Action, Callable[[CardView], View]] = {
    Action.LEAVE_OUT: render_leave_out_form,
    Action.CHOOSE_ISSUES: render_issues_form,
    Action.SET_RULE: render_rule_form,
}


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
        for action_id in _FORMS:
            app.action(action_id)(self.asked)
        app.view(ids.LEAVE_OUT_VIEW)(self.vms_chosen)
        app.view(ids.ISSUES_VIEW)(self.issues_chosen)
        app.view(ids.RULE_VIEW)(self.rule_chosen)

    async def asked(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._ask(body)), name="show a form that shapes")

    async def vms_chosen(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack(response_action="update", view=render_shaping_waiting())
        self._tasks.start(no_surprise(respond, self._submit(body, self._leave_out)), name="leave VMs out")

    async def issues_chosen(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        if nothing_chosen := _nothing_chosen(body):
            await ack(response_action="errors", errors=nothing_chosen)
            return
        await ack(response_action="update", view=render_shaping_waiting())
        self._tasks.start(no_surprise(respond, self._submit(body, self._choose_issues)), name="choose issues")

    async def rule_chosen(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        if wrong := _wrong_vm_stores(body):
            await ack(response_action="errors", errors=wrong)
            return
        await ack(response_action="update", view=render_shaping_waiting())
        self._tasks.start(no_surprise(respond, self._submit(body, self._set_rule)), name="set a rule")

    async def _ask(self, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        if click.view_id is None:
            return
        request = FormRequest(id=click.id, actor=click.actor, action=_FORMS[click.action_id], offer_id=click.value)
        await told(partial(self._tell, click.view_id), self._show_form(click.view_id, request))

    async def _show_form(self, view_id: str, request: FormRequest) -> None:
        try:
            form = _RENDERERS[request.action](await self._shaping.form(request))
        except ShapingRefusedError as error:
            form = render_shaping_problem(str(error))
        await self._update(view_id, form)

    async def _submit(self, body: Mapping[str, Any], carry_out: Callable[[Submission], Awaitable[None]]) -> None:
        submission = read_submission(body)
        await told(partial(self._tell, submission.view_id), carry_out(submission))

    async def _leave_out(self, submission: Submission) -> None:
        options = submission.chosen(ids.LEAVE_OUT_VMS)
        shape = await self._shaping.leaving_out(submission.private_metadata, options)
        await self._press(submission, Action.LEAVE_OUT, shape)

    async def _choose_issues(self, submission: Submission) -> None:
        shape = await self._shaping.choosing_issues(submission.private_metadata, _issues(submission))
        await self._press(submission, Action.CHOOSE_ISSUES, shape)

    async def _set_rule(self, submission: Submission) -> None:
        shape = await self._shaping.ruling(
            submission.private_metadata,
            submission.chosen(ids.RULE_VMS),
            submission.chosen_one(ids.RULE_TYPE),
            submission.chosen(ids.RULE_VM_STORES),
        )
        await self._press(submission, Action.SET_RULE, shape)

    async def _press(self, submission: Submission, action: Action, shape: Shape | None) -> None:
        press = Press(
            id=submission.id,
            action=action,
            offer_id=submission.private_metadata,
            team_id=submission.actor.team_id,
            user_id=submission.actor.user_id,
            user_name=submission.actor.name,
            channel_id=None,
            pressed_at=self._clock.now(),
            shape=shape,
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


def _issues(submission: Submission) -> dict[str, frozenset[str]]:
    """What is ticked, by the options of the VMstores."""
    fields = (field.partition(":") for field in submission.fields)
    return {option: submission.chosen(f"{kind}:{option}") for kind, _, option in fields if kind == ids.ISSUES_OF}


def _nothing_chosen(body: Mapping[str, Any]) -> dict[str, str]:
    """The error of a form in which nothing is ticked, at its first field; what cannot be read is told later."""
    try:
        issues = _issues(read_submission(body))
    except MalformedPayloadError:
        return {}
    if not issues or any(issues.values()):
        return {}
    return {f"{ids.ISSUES_OF}:{next(iter(issues))}": "Tick at least one issue. To solve none now, use Dismiss."}


def _wrong_vm_stores(body: Mapping[str, Any]) -> dict[str, str]:
    """The error of a rule that names VMstores where it needs none, or none where it needs some."""
    try:
        submission = read_submission(body)
    except MalformedPayloadError:
        return {}
    has_some = bool(submission.chosen(ids.RULE_VM_STORES))
    if has_some == (submission.chosen_one(ids.RULE_TYPE) == AffinityRuleType.EXCLUDE_DATASTORES):
        return {}
    why = "Choose “Not to these VMstores” for that." if has_some else "Choose at least one VMstore."
    return {ids.RULE_VM_STORES: why}
