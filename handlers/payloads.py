"""What Slack's payloads say, read once at the edge: `body` goes no further than here."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from bot.access import Actor
from bot.rendering import ids
from bot.rendering.shapes import Shape
from bot.rendering.views import Action
from bot.requests import Request
from bot.storage.presses import Press

T = TypeVar("T")

MAX_TEXT = 1000
"""Nobody types more into a slash command on purpose."""


class _Team(msgspec.Struct, frozen=True):
    id: str = ""


class _User(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""
    username: str = ""
    team_id: str = ""


class _Channel(msgspec.Struct, frozen=True):
    id: str = ""


class _Container(msgspec.Struct, frozen=True):
    type: str = ""
    message_ts: str = ""
    view_id: str = ""
    is_ephemeral: bool = False
    channel_id: str = ""


class _Action(msgspec.Struct, frozen=True):
    action_id: str = ""
    action_ts: str = ""
    value: str = ""


class _Option(msgspec.Struct, frozen=True):
    value: str = ""


class Field(msgspec.Struct, frozen=True):
    """What somebody put into one element of a form."""

    value: str | None = None
    selected_option: _Option | None = None
    selected_date_time: Annotated[int, msgspec.Meta(ge=0, lt=10**10)] | None = None
    """Unix time, 10 digits at most (slack: Datetime picker element)."""
    selected_options: tuple[_Option, ...] = ()


class _State(msgspec.Struct, frozen=True):
    values: dict[str, dict[str, Field]] = {}


class _View(msgspec.Struct, frozen=True):
    id: str = ""
    type: str = ""
    private_metadata: str = ""


class _FormView(_View, frozen=True):
    callback_id: str = ""
    hash: str = ""
    state: _State = _State()


class _Submission(msgspec.Struct, frozen=True):
    view: _FormView
    team: _Team | None = None
    user: _User = _User()


class _Click(msgspec.Struct, frozen=True):
    team: _Team | None = None
    user: _User = _User()
    channel: _Channel | None = None
    container: _Container = _Container()
    actions: tuple[_Action, ...] = ()
    view: _View | None = None
    trigger_id: str = ""


class _ShownView(msgspec.Struct, frozen=True):
    hash: str = ""


class _HomeOpened(msgspec.Struct, frozen=True):
    user: str = ""
    tab: str = ""
    view: _ShownView | None = None


class _Event(msgspec.Struct, frozen=True):
    event: _HomeOpened
    team_id: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody typed `/tintri …`."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str
    text: str


class Click(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody pressed a button."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    value: str
    action_id: str
    trigger_id: str
    is_ephemeral: bool
    """Pressed in an answer that only this person sees."""
    view_id: str | None
    is_in_home: bool
    private_metadata: str


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody sent off the form of a modal."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    callback_id: str
    view_id: str
    private_metadata: str
    fields: Mapping[str, Field]
    """By action id."""

    def moment(self, action_id: str) -> datetime | None:
        """What a date and time picker says; None where it says nothing."""
        seconds = self.fields.get(action_id, Field()).selected_date_time
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def text(self, action_id: str) -> str | None:
        """What was typed, without blanks around; None where nothing was."""
        return (self.fields.get(action_id, Field()).value or "").strip() or None

    def choice(self, action_id: str) -> str | None:
        """The one option chosen."""
        option = self.fields.get(action_id, Field()).selected_option
        return option.value if option else None

    def choices(self, action_id: str) -> frozenset[str]:
        """The options chosen, where there may be several."""
        return frozenset(option.value for option in self.fields.get(action_id, Field()).selected_options)

    @property
    def offer_id(self) -> str:
        return self.private_metadata.partition(":")[0]

    @property
    def rule(self) -> str:
        """Of the pool that the form was about, as it says: good for a hint, and for nothing that is decided."""
        return self.private_metadata.partition(":")[2]


class HomeOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody opened the bot's own page."""

    actor: Actor
    tab: str
    """`home` or `messages`."""
    slack_hash: str | None
    """Of what their home shows; None where nothing was published there."""


class MalformedPayloadError(ValueError):
    """Slack, or whoever plays it, sent something that is not a payload."""


def read_command(body: Mapping[str, Any]) -> Command:
    """Raises MalformedPayloadError."""
    texts = {name: value for name, value in body.items() if isinstance(value, str)}
    actor = _actor(texts.get("team_id", ""), texts.get("user_id", ""), texts.get("user_name", ""))
    command = Command(
        id=_digest(actor.user_id, texts.get("trigger_id", "")),
        actor=actor,
        channel_id=texts.get("channel_id", ""),
        text=texts.get("text", "")[:MAX_TEXT].strip(),
    )
    return _storable(command)


