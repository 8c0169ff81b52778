"""Slack's Web API methods, working on a workspace. How the calls arrive is not known here."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from playground.slack_arguments import Refused, invalid_arguments, typed_arguments
from playground.slack_content import (
    TEXT_CHARACTERS,
    UPDATE_TEXT_BYTES,
    check_content,
    check_metadata,
    check_view,
)
from playground.slack_faults import RateLimits
from playground.slack_workspace import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID, Channel, Clock, Message, View, Workspace

TRIGGER_LIFE_S = 3.0
MODAL_STACK = 3
HISTORY_PAGE, HISTORY_PAGE_MAX = 100, 999
REPLIES_PAGE = 1000
DEFAULT_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "channels:history",
        "groups:history",
        "im:history",
        "channels:read",
        "groups:read",
        "im:read",
        "usergroups:read",
        "users:read",
    }
)
_POSTED = frozenset(
    {"channel", "text", "blocks", "attachments", "markdown_text", "thread_ts", "parse", "link_names", "as_user"}
    | {"username", "icon_emoji", "icon_url"}
)
_PAGED = frozenset({"channel", "cursor", "limit", "oldest", "latest", "inclusive", "include_all_metadata"})
_HISTORY = ("channels:history", "groups:history", "im:history")
_READ = ("channels:read", "groups:read", "im:read")


@dataclass
class Token:
    kind: str
    """`bot` or `app`."""
    scopes: set[str] = field(default_factory=set)
    error: str | None = None
    """What every call with it is answered, such as token_revoked."""


@dataclass(frozen=True)
class Method:
    run: Callable[["WebApi", dict[str, Any]], dict[str, Any]]
    arguments: frozenset[str]
    required: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Any of them lets the method start."""
    tier: int | None = None
    token: str = "bot"


