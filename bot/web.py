"""The HTTP side: health, metrics, and in HTTP mode what Slack sends."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from bot.dispatch import dispatch
from bot.health import Readiness

MAX_BODY_BYTES = 1024**2

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_CERTIFICATE_CHECK = re.compile(r"(?:^|&)ssl_check=1(?:&|$)")
"""Slack looks at the URL's certificate from time to time, and wants a 200 (slack/README 3.2)."""

SlackEvents = Callable[[web.Request], Awaitable[web.StreamResponse]]


def web_app(readiness: Callable[[], Awaitable[Readiness]], slack_events: SlackEvents) -> web.Application:

    async def readyz(_request: web.Request) -> web.Response:
        state = await readiness()
        return web.Response(
            status=200 if state.ready else 503, body=msgspec.json.encode(state), content_type="application/json"
        )

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/slack/events", slack_events)
    app.router.add_post("/slack/events", slack_events)
    return app


def slack_events_of(app: AsyncApp, signing_secret: str) -> SlackEvents:
    """Give to Bolt what is signed. Bolt's own check raises on odd headers and logs whole bodies (slack/README 6.2)."""
    verifier = SignatureVerifier(signing_secret)

    async def slack_events(request: web.Request) -> web.StreamResponse:
        try:
            text = (await request.read()).decode()
        except UnicodeDecodeError:
            return web.Response(status=401)
        if request.query.get("ssl_check") == "1" or _CERTIFICATE_CHECK.search(text):
            return web.Response()
        if not _is_signed(request, text, verifier):
            return web.Response(status=401)
        return await to_aiohttp_response(await dispatch(app, text, mode="http", content_type=request.content_type))

    return slack_events


def _is_signed(request: web.Request, text: str, verifier: SignatureVerifier) -> bool:
    """Whether Slack signed it, and just now; slack_sdk raises where a header does not look like one."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not signature.isascii():
        return False
    return verifier.is_valid(text, timestamp, signature)


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _metrics(_request: web.Request) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": CONTENT_TYPE_LATEST}
    return web.Response(body=generate_latest(), headers=headers)
