"""The state of a made-up Slack workspace: people, channels, messages, views. No network here."""

import copy
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from playground.blockkit import elements_of, escaped
from playground.blockkit_tables import INTERACTIVE

Clock = Callable[[], float]
"""Gives the time in Unix seconds."""

TEAM_ID = "T0PLAYGR0"
OTHER_TEAM_ID = "T0ELSEWHR"
APP_ID = "A0PLAYGR0"
BOT_USER_ID = "U0TINTRIB"
BOT_ID = "B0TINTRIB"


@dataclass
class User:
    id: str
    name: str
    team_id: str = TEAM_ID
    real_name: str = ""
    tz: str = "Europe/Prague"
    is_bot: bool = False
    is_restricted: bool = False
    """A guest; single-channel guests are `is_ultra_restricted` as well."""
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    """From another organisation, seen through a shared channel."""
    deleted: bool = False
    is_away: bool = False
    """Has no client open: what only they would see in a channel is lost, as Slack keeps it nowhere."""

    def payload(self) -> dict[str, Any]:
        real_name = self.real_name or self.name.title()
        answer: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": 3600,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "profile": {"display_name": self.name, "real_name": real_name, "team": self.team_id},
        }
        if not self.deleted:
            answer |= {
                "is_admin": False,
                "is_owner": False,
                "is_restricted": self.is_restricted,
                "is_ultra_restricted": self.is_ultra_restricted,
            }
        if self.is_stranger:
            answer["is_stranger"] = True
        return answer


@dataclass
class UserGroup:
    id: str
    handle: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Message:
    channel_id: str
    ts: str
    user_id: str
    text: str
    """As it was sent; `payload` has it as Slack echoes it."""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    edited_ts: str | None = None
    reply_broadcast: bool = False
    visible_to: str | None = None
    """The only person who sees it, when it is ephemeral."""
    versions: list[list[dict[str, Any]]] = field(default_factory=list)
    """The blocks before each edit, oldest first."""

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def is_by_bot(self) -> bool:
        return self.user_id == BOT_USER_ID

    def replace(self, text: str, blocks: list[dict[str, Any]], edited_ts: str) -> None:
        self.versions.append(self.blocks)
        self.text, self.blocks, self.edited_ts = text, blocks, edited_ts

    def payload(self) -> dict[str, Any]:
        """The message as events, interactions and chat.postMessage carry it; without metadata."""
        answer: dict[str, Any] = {"type": "message", "user": self.user_id, "ts": self.ts, "text": escaped(self.text)}
        if self.is_by_bot:
            answer |= {"subtype": "bot_message", "bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID}
        if self.blocks:
            answer["blocks"] = echoed(self.blocks)
        if self.attachments:
            answer["attachments"] = self.attachments
        if self.thread_ts is not None:
            answer["thread_ts"] = self.thread_ts
        if self.edited_ts is not None:
            answer["edited"] = {"user": BOT_ID if self.is_by_bot else self.user_id, "ts": self.edited_ts}
        return answer


@dataclass
class Channel:
    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False
    members: set[str] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    """Oldest first, replies in threads included."""

    @property
    def kind(self) -> str:
        """The prefix of the scopes that read it."""
        if self.is_im:
            return "im"
        return "groups" if self.is_private else "channels"

    def message(self, ts: str) -> Message | None:
        return next((message for message in self.messages if message.ts == ts), None)

    def replies(self, ts: str) -> list[Message]:
        return [message for message in self.messages if message.is_reply and message.thread_ts == ts]

    def payload(self) -> dict[str, Any]:
        if self.is_im:
            user = next(member for member in self.members if member != BOT_USER_ID)
            return {"id": self.id, "is_im": True, "is_archived": self.is_archived, "user": user}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_member": BOT_USER_ID in self.members,
        }


@dataclass
class View:
    id: str
    user_id: str
    content: dict[str, Any]
    """What the app sent, with block and action ids filled in."""
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    is_open: bool = True
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """`state.values` of the last submission."""
    errors: dict[str, str] = field(default_factory=dict)
    """What the last submission was answered with, by block_id."""

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.content["blocks"]
        return blocks

    @property
    def title(self) -> str:
        return str(self.content.get("title", {}).get("text", ""))

    @property
    def is_home(self) -> bool:
        return bool(self.content["type"] == "home")

    def payload(self) -> dict[str, Any]:
        defaults = {"private_metadata": "", "callback_id": "", "external_id": ""}
        flags = {"clear_on_close": False, "notify_on_close": False}
        return {
            **defaults,
            **flags,
            **_echoed(self.content),
            "id": self.id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
            "hash": self.hash,
            "root_view_id": self.root_view_id,
            "previous_view_id": self.previous_view_id,
            "state": {"values": self.values},
        }


@dataclass
class Trigger:
    user_id: str
    issued_at: float
    view_id: str | None
    """The modal that was on top when the person acted in it."""
    used: bool = False