class WebApi:
    """The methods. Each is given its arguments in their right types and answers, or raises Refused."""

    def __init__(
        self, workspace: Workspace, clock: Clock, limits: RateLimits, open_connection: Callable[[], str]
    ) -> None:
        self.workspace = workspace
        self.limits = limits
        self.tokens: dict[str, Token] = {}
        self._clock = clock
        self._open_connection = open_connection
        # Of the caller at work. Methods do not await anything, so there is one at a time.
        self._scopes: set[str] = set()

    def call(self, name: str, token: str | None, body: dict[str, Any], flat: dict[str, str]) -> dict[str, Any]:
        """Check in Slack's likely order (token, scope, arguments), then do it. Raises Refused."""
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        holder = self._authenticated(token, method)
        self._check_scope(holder, method.scopes)
        arguments = typed_arguments(body, flat, method.arguments | {"team_id"})
        missing = [part for part in method.required if part not in arguments]
        if missing:
            raise invalid_arguments(*(f"missing required field: {part} [json-pointer:/{part}]" for part in missing))
        self._scopes = holder.scopes
        wait_s = self.limits.call(name, method.tier)
        if wait_s is not None:
            raise rate_limited(wait_s)
        return {"ok": True, **method.run(self, arguments)}

    def _authenticated(self, token: str | None, method: Method) -> Token:
        if not token:
            raise Refused("not_authed")
        holder = self.tokens.get(token)
        if holder is None:
            raise Refused("invalid_auth")
        if holder.error is not None:
            raise Refused(holder.error)
        if holder.kind != method.token:
            raise Refused("not_allowed_token_type")
        return holder

    def _check_scope(self, holder: Token, scopes: Iterable[str]) -> None:
        needed = tuple(scopes)
        if needed and not holder.scopes.intersection(needed):
            raise Refused("missing_scope", needed=",".join(needed), provided=",".join(sorted(holder.scopes)))

    # -------------------------------------------------------------- finding what a call is about

    def _channel(self, channel_id: str) -> Channel:
        """A channel that the bot can know of: a private one only from inside."""
        channel = self.workspace.channels.get(channel_id)
        if channel is None or (channel.is_private and BOT_USER_ID not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def _readable(self, channel_id: str) -> Channel:
        channel = self._channel(channel_id)
        if f"{channel.kind}:history" not in self._scopes:
            raise Refused("missing_scope", needed=f"{channel.kind}:history", provided=",".join(sorted(self._scopes)))
        if BOT_USER_ID not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def _writable(self, channel_id: str) -> Channel:
        if channel_id[:1] in {"U", "W"}:
            return self._direct(channel_id)
        channel = self._channel(channel_id)
        if BOT_USER_ID not in channel.members and "chat:write.public" not in self._scopes:
            raise Refused("not_in_channel")
        if channel.is_archived:
            raise Refused("is_archived")
        if channel.is_im and not self.workspace.messages_tab_enabled:
            raise Refused("messages_tab_disabled")
        return channel

    def _direct(self, user_id: str) -> Channel:
        user = self.workspace.users.get(user_id)
        if user is None or user.deleted or user.is_bot:
            raise Refused("channel_not_found")
        if not self.workspace.messages_tab_enabled:
            raise Refused("messages_tab_disabled")
        return self.workspace.direct_channel(user_id)

    def _own_message(self, arguments: dict[str, Any], refusal: str) -> tuple[Channel, Message]:
        channel = self._channel(arguments["channel"])
        message = channel.message(arguments["ts"])
        if message is None:
            raise Refused("message_not_found")
        if not message.is_by_bot:
            raise Refused(refusal)
        return channel, message

    def _parent_ts(self, channel: Channel, thread_ts: str | None) -> str | None:
        if thread_ts is None:
            return None
        parent = channel.message(thread_ts)
        if parent is None:
            raise Refused("cannot_reply_to_message")
        # Slack warns of using the ts of a reply; it lands in the same thread here.
        return parent.thread_ts or parent.ts

    def _pace(self, channel: Channel) -> None:
        wait_s = self.limits.post(channel.id)
        if wait_s is not None:
            raise rate_limited(wait_s)

    def _message(self, channel: Channel, arguments: dict[str, Any]) -> Message:
        text = arguments.get("text", arguments.get("markdown_text", ""))
        return Message(
            channel_id=channel.id,
            ts=self.workspace.timestamp(self._clock()),
            user_id=BOT_USER_ID,
            text=text[:TEXT_CHARACTERS],
            blocks=self.workspace.with_ids(arguments.get("blocks", [])),
            attachments=arguments.get("attachments", []),
            thread_ts=self._parent_ts(channel, arguments.get("thread_ts")),
        )

    def _check_author(self, arguments: dict[str, Any]) -> None:
        if {"username", "icon_emoji", "icon_url"} & arguments.keys() and "chat:write.customize" not in self._scopes:
            raise Refused("missing_scope", needed="chat:write.customize", provided=",".join(sorted(self._scopes)))

    # -------------------------------------------------------------- chat

    def chat_post_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._check_author(arguments)
        channel = self._writable(arguments["channel"])
        check_content(arguments)
        if arguments.get("metadata"):
            check_metadata(arguments["metadata"])
        self._pace(channel)
        message = self._message(channel, arguments)
        message.metadata = arguments.get("metadata") or None
        message.reply_broadcast = arguments.get("reply_broadcast", False)
        channel.messages.append(message)
        profile = {"id": BOT_ID, "app_id": APP_ID, "name": "tintri", "team_id": TEAM_ID, "deleted": False}
        sent = {**message.payload(), "bot_profile": {**profile, "updated": 0, "icons": {}}}
        if message.metadata:
            sent["metadata"] = message.metadata
        return {"channel": channel.id, "ts": message.ts, "message": sent}

    def chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._own_message(arguments, "cant_update_message")
        if channel.is_archived:
            raise Refused("is_inactive")
        check_content(arguments, text_bytes=UPDATE_TEXT_BYTES)
        if arguments.get("metadata"):
            check_metadata(arguments["metadata"])
        text = arguments.get("text", arguments.get("markdown_text"))
        # A text without blocks removes the blocks; attachments alone leave them.
        blocks = arguments.get("blocks", message.blocks if text is None else [])
        if "metadata" in arguments:
            message.metadata = arguments["metadata"] or None
        message.attachments = arguments.get("attachments", message.attachments)
        edited_ts = self.workspace.timestamp(self._clock())
        message.replace(message.text if text is None else text, self.workspace.with_ids(blocks), edited_ts)
        sent = message.payload()
        return {"channel": channel.id, "ts": message.ts, "text": sent["text"], "message": sent}

    def chat_post_ephemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._check_author(arguments)
        channel = self._writable(arguments["channel"])
        if arguments["user"] not in channel.members:
            raise Refused("user_not_in_channel")
        check_content(arguments)
        self._pace(channel)
        message = self._message(channel, arguments)
        message.visible_to = arguments["user"]
        if not self.workspace.users[arguments["user"]].is_away:
            self.workspace.ephemerals.append(message)
        return {"message_ts": message.ts}

    def chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, message = self._own_message(arguments, "cant_delete_message")
        channel.messages.remove(message)
        return {"channel": channel.id, "ts": message.ts}

    def chat_get_permalink(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments["channel"])
        message = channel.message(arguments["message_ts"])
        if message is None:
            raise Refused("message_not_found")
        link = f"{self._site}archives/{channel.id}/p{message.ts.replace('.', '')}"
        if message.is_reply:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    # -------------------------------------------------------------- views

    def views_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        check_view(arguments["view"], "modal")
        self._check_external_id(arguments["view"])
        user_id, _ = self._exchange(arguments["trigger_id"])
        self.workspace.close_modals(user_id)
        return {"view": self.workspace.add_view(user_id, arguments["view"], self._clock()).payload()}

    def views_push(self, arguments: dict[str, Any]) -> dict[str, Any]:
        check_view(arguments["view"], "modal")
        self._check_external_id(arguments["view"])
        user_id, view_id = self._exchange(arguments["trigger_id"])
        stack = self.workspace.modals(user_id)
        if view_id is None or not stack:
            raise Refused("not_found")
        if len(stack) >= MODAL_STACK:
            raise Refused("push_limit_reached")
        view = self.workspace.add_view(user_id, arguments["view"], self._clock(), below=stack[-1])
        return {"view": view.payload()}

    def views_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if "view_id" not in arguments and "external_id" not in arguments:
            raise invalid_arguments("missing required field: view_id [json-pointer:/view_id]")
        check_view(arguments["view"], "modal", "home")
        view = self._open_view(arguments)
        if view is None or view.content["type"] != arguments["view"]["type"]:
            raise Refused("not_found")
        self._check_hash(view, arguments)
        self._check_external_id(arguments["view"], besides=view)
        self.workspace.change_view(view, arguments["view"], self._clock())
        return {"view": view.payload()}

    def views_publish(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = self.workspace.users.get(arguments["user_id"])
        if user is None or user.deleted or user.is_bot or user.is_stranger:
            raise Refused("user_not_found")
        if not self.workspace.home_tab_enabled:
            raise Refused("not_enabled")
        check_view(arguments["view"], "home")
        view = self.workspace.home(arguments["user_id"])
        self._check_external_id(arguments["view"], besides=view)
        if view is None:
            view = self.workspace.add_view(arguments["user_id"], arguments["view"], self._clock())
        else:
            self._check_hash(view, arguments)
            self.workspace.change_view(view, arguments["view"], self._clock())
        return {"view": view.payload()}

    def _open_view(self, arguments: dict[str, Any]) -> View | None:
        for view in self.workspace.views.values():
            known = {view.id, view.content.get("external_id") or view.id}
            if view.is_open and arguments.get("view_id", arguments.get("external_id")) in known:
                return view
        return None

    def _exchange(self, trigger_id: str) -> tuple[str, str | None]:
        """Whose trigger it is, and the view it came from."""
        trigger = self.workspace.triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self._clock() - trigger.issued_at > TRIGGER_LIFE_S:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger.user_id, trigger.view_id

    def _check_hash(self, view: View, arguments: dict[str, Any]) -> None:
        if arguments.get("hash", view.hash) != view.hash:
            raise Refused("hash_conflict")

    def _check_external_id(self, content: dict[str, Any], besides: View | None = None) -> None:
        if self.workspace.has_external_id(content.get("external_id", ""), besides):
            raise Refused("duplicate_external_id")

    # -------------------------------------------------------------- conversations

    def conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments["channel"])
        shown = [message for message in channel.messages if not message.is_reply or message.reply_broadcast]
        found = [message for message in reversed(shown) if _is_between(message, arguments)]
        page, cursor = _page(found, arguments, HISTORY_PAGE, HISTORY_PAGE_MAX)
        return {**self._listed(channel, page, arguments), **_paging(cursor), "pin_count": 0}

    def conversations_replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments["channel"])
        parent = channel.message(arguments["ts"])
        if parent is None:
            raise Refused("thread_not_found")
        # The parent comes whatever the times asked for.
        replies = [message for message in channel.replies(parent.ts) if _is_between(message, arguments)]
        page, cursor = _page([parent, *replies], arguments, REPLIES_PAGE, REPLIES_PAGE)
        return {**self._listed(channel, page, arguments), **_paging(cursor)}

    def _listed(self, channel: Channel, page: list[Message], arguments: dict[str, Any]) -> dict[str, Any]:
        whole = arguments.get("include_all_metadata", False)
        return {"messages": [_with_thread(message, channel, whole=whole) for message in page]}

    def conversations_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments["channel"])
        if f"{channel.kind}:read" not in self._scopes:
            raise Refused("missing_scope", needed=f"{channel.kind}:read", provided=",".join(sorted(self._scopes)))
        answer = channel.payload()
        if arguments.get("include_num_members"):
            answer["num_members"] = len(channel.members)
        return {"channel": answer}

    # -------------------------------------------------------------- people, app

    def usergroups_users_list(self, arguments: dict[str, Any]) -> dict[str, Any]:
        group = self.workspace.groups.get(arguments["usergroup"])
        if group is None or (group.disabled and not arguments.get("include_disabled")):
            raise Refused("no_such_subteam")
        return {"users": list(group.users)}

    def users_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = self.workspace.users.get(arguments["user"])
        if user is None:
            raise Refused("user_not_found")
        return {"user": user.payload()}

    def auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        bot = self.workspace.users[BOT_USER_ID]
        return {
            "url": self._site,
            "team": self.workspace.name,
            "user": bot.name,
            "team_id": TEAM_ID,
            "user_id": bot.id,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": self._open_connection()}

    @property
    def _site(self) -> str:
        return f"https://{self.workspace.domain}.slack.test/"


def rate_limited(wait_s: int) -> Refused:
    return Refused("ratelimited", retry_after_s=wait_s)


def _with_thread(message: Message, channel: Channel, *, whole: bool) -> dict[str, Any]:
    """The message as the history shows it: with its thread, and with all its metadata or the name only."""
    answer = message.payload()
    if message.metadata is not None:
        answer["metadata"] = message.metadata if whole else {"event_type": message.metadata["event_type"]}
    replies = channel.replies(message.ts)
    if replies:
        people = list(dict.fromkeys(reply.user_id for reply in replies))
        answer |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": people,
            "reply_users_count": len(people),
            "latest_reply": replies[-1].ts,
        }
    return answer