def read_click(body: Mapping[str, Any]) -> Click:
    """Raises MalformedPayloadError."""
    try:
        click = msgspec.convert(body, _Click)
    except msgspec.ValidationError as error:
        raise MalformedPayloadError(str(error)) from error
    if not click.actions:
        raise MalformedPayloadError("no action")
    action, container = click.actions[0], click.container
    actor = _actor_of(click)
    pressed = Click(
        id=_digest(actor.user_id, container.message_ts or container.view_id, action.action_id, action.action_ts),
        actor=actor,
        channel_id=(click.channel.id if click.channel else container.channel_id) or None,
        value=action.value,
        action_id=action.action_id,
        trigger_id=click.trigger_id,
        is_ephemeral=container.is_ephemeral,
        view_id=click.view.id if click.view else None,
        is_in_home=click.view is not None and click.view.type == "home",
        private_metadata=click.view.private_metadata if click.view else "",
    )
    return _storable(pressed)


def read_submission(body: Mapping[str, Any]) -> Submission:
    """Raises MalformedPayloadError."""
    try:
        sent = msgspec.convert(body, _Submission)
    except msgspec.ValidationError as error:
        raise MalformedPayloadError(str(error)) from error
    view, actor = sent.view, _actor_of(sent)
    submission = Submission(
        id=_digest(actor.user_id, view.id, view.hash),
        actor=actor,
        callback_id=view.callback_id,
        view_id=view.id,
        private_metadata=view.private_metadata,
        fields={action_id: field for block in view.state.values.values() for action_id, field in block.items()},
    )
    return _storable(submission)


def request_of(click: Click) -> Request:
    return Request(id=click.id, actor=click.actor, channel_id=click.channel_id, value=click.value)


def request_by_form(submission: Submission) -> Request:
    return Request(
        id=submission.id,
        actor=submission.actor,
        channel_id=None,
        value=submission.offer_id,
        ticket=submission.text(ids.TICKET),
        note=submission.text(ids.NOTE),
    )


def read_home_opened(body: Mapping[str, Any]) -> HomeOpened:
    """Raises MalformedPayloadError."""
    try:
        sent = msgspec.convert(body, _Event)
    except msgspec.ValidationError as error:
        raise MalformedPayloadError(str(error)) from error
    opened = sent.event
    # The event names no team of the person's own: whose they are is asked of Slack.
    actor = _actor(sent.team_id, opened.user, opened.user)
    slack_hash = (opened.view.hash or None) if opened.view else None
    return _storable(HomeOpened(actor=actor, tab=opened.tab, slack_hash=slack_hash))


def press_by_form(
    submission: Submission,
    action: Action,
    pressed_at: datetime,
    *,
    ticket: str | None = None,
    note: str | None = None,
    feedback: str | None = None,
    shape: Shape | None = None,
) -> Press:
    """The press that a form stands for, with what it asks for."""
    return Press(
        id=submission.id,
        action=action,
        offer_id=submission.offer_id,
        team_id=submission.actor.team_id,
        user_id=submission.actor.user_id,
        user_name=submission.actor.name,
        channel_id=None,
        pressed_at=pressed_at,
        ticket=ticket,
        note=note,
        feedback=feedback,
        shape=shape,
    )


def read_page(value: str) -> int:
    """The page that a button turns to; the first one for what is none."""
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else 0


def read_turn(value: str) -> tuple[int, str]:
    """The page that a button of a list turns to, and what was typed to get the list."""
    page, _, typed = value.partition(":")
    return read_page(page), typed


def _actor_of(sent: _Click | _Submission) -> Actor:
    user = sent.user
    # Somebody of another workspace may act in a shared channel: then their own team is the one that counts.
    team_id = user.team_id or (sent.team.id if sent.team else "")
    return _actor(team_id, user.id, user.name or user.username)


def _actor(team_id: str, user_id: str, name: str) -> Actor:
    if not team_id or not user_id:
        raise MalformedPayloadError("no team or no user")
    return Actor(team_id=team_id, user_id=user_id, name=name or user_id)


def _storable(record: T) -> T:
    """Raises MalformedPayloadError for texts that no database takes: half a surrogate pair, NUL."""
    try:
        written = msgspec.json.encode(record)
    except UnicodeEncodeError as error:
        raise MalformedPayloadError("half a character") from error
    if b"\\u0000" in written.replace(b"\\\\", b""):
        raise MalformedPayloadError("a NUL")
    return record


def _digest(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(_storable(parts))).hexdigest()
