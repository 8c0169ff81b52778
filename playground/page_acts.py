"""What a person does on the page. Each act goes the way that it goes in tests: payload, courier, the app's answer."""

from typing import Annotated, Any

import msgspec

from playground.page_views import seen_channels
from playground.slack import Slack
from playground.slack_courier import DISPATCH_FAILED, OPERATION_TIMEOUT, Delivery
from playground.slack_person import Person
from playground.slack_workspace import Channel, Message, View

_TEXT_LIMIT = 12_000
_SENTENCES = {
    OPERATION_TIMEOUT: "The app did not answer in time (operation_timeout).",
    DISPATCH_FAILED: "The app could not be reached (dispatch_failed).",
}


class Act(msgspec.Struct, frozen=True, kw_only=True, tag_field="act", forbid_unknown_fields=True):
    """Raises LookupError for what is not there, ValueError for what Slack's own client would not let one do."""

    who: str

    async def perform(self, slack: Slack, person: Person) -> Delivery | None:
        """None where the app hears nothing of it."""
        raise NotImplementedError


class Command(Act, frozen=True, kw_only=True, tag="command"):
    channel: str
    words: Annotated[str, msgspec.Meta(pattern=r"^/\S", max_length=_TEXT_LIMIT)]

    async def perform(self, slack: Slack, person: Person) -> Delivery:
        return await person.command(self.words, _channel(slack, person, self.channel).id)


class Say(Act, frozen=True, kw_only=True, tag="say"):
    channel: str
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=_TEXT_LIMIT)]
    thread_ts: str | None = None

    async def perform(self, slack: Slack, person: Person) -> None:
        channel = _channel(slack, person, self.channel)
        if self.thread_ts is not None and channel.message(self.thread_ts) is None:
            raise LookupError("The message that this answers is gone.")
        person.say(self.text, channel.id, self.thread_ts)


class Touch(Act, frozen=True, kw_only=True):
    """Something in a message, or in a view."""

    channel: str | None = None
    ts: str | None = None
    view: str | None = None
    action_id: str

    def where(self, slack: Slack, person: Person) -> Message | View:
        if self.view is not None:
            return _view(slack, self.view)
        return _message(slack, person, self.channel or "", self.ts or "")


class Press(Touch, frozen=True, kw_only=True, tag="press"):
    """A button, or an entry of a menu."""

    value: str | None = None

    async def perform(self, slack: Slack, person: Person) -> Delivery:
        return await person.click(self.where(slack, person), self.action_id, self.value)


class Pick(Touch, frozen=True, kw_only=True, tag="pick"):
    """A date, people, options by their values."""

    value: str | int | list[str]

    async def perform(self, slack: Slack, person: Person) -> Delivery:
        return await person.pick(self.where(slack, person), self.action_id, self.value)


class Submit(Act, frozen=True, kw_only=True, tag="submit"):
    view: str
    values: dict[str, Any] = {}
    """By action id; options by their value."""

    async def perform(self, slack: Slack, person: Person) -> Delivery:
        return await person.submit(_view(slack, self.view), self.values)


class Close(Act, frozen=True, kw_only=True, tag="close"):
    view: str

    async def perform(self, slack: Slack, person: Person) -> Delivery | None:
        return await person.close(_view(slack, self.view))


class OpenHome(Act, frozen=True, kw_only=True, tag="open_home"):
    async def perform(self, slack: Slack, person: Person) -> Delivery:  # noqa: ARG002 - as all acts
        return await person.open_home()


AnyAct = Command | Say | Press | Pick | Submit | Close | OpenHome


async def perform(act: AnyAct, slack: Slack) -> str | None:
    """Do it. Gives what the person is told where the app failed them, in a sentence."""
    delivery = await act.perform(slack, slack.person(act.who))
    if delivery is None or delivery.error is None:
        return None
    return _SENTENCES.get(delivery.error, delivery.error)


def _channel(slack: Slack, person: Person, channel_id: str) -> Channel:
    for channel in seen_channels(slack.workspace, person.user):
        if channel.id == channel_id:
            return channel
    raise LookupError(f"{person.user.name} is in no channel {channel_id!r}.")


def _message(slack: Slack, person: Person, channel_id: str, ts: str) -> Message:
    for message in slack.ephemerals(person.user.name):
        if message.ts == ts:
            return message
    found = _channel(slack, person, channel_id).message(ts)
    if found is None:
        raise LookupError("This message is gone.")
    return found


def _view(slack: Slack, view_id: str) -> View:
    if view_id not in slack.workspace.views:
        raise LookupError("This dialog is gone.")
    return slack.workspace.views[view_id]
