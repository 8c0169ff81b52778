"""Slack's Web API as the bot uses it: each call made once, and each failure told apart by what it means.

SlackError
├── SlackAwayError     not reached: certainly not done
├── SlackWithheldError not ours to do any more: certainly not done
├── SlackBusyError     429: certainly not done, and for how long not to ask again
├── SlackRefusedError  Slack said no, and why: certainly not done
└── SlackUnsureError   the answer was lost: done or not, nobody knows (slack/README 4.6)
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.rendering.views import Block, Message, View
from tgc.sending import MaySend, WithheldError, asking, impatient_socket

_log = structlog.get_logger(__name__)

METADATA_EVENT_TYPE = "tintri_bot"

_UNSURE_CODES = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
_BUSY_CODES = frozenset({"ratelimited", "rate_limited"})
_FORM_CODES = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "only_one_table_allowed",
        "msg_blocks_too_long",
        "msg_too_long",
        "msg_too_large",
    }
)
"""Slack does not take the message in this form; a plainer one may do."""

_TOKEN_CODES = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})
"""Slack does not take the token, whatever it is asked."""

_TIMEOUT_S = 20.0
_DEFAULT_RETRY_AFTER_S = 30
_PAGE = 200
_MAX_PAGES = 10


class SlackError(Exception):
    """The root of the tree; `str()` is a sentence for people."""

    retry_after_s = 0
    """For how long Slack asks not to ask again; 0 where it does not."""


class SlackAwayError(SlackError):
    """Slack was not reached."""


class SlackWithheldError(SlackError):
    """The process hung until another might have taken its work over, so nothing was sent."""


class SlackBusyError(SlackError):
    """Slack asks to wait."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SlackRefusedError(SlackError):
    """Slack said no."""

    def __init__(self, message: str, *, code: str, needed_scope: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.needed_scope = needed_scope
        """The scope that is missing, where that is the reason."""


class SlackUnsureError(SlackError):
    """The answer was lost on its way."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the bot token is."""

    team_id: str
    user_id: str
    bot_id: str
    scopes: frozenset[str]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What users.info says of somebody: what decides on rights, and what people call them."""

    id: str
    team_id: str = ""
    name: str = ""
    real_name: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_app_user: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    tz: str | None = None
    """`Europe/Prague`."""
    tz_label: str | None = None
    """`Central European Time`."""

    @property
    def is_guest(self) -> bool:
        return self.is_restricted or self.is_ultra_restricted


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A message of ours in a channel's history."""

    ts: str
    metadata: Mapping[str, Any]


class OpenedView(msgspec.Struct, frozen=True, kw_only=True):
    """A modal that somebody sees."""

    id: str
    hash: str
    """Of what it shows now."""


_SHOWN = frozenset({"chat.postMessage", "chat.update", "chat.postEphemeral", "views.publish"})
"""What people see. Reading harms nobody."""


@asynccontextmanager
async def slack_session(may_send: MaySend) -> AsyncIterator[aiohttp.ClientSession]:
    """One session for all calls; slack_sdk would open one for each. Its own time-out does not apply to a given one.

    `may_send` is asked before what people see.
    """
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S, connect=_TIMEOUT_S / 2)
    connector = aiohttp.TCPConnector(socket_factory=impatient_socket)
    request = asking(lambda url: url.name not in _SHOWN or may_send())
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, request_class=request) as session:
        yield session


