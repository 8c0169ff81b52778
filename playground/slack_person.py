"""People in the workspace: what they type, press and fill in, and what the app's answer does to their screen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground import slack_payloads as payloads
from playground.slack_api import MODAL_STACK
from playground.slack_arguments import Refused
from playground.slack_content import check_view
from playground.slack_courier import COMMAND, EVENT, INTERACTION, Courier, Delivery
from playground.slack_responses import Responses
from playground.slack_workspace import Clock, Message, User, View, Workspace

TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class Surroundings:
    """What people need to act."""

    workspace: Workspace
    clock: Clock
    courier: Courier
    responses: Responses
    response_url: Callable[[str], str]
    """The whole address for the secret part."""
    refuse: Callable[[str, Refused, Any], None]
    """Records that Slack did not take what the app answered."""
    changed: Callable[[], None]


@dataclass(frozen=True)
class Person:
    user: User
    around: Surroundings

    async def command(self, words: str, channel: str = "storage") -> Delivery:
        """Type a slash command with its arguments, in a channel by id or name."""
        place = self.around.workspace.channel(channel)
        payload = payloads.slash_command(
            self.around.workspace,
            self.user,
            place,
            words,
            trigger_id=self._trigger(),
            response_url=self._response_url(place.id, None),
        )
        return await self.around.courier.deliver(COMMAND, payload, lambda answer: self._show(answer, place.id))

    async def click(self, where: Message | View, action_id: str, value: str | None = None) -> Delivery:
        """Press a button, or pick the option `value`, in what is shown now. Raises LookupError if it is not there."""
        self._check_visible(where)
        found = payloads.find_element(where.blocks, action_id, value)
        return await self._press(where, payloads.action(found, value, self._now_ts()))

    async def pick(self, where: Message | View, action_id: str, value: Any) -> Delivery:
        """Pick a date, people, options by their values. Raises LookupError if it is not there."""
        self._check_visible(where)
        found = payloads.find_element(where.blocks, action_id)
        return await self._press(where, payloads.picked(found, value, self._now_ts()))

    async def click_old(self, button: Mapping[str, Any], message: Message) -> Delivery:
        """Press a button that an earlier version of the message had, as a client does that has not caught up."""
        for blocks in (*reversed(message.versions), message.blocks):
            try:
                found = payloads.find_element(blocks, button["action_id"], button.get("value"))
            except LookupError:
                continue
            return await self._press(message, payloads.action(found, button.get("value"), self._now_ts()))
        raise LookupError(f"No version of the message {message.ts} has the button {button['action_id']}.")

    async def submit(self, view: View, values: Mapping[str, Any] | None = None) -> Delivery:
        """Fill in fields by action id and press the submit button of a modal.

        Raises what `check_filled` raises, and LookupError for a modal that is closed or has no submit button.
        """
        self._check_visible(view)
        if "submit" not in view.content:
            raise LookupError(f"The modal {view.title!r} has no submit button.")
        state = payloads.state_values(view, values or {})
        payloads.check_filled(view, values or {}, state)
        view.values = state
        payload = payloads.view_submission(self.around.workspace, self.user, view, trigger_id=self._trigger(view))
        return await self.around.courier.deliver(
            INTERACTION, payload, lambda answer: self._after_submission(answer, view)
        )

    async def close(self, view: View) -> Delivery | None:
        """Press Close; the app hears of it only if it asked to."""
        self._check_visible(view)
        view.is_open = False
        self.around.changed()
        if not view.content.get("notify_on_close"):
            return None
        payload = payloads.view_closed(self.around.workspace, self.user, view, is_cleared=False)
        return await self.around.courier.deliver(INTERACTION, payload, _nothing)

    async def open_home(self, tab: str = "home") -> Delivery:
        """Open the app's page on the tab `home` or `messages`."""
        workspace = self.around.workspace
        content = payloads.app_home_opened(
            self.user,
            workspace.direct_channel(self.user.id),
            workspace.home(self.user.id),
            tab,
            self._now_ts(),
        )
        payload = payloads.event(workspace.number(), self.around.clock(), content)
        return await self.around.courier.deliver(EVENT, payload, _nothing)

    def say(self, text: str, channel: str = "storage", thread_ts: str | None = None) -> Message:
        """Write a message."""
        place = self.around.workspace.channel(channel)
        message = Message(place.id, self._now_ts(), self.user.id, text, thread_ts=thread_ts)
        place.messages.append(message)
        self.around.changed()
        return message

    # -------------------------------------------------------------- sending

    async def _press(self, where: Message | View, pressed: dict[str, Any]) -> Delivery:
        if isinstance(where, View):
            payload = payloads.view_action(
                self.around.workspace, self.user, where, pressed, trigger_id=self._trigger(where)
            )
        else:
            payload = payloads.message_action(
                self.around.workspace,
                self.user,
                where,
                pressed,
                trigger_id=self._trigger(),
                response_url=self._response_url(where.channel_id, where),
            )
        return await self.around.courier.deliver(INTERACTION, payload, _nothing)

    def _trigger(self, view: View | None = None) -> str:
        view_id = view.id if view is not None and not view.is_home else None
        return self.around.workspace.issue_trigger(self.user.id, self.around.clock(), view_id)

    def _response_url(self, channel_id: str, source: Message | None) -> str:
        return self.around.response_url(self.around.responses.issue(self.user.id, channel_id, source))

    def _now_ts(self) -> str:
        return self.around.workspace.timestamp(self.around.clock())

    def _check_visible(self, where: Message | View) -> None:
        if isinstance(where, View):
            if where.user_id != self.user.id or not where.is_open:
                raise LookupError(f"{self.user.name} does not see the view {where.title!r}.")
        elif where.visible_to is None:
            if where not in self.around.workspace.channels[where.channel_id].messages:
                raise LookupError(f"The message {where.ts} was deleted.")
        elif where.visible_to != self.user.id or where not in self.around.workspace.ephemerals:
            raise LookupError(f"{self.user.name} does not see the message {where.ts}.")

    # -------------------------------------------------------------- what the answer does

    def _show(self, delivery: Delivery, channel_id: str) -> None:
        """Show the answer to a slash command; an empty one shows nothing."""
        body = {"text": delivery.body} if isinstance(delivery.body, str) else delivery.body
        if not body:
            return
        try:
            self.around.responses.answer_command(body, self.user.id, channel_id)
        except Refused as refused:
            delivery.error = refused.error
            self.around.refuse("command answer", refused, body)

    def _after_submission(self, delivery: Delivery, view: View) -> None:
        body = delivery.body or {}
        try:
            self._change_views(body, view)
        except Refused as refused:
            # The app is not told; the person is.
            delivery.error = TROUBLE
            self.around.refuse("view answer", refused, body)

    def _change_views(self, body: Any, view: View) -> None:
        workspace, now = self.around.workspace, self.around.clock()
        match body:
            case {} if not body:
                view.is_open = False
            case {"response_action": "clear"}:
                workspace.close_modals(self.user.id)
            case {"response_action": "update", "view": content}:
                check_view(content, "modal")
                workspace.change_view(view, content, now)
            case {"response_action": "push", "view": content}:
                check_view(content, "modal")
                if len(workspace.modals(self.user.id)) >= MODAL_STACK:
                    raise Refused("push_limit_reached")
                workspace.add_view(self.user.id, content, now, below=view)
            case {"response_action": "errors", "errors": dict(errors)} if errors:
                inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
                if errors.keys() - inputs:
                    raise Refused("invalid_arguments", unknown_blocks=sorted(errors.keys() - inputs))
                view.errors = errors
            case _:
                raise Refused("invalid_arguments")


def _nothing(_: Delivery) -> None:
    """The answer to a click or an event changes nothing."""
