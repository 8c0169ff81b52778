"""What an app says by the answer to a slash command or through a response_url."""

import secrets
from dataclasses import dataclass
from typing import Any

from playground.slack_arguments import Refused
from playground.slack_content import check_content, check_metadata
from playground.slack_faults import RateLimits
from playground.slack_workspace import BOT_USER_ID, Clock, Message, Workspace

LIFE_S = 30 * 60
USES = 5
KEYS = frozenset(
    {"text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts"}
    | {"unfurl_links", "unfurl_media", "metadata", "mrkdwn", "parse", "link_names"}
)


@dataclass
class ResponseUrl:
    user_id: str
    channel_id: str
    source: Message | None
    """The message whose button was pressed; None for a slash command."""
    issued_at: float
    uses: int = 0


class Responses:
    """Hands out response_urls, and does what is posted to them."""

    def __init__(self, workspace: Workspace, clock: Clock, limits: RateLimits) -> None:
        self._workspace = workspace
        self._clock = clock
        self._limits = limits
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, user_id: str, channel_id: str, source: Message | None = None) -> str:
        """The secret last part of a new response_url."""
        key = secrets.token_urlsafe(18)
        self._issued[key] = ResponseUrl(user_id, channel_id, source, self._clock())
        return key

    def use(self, key: str, body: Any) -> None:
        """Do what the body says. Raises Refused with the plain-text code."""
        url = self._issued.get(key)
        if url is None or self._clock() - url.issued_at > LIFE_S:
            raise Refused("expired_url")
        if url.uses >= USES:
            raise Refused("used_url")
        wait_s = self._limits.post(url.channel_id)
        if wait_s is not None:
            raise Refused("ratelimited")
        url.uses += 1
        self._apply(body, url)

    def answer_command(self, body: Any, user_id: str, channel_id: str) -> None:
        """Show the answer to a slash command. Raises Refused."""
        self._apply(body, ResponseUrl(user_id, channel_id, None, self._clock()))

    def _apply(self, body: Any, url: ResponseUrl) -> None:
        if not isinstance(body, dict) or body.keys() - KEYS:
            raise Refused("invalid_payload")
        if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
            raise Refused("invalid_payload")
        if body.get("delete_original"):
            self._delete(url.source)
            return
        check_content(body)
        if body.get("metadata"):
            check_metadata(body["metadata"])
        if body.get("replace_original") and url.source is not None:
            self._replace(url.source, body)
        else:
            self._publish(body, url)

    def _delete(self, source: Message | None) -> None:
        # Slack leaves the message of a slash command where it is.
        for shown in (self._workspace.ephemerals, self._siblings(source)):
            if source is not None and source in shown:
                shown.remove(source)

    def _siblings(self, source: Message | None) -> list[Message]:
        return [] if source is None else self._workspace.channels[source.channel_id].messages

    def _replace(self, source: Message, body: dict[str, Any]) -> None:
        edited_ts = self._workspace.timestamp(self._clock())
        source.replace(body.get("text", ""), self._workspace.with_ids(body.get("blocks", [])), edited_ts)
        if "metadata" in body and source.visible_to is None:
            source.metadata = body["metadata"] or None

    def _publish(self, body: dict[str, Any], url: ResponseUrl) -> None:
        in_channel = body.get("response_type") == "in_channel"
        message = Message(
            channel_id=url.channel_id,
            ts=self._workspace.timestamp(self._clock()),
            user_id=BOT_USER_ID,
            text=body.get("text", ""),
            blocks=self._workspace.with_ids(body.get("blocks", [])),
            attachments=body.get("attachments", []),
            thread_ts=body.get("thread_ts") if in_channel else None,
            metadata=(body.get("metadata") or None) if in_channel else None,
            visible_to=None if in_channel else url.user_id,
        )
        shown = self._workspace.channels[url.channel_id].messages if in_channel else self._workspace.ephemerals
        shown.append(message)