def _is_between(message: Message, arguments: dict[str, Any]) -> bool:
    ts = Decimal(message.ts)
    oldest, latest = _moment("oldest", arguments), _moment("latest", arguments)
    if arguments.get("inclusive"):
        return (oldest is None or ts >= oldest) and (latest is None or ts <= latest)
    return (oldest is None or ts > oldest) and (latest is None or ts < latest)


def _moment(name: str, arguments: dict[str, Any]) -> Decimal | None:
    if name not in arguments:
        return None
    try:
        return Decimal(arguments[name])
    except InvalidOperation as error:
        raise Refused(f"invalid_ts_{name}") from error


def _page(messages: list[Message], arguments: dict[str, Any], size: int, most: int) -> tuple[list[Message], str | None]:
    """One page, and the cursor of the next."""
    limit = arguments.get("limit", size)
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = _start(messages, arguments.get("cursor", ""))
    following = messages[start + limit : start + limit + 1]
    cursor = base64.b64encode(f"next_ts:{following[0].ts}".encode()).decode() if following else None
    return messages[start : start + limit], cursor


def _start(messages: list[Message], cursor: str) -> int:
    if not cursor:
        return 0
    try:
        ts = base64.b64decode(cursor, validate=True).decode().removeprefix("next_ts:")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused("invalid_cursor") from error
    for number, message in enumerate(messages):
        if message.ts == ts:
            return number
    raise Refused("invalid_cursor")


