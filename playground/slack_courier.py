"""Carries payloads to the app, by signed HTTP requests or over Socket Mode, and waits for the acknowledgement."""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from playground.slack_sockets import Sockets
from playground.slack_workspace import Clock

ACK_TIMEOUT_S = 3.0
OK = 200
OPERATION_TIMEOUT = "operation_timeout"
DISPATCH_FAILED = "dispatch_failed"

COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"


@dataclass
class Delivery:
    """One payload, and what became of it."""

    kind: str
    """`slash_commands`, `interactive` or `events_api`."""
    payload: dict[str, Any]
    settle: Callable[["Delivery"], None] = field(repr=False)
    """Does in the workspace what the app's answer asks for."""
    envelope_id: str = ""
    acknowledged: bool = False
    status: int | None = None
    """HTTP status; in Socket Mode 200 for an acknowledgement."""
    body: Any = None
    """The app's answer: a JSON value, a text, or None."""
    elapsed_s: float = 0.0
    error: str | None = None
    """What the person is told: operation_timeout, dispatch_failed, or trouble with the answer."""
    at: float = 0.0
    """When it was sent."""


@dataclass(frozen=True)
class Forgery:
    """How a delivery differs from what Slack would send."""

    signing_secret: str | None = None
    sent_at: float | None = None
    """The request's timestamp in Unix seconds."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Replace the headers of the same name."""


HONEST = Forgery()


class Courier:
    def __init__(
        self,
        signing_secret: str,
        sockets: Sockets,
        changed: Callable[[], None],
        ack_timeout_s: float,
        clock: Clock,
    ) -> None:
        self.ack_timeout_s = ack_timeout_s
        self.request_url: str | None = None
        """Where the app listens; None means Socket Mode."""
        self.delivered: list[Delivery] = []
        self._signing_secret = signing_secret
        self._sockets = sockets
        self._changed = changed
        self._clock = clock

    async def deliver(
        self,
        kind: str,
        payload: dict[str, Any],
        settle: Callable[[Delivery], None],
        *,
        envelope_id: str = "",
        retry: int = 0,
        forgery: Forgery = HONEST,
    ) -> Delivery:
        """Bring it to the app and do what its answer says. `retry` counts the earlier attempts of an event."""
        delivery = Delivery(kind, payload, settle, envelope_id or str(uuid.uuid4()), at=self._clock())
        self.delivered.append(delivery)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.ack_timeout_s):
                if self.request_url is None:
                    await self._over_socket(delivery, retry)
                else:
                    await self._over_http(self.request_url, delivery, retry, forgery)
        except TimeoutError:
            delivery.error = OPERATION_TIMEOUT
        except (aiohttp.ClientError, ConnectionError):
            delivery.error = DISPATCH_FAILED
        delivery.elapsed_s = time.monotonic() - started
        if delivery.acknowledged:
            settle(delivery)
        self._changed()
        return delivery

    async def _over_socket(self, delivery: Delivery, retry: int) -> None:
        envelope = {
            "envelope_id": delivery.envelope_id,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != EVENT,
            "payload": delivery.payload,
        }
        if delivery.kind == EVENT:
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        delivery.body = await self._sockets.send(envelope)
        delivery.acknowledged, delivery.status = True, OK

    async def _over_http(self, url: str, delivery: Delivery, retry: int, forgery: Forgery) -> None:
        content_type, body = _encoded(delivery)
        headers = {"Content-Type": content_type, **self._signature(body, forgery)}
        if retry:
            headers |= {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
        headers |= forgery.headers
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
            text = await response.text()
            delivery.status = response.status
            is_json = response.content_type == "application/json"
        delivery.body = json.loads(text) if is_json and text else (text or None)
        delivery.acknowledged = delivery.status == OK
        if not delivery.acknowledged:
            delivery.error = DISPATCH_FAILED

    def _signature(self, body: bytes, forgery: Forgery) -> dict[str, str]:
        # The app compares with its own clock, so this is the real time, whatever the workspace's clock says.
        sent_at = int(time.time() if forgery.sent_at is None else forgery.sent_at)
        secret = self._signing_secret if forgery.signing_secret is None else forgery.signing_secret
        return {"X-Slack-Request-Timestamp": str(sent_at), "X-Slack-Signature": signature(secret, sent_at, body)}


def signature(signing_secret: str, sent_at: int, body: bytes) -> str:
    signed = f"v0:{sent_at}:".encode() + body
    return "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()


def _encoded(delivery: Delivery) -> tuple[str, bytes]:
    """Content type and body of the HTTP request."""
    if delivery.kind == EVENT:
        return "application/json", json.dumps(delivery.payload).encode()
    if delivery.kind == INTERACTION:
        form = {"payload": json.dumps(delivery.payload)}
    else:
        form = {
            name: str(value).lower() if isinstance(value, bool) else value for name, value in delivery.payload.items()
        }
    return "application/x-www-form-urlencoded", urlencode(form).encode()