class Slack:
    """The bot's own account at Slack."""

    def __init__(self, token: str, *, base_url: str, session: aiohttp.ClientSession) -> None:
        # Posting is not idempotent: the SDK's blind retries are for all other calls only (slack/README 6.5).
        self._posting = AsyncWebClient(token, base_url=base_url, session=session, retry_handlers=[])
        self._client = AsyncWebClient(
            token, base_url=base_url, session=session, retry_handlers=[AsyncConnectionErrorRetryHandler()]
        )
        self._bot_id = ""
        self.takes_token = False
        """Whether Slack took the bot's token when it answered last."""

    async def identify(self) -> Identity:
        """Ask Slack whose token this is (auth.test)."""
        response = await self._ask("auth.test", self._posting.auth_test)
        scopes = str(response.headers.get("x-oauth-scopes", ""))
        self._bot_id = str(response.get("bot_id", ""))
        return Identity(
            team_id=str(response["team_id"]),
            user_id=str(response["user_id"]),
            bot_id=self._bot_id,
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )

    async def time(self) -> datetime | None:
        """Slack's own time; None where its answer names none."""
        response = await _call("auth.test", self._client.auth_test)
        told = _header(response.headers, "date")
        try:
            return parsedate_to_datetime(told).astimezone(UTC)
        except ValueError:
            return None

    async def open_socket(self, app_token: str) -> str:
        """Ask for a Socket Mode connection and return its URL, which is good for one handshake."""
        response = await _call(
            "apps.connections.open", lambda: self._posting.apps_connections_open(app_token=app_token)
        )
        return str(response["url"])

    async def post(
        self, channel_id: str, message: Message, *, key: str, facts: Mapping[str, str | bool], thread_ts: str | None
    ) -> str:
        """Post a message and return its ts. `key` and `facts` go into its metadata, which everybody may read."""
        metadata = _metadata(key, facts)

        async def post(blocks: tuple[Block, ...]) -> AsyncSlackResponse:
            return await self._posting.chat_postMessage(
                channel=channel_id,
                text=message.text,
                blocks=list(blocks) or None,
                thread_ts=thread_ts,
                metadata=metadata,
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
            )

        response = await self._in_a_form_slack_takes("chat.postMessage", message, post)
        return str(response["ts"])

    async def update(
        self, channel_id: str, ts: str, message: Message, *, key: str, facts: Mapping[str, str | bool]
    ) -> None:
        metadata = _metadata(key, facts)

        async def update(blocks: tuple[Block, ...]) -> AsyncSlackResponse:
            return await self._client.chat_update(
                channel=channel_id, ts=ts, text=message.text, blocks=list(blocks), metadata=metadata, parse="none"
            )

        await self._in_a_form_slack_takes("chat.update", message, update)

    async def tell(self, channel_id: str, user_id: str, message: Message) -> None:
        """Show a message to one person only."""

        async def tell(blocks: tuple[Block, ...]) -> AsyncSlackResponse:
            return await self._posting.chat_postEphemeral(
                channel=channel_id, user=user_id, text=message.text, blocks=list(blocks) or None, parse="none"
            )

        await self._in_a_form_slack_takes("chat.postEphemeral", message, tell)

    async def open_view(self, trigger_id: str, view: View) -> OpenedView:
        """Open a modal, within 3 s of the click."""
        response = await self._ask("views.open", lambda: self._posting.views_open(trigger_id=trigger_id, view=view))
        return OpenedView(id=str(response["view"]["id"]), hash=str(response["view"]["hash"]))

    async def update_view(self, view_id: str, view: View, unchanged_since: str | None = None) -> None:
        """With the hash of an earlier version, Slack refuses where the modal has changed since."""
        await self._ask(
            "views.update", lambda: self._client.views_update(view_id=view_id, view=view, hash=unchanged_since)
        )

    async def publish_home(self, user_id: str, view: View, unchanged_since: str | None) -> str:
        """Show somebody their home, and return Slack's hash of it.

        With the hash of an earlier version, Slack refuses where it has changed since.
        """
        response = await self._ask(
            "views.publish", lambda: self._client.views_publish(user_id=user_id, view=view, hash=unchanged_since)
        )
        return str(response["view"]["hash"])

    async def own_messages(
        self, channel_id: str, *, since: datetime, thread_ts: str | None = None
    ) -> AsyncIterator[Found]:
        """Messages that this bot posted with metadata, newest first (in a thread: oldest first)."""
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            response = await self._history_page(channel_id, since, thread_ts, cursor)
            for message in response["messages"]:
                metadata = message.get("metadata") or {}
                if message.get("bot_id") == self._bot_id and metadata.get("event_type") == METADATA_EVENT_TYPE:
                    yield Found(ts=str(message["ts"]), metadata=metadata.get("event_payload") or {})
            cursor = (response.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    async def _history_page(
        self, channel_id: str, since: datetime, thread_ts: str | None, cursor: str | None
    ) -> AsyncSlackResponse:
        oldest = f"{since.timestamp():.6f}"
        if thread_ts is not None:
            return await self._ask(
                "conversations.replies",
                lambda: self._client.conversations_replies(
                    channel=channel_id,
                    ts=thread_ts,
                    oldest=oldest,
                    limit=_PAGE,
                    cursor=cursor,
                    include_all_metadata=True,
                ),
            )
        return await self._ask(
            "conversations.history",
            lambda: self._client.conversations_history(
                channel=channel_id, oldest=oldest, limit=_PAGE, cursor=cursor, include_all_metadata=True
            ),
        )

    async def permalink(self, channel_id: str, ts: str) -> str:
        """The address of a message, for those who may read it."""
        response = await self._ask(
            "chat.getPermalink", lambda: self._client.chat_getPermalink(channel=channel_id, message_ts=ts)
        )
        return str(response.get("permalink", ""))

    async def read_channel(self, channel_id: str) -> None:
        """Read as little of it as there is to read. Raises SlackError where that cannot be done."""
        await self._ask(
            "conversations.history", lambda: self._client.conversations_history(channel=channel_id, limit=1)
        )

    async def person(self, user_id: str) -> Person:
        response = await self._ask("users.info", lambda: self._client.users_info(user=user_id))
        try:
            return msgspec.convert(response["user"], Person)
        except msgspec.ValidationError as error:
            raise SlackUnsureError(f"Slack's users.info answered something unexpected: {error}.") from error

    async def group_members(self, group_id: str) -> frozenset[str]:
        """Return the user ids of a user group; none where the group is switched off."""
        response = await self._ask(
            "usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group_id)
        )
        return frozenset(str(user_id) for user_id in response["users"])

    async def _in_a_form_slack_takes(
        self, method: str, message: Message, send: Callable[[tuple[Block, ...]], Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """Send the fullest form that Slack takes. A refusal is certain, so nothing goes out twice."""
        *fuller, plainest = message.forms()
        for blocks in fuller:
            try:
                return await self._ask(method, partial(send, blocks))
            except SlackRefusedError as error:
                if error.code not in _FORM_CODES:
                    raise
                _log.warning(
                    "slack refused a form of a message; a plainer one goes out", method=method, reason=str(error)
                )
        return await self._ask(method, partial(send, plainest))

    async def _ask(self, method: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
        """Call with the bot's token, and note whether Slack takes it."""
        try:
            response = await _call(method, call)
        except SlackRefusedError as error:
            self._note_token(error)
            raise
        self._note_token(None)
        return response

    def _note_token(self, refusal: SlackRefusedError | None) -> None:
        is_taken = refusal is None or refusal.code not in _TOKEN_CODES
        if self.takes_token and not is_taken:
            _log.error("Slack refuses the bot's token: check SLACK_BOT_TOKEN", reason=str(refusal))
        self.takes_token = is_taken


async def _call(method: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
    try:
        return await call()
    except SlackApiError as error:
        raise _named(method, error) from error
    except WithheldError as error:
        raise SlackWithheldError(
            f"{method} was not sent, as another process may be at it; it is looked at anew."
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise SlackAwayError(f"Slack's {method} was not reached ({error}); it is tried again.") from error
    # slack_sdk lets AttributeError and ValueError out where the answer is not JSON (slack/README 6.5).
    except (aiohttp.ClientError, TimeoutError, OSError, AttributeError, ValueError) as error:
        raise SlackUnsureError(f"Slack's answer to {method} was lost ({type(error).__name__}).") from error


def _named(method: str, error: SlackApiError) -> SlackError:
    response = error.response
    body = response.data if isinstance(response, AsyncSlackResponse) and isinstance(response.data, dict) else {}
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = str(body.get("error", ""))
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in _BUSY_CODES:
        return SlackBusyError(
            f"Slack asks to wait before the next {method}.", retry_after_s=_retry_after_s(response.headers)
        )
    if not code or code in _UNSURE_CODES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SlackUnsureError(f"Slack's {method} failed ({code or f'HTTP {status}'}).")
    needed = str(body["needed"]) if code == "missing_scope" and body.get("needed") else None
    details = "; ".join(str(text) for text in (body.get("response_metadata") or {}).get("messages", ()))
    said = f"missing scope {needed}" if needed else f"{code}: {details}" if details else code
    return SlackRefusedError(f"Slack refused {method} ({said}).", code=code, needed_scope=needed)


def _retry_after_s(headers: Mapping[str, Any]) -> int:
    value = _header(headers, "retry-after")
    return int(value) if value.isdecimal() else _DEFAULT_RETRY_AFTER_S


def _header(headers: Mapping[str, Any], wanted: str) -> str:
    return str(next((value for name, value in headers.items() if name.lower() == wanted), ""))


def _metadata(key: str, facts: Mapping[str, str | bool]) -> dict[str, Any]:
    return {"event_type": METADATA_EVENT_TYPE, "event_payload": {**facts, "key": key}}
