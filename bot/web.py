"""The HTTP side: health, metrics, and in HTTP mode what Slack sends."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.health import Readiness

MAX_BODY_BYTES = 1024**2

_TIMESTAMP = re.compile(r"[0-9]{1,12}")

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
    app.router.add_post("/slack/events", slack_events)
    return app


def slack_events_of(app: AsyncApp) -> SlackEvents:
    async def slack_events(request: web.Request) -> web.StreamResponse:
        if not _may_be_signed(request):
            return web.Response(status=401)
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    return slack_events


def _may_be_signed(request: web.Request) -> bool:
    """Whether the headers look like Slack's; slack_sdk raises on others instead of refusing (slack/README 6.2)."""
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature", "")
    return _TIMESTAMP.fullmatch(timestamp) is not None and signature.isascii()


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _metrics(_request: web.Request) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": CONTENT_TYPE_LATEST}
    return web.Response(body=generate_latest(), headers=headers)