def echoed(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks as Slack gives them back: texts escaped, `emoji` and `verbatim` written out."""
    return [_echoed(block) for block in blocks]


_NOT_SHOWN = frozenset(
    {"action_id", "block_id", "callback_id", "external_id", "private_metadata", "url", "value", "image_url"}
)


def _echoed(value: Any) -> Any:
    if isinstance(value, list):
        return [_echoed(item) for item in value]
    if isinstance(value, str):
        return escaped(value)
    if not isinstance(value, dict):
        return value
    answer = {key: part if key in _NOT_SHOWN else _echoed(part) for key, part in value.items()}
    if value.get("type") == "plain_text":
        answer.setdefault("emoji", True)
    elif value.get("type") == "mrkdwn":
        answer.setdefault("verbatim", False)
    return answer


class Workspace:
    """One team with the bot in it. Its records are plain: change them to set a scene."""

    def __init__(self, users: Iterable[User], channels: Iterable[Channel], groups: Iterable[UserGroup]) -> None:
        self.domain = "playground"
        self.name = "Playground"
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.groups = {group.id: group for group in groups}
        self.ephemerals: list[Message] = []
        self.views: dict[str, View] = {}
        """Modals and Home tabs by view id, closed ones too."""
        self.triggers: dict[str, Trigger] = {}
        self.home_tab_enabled = True
        self.messages_tab_enabled = True
        self._counter = itertools.count(1)
        self._last_ts = 0

    @classmethod
    def default(cls) -> "Workspace":
        """Approvers alice and bob, other kinds of people, and the channels storage (the bot is in), general, secret."""
        users = [
            User(BOT_USER_ID, "tintri", is_bot=True),
            User("U0ALICE00", "alice", real_name="Alice Adams"),
            User("U0BOB0000", "bob", real_name="Bob Brown"),
            User("U0CAROL00", "carol", real_name="Carol Clark"),
            User("U0GINA000", "gina", is_restricted=True),
            User("U0UMA0000", "uma", is_restricted=True, is_ultra_restricted=True),
            User("U0FRANK00", "frank", team_id=OTHER_TEAM_ID, is_stranger=True),
            User("U0OLGA000", "olga", team_id=OTHER_TEAM_ID),
            User("U0DAVE000", "dave", deleted=True),
            User("U0ROBOT00", "robot", is_bot=True),
        ]
        people = {user.id for user in users}
        guests = {"U0GINA000", "U0UMA0000", "U0FRANK00"}
        channels = [
            Channel("C0STORAGE", "storage", members=set(people)),
            Channel("C0GENERAL", "general", members=people - guests - {BOT_USER_ID}),
            Channel("C0SECRET0", "secret", is_private=True, members={"U0ALICE00", "U0BOB0000"}),
        ]
        groups = [UserGroup("S0STORAGE", "storage-admins", ["U0ALICE00", "U0BOB0000"])]
        return cls(users, channels, groups)

    def user(self, who: str) -> User:
        """By id or by name."""
        return _named(self.users.values(), who, "user")

    def channel(self, which: str) -> Channel:
        """By id or by name."""
        return _named(self.channels.values(), which, "channel")

    def direct_channel(self, user_id: str) -> Channel:
        """The conversation of the bot with one person, made when first needed."""
        channel_id = f"D{user_id[1:]}"
        if channel_id not in self.channels:
            self.channels[channel_id] = Channel(
                channel_id, "directmessage", is_private=True, is_im=True, members={user_id, BOT_USER_ID}
            )
        return self.channels[channel_id]

    def number(self) -> int:
        return next(self._counter)

    def timestamp(self, now: float) -> str:
        """A `ts` that nothing else has, even when the clock stands still."""
        self._last_ts = max(self._last_ts + 1, int(now * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def with_ids(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A copy of the blocks, with the ids that the app left to Slack."""
        return [self._with_ids(block) for block in blocks]

    def _with_ids(self, block: dict[str, Any]) -> dict[str, Any]:
        filled = copy.deepcopy(block)
        if "block_id" not in filled or filled["type"] == "markdown":
            filled["block_id"] = f"b{self.number():04x}"
        for element, _ in elements_of(filled):
            if element.get("type") in INTERACTIVE and "action_id" not in element:
                element["action_id"] = f"a{self.number():04x}"
        if "child_blocks" in filled:
            filled["child_blocks"] = self.with_ids(filled["child_blocks"])
        return filled

    def issue_trigger(self, user_id: str, now: float, view_id: str | None = None) -> str:
        trigger_id = f"{self.number()}.{int(now)}.{self.number():032x}"
        self.triggers[trigger_id] = Trigger(user_id, now, view_id)
        return trigger_id

    def modals(self, user_id: str) -> list[View]:
        """The person's open modals, the lowest first."""
        return [view for view in self.views.values() if view.user_id == user_id and view.is_open and not view.is_home]

    def home(self, user_id: str) -> View | None:
        return next((view for view in self.views.values() if view.user_id == user_id and view.is_home), None)

    def add_view(self, user_id: str, content: dict[str, Any], now: float, below: View | None = None) -> View:
        view_id = f"V{self.number():08X}"
        view = View(
            id=view_id,
            user_id=user_id,
            content=self._with_ids_in_view(content),
            hash=self._hash(now),
            root_view_id=below.root_view_id if below else view_id,
            previous_view_id=below.id if below else None,
        )
        self.views[view_id] = view
        return view

    def change_view(self, view: View, content: dict[str, Any], now: float) -> None:
        view.content = self._with_ids_in_view(content)
        view.hash = self._hash(now)
        view.errors = {}

    def close_modals(self, user_id: str) -> None:
        for view in self.modals(user_id):
            view.is_open = False

    def has_external_id(self, external_id: str, besides: View | None = None) -> bool:
        return bool(external_id) and any(
            view.content.get("external_id") == external_id
            for view in self.views.values()
            if view is not besides and view.is_open
        )

    def _with_ids_in_view(self, content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "blocks": self.with_ids(content["blocks"])}

    def _hash(self, now: float) -> str:
        return f"{int(now)}.{self.number():08x}"


class _Named(Protocol):
    id: str
    name: str


_N = TypeVar("_N", bound=_Named)


def _named(records: Iterable[_N], which: str, kind: str) -> _N:
    known = list(records)
    for record in known:
        if which in {record.id, record.name}:
            return record
    names = ", ".join(sorted(record.name for record in known))
    raise LookupError(f"The workspace has no {kind} {which!r}; it has {names}.")