def _paging(cursor: str | None) -> dict[str, Any]:
    return {"has_more": cursor is not None, "response_metadata": {"next_cursor": cursor or ""}}


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(
        WebApi.apps_connections_open, frozenset(), scopes=("connections:write",), tier=3, token="app"
    ),
    "auth.test": Method(WebApi.auth_test, frozenset()),
    "chat.delete": Method(
        WebApi.chat_delete, frozenset({"channel", "ts", "as_user"}), ("channel", "ts"), ("chat:write",), 3
    ),
    "chat.getPermalink": Method(
        WebApi.chat_get_permalink, frozenset({"channel", "message_ts"}), ("channel", "message_ts")
    ),
    "chat.postEphemeral": Method(
        WebApi.chat_post_ephemeral, _POSTED | {"user"}, ("channel", "user"), ("chat:write",), 4
    ),
    "chat.postMessage": Method(
        WebApi.chat_post_message,
        _POSTED | {"reply_broadcast", "mrkdwn", "unfurl_links", "unfurl_media", "metadata"},
        ("channel",),
        ("chat:write",),
    ),
    "chat.update": Method(
        WebApi.chat_update,
        frozenset({"channel", "ts", "text", "blocks", "attachments", "markdown_text", "metadata", "parse"})
        | {"link_names", "reply_broadcast", "file_ids", "as_user"},
        ("channel", "ts"),
        ("chat:write",),
        3,
    ),
    "conversations.history": Method(WebApi.conversations_history, _PAGED, ("channel",), _HISTORY, 3),
    "conversations.info": Method(
        WebApi.conversations_info,
        frozenset({"channel", "include_locale", "include_num_members"}),
        ("channel",),
        _READ,
        3,
    ),
    "conversations.replies": Method(WebApi.conversations_replies, _PAGED | {"ts"}, ("channel", "ts"), _HISTORY, 3),
    "usergroups.users.list": Method(
        WebApi.usergroups_users_list,
        frozenset({"usergroup", "include_disabled"}),
        ("usergroup",),
        ("usergroups:read",),
        2,
    ),
    "users.info": Method(WebApi.users_info, frozenset({"user", "include_locale"}), ("user",), ("users:read",), 4),
    "views.open": Method(WebApi.views_open, frozenset({"view", "trigger_id"}), ("view", "trigger_id"), tier=4),
    "views.publish": Method(WebApi.views_publish, frozenset({"user_id", "view", "hash"}), ("user_id", "view"), tier=4),
    "views.push": Method(WebApi.views_push, frozenset({"view", "trigger_id"}), ("view", "trigger_id"), tier=4),
    "views.update": Method(
        WebApi.views_update, frozenset({"view", "view_id", "external_id", "hash"}), ("view",), tier=4
    ),
}
