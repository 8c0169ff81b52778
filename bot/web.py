"""The HTTP side: health, metrics, and in HTTP mode what Slack sends. Anybody on the network may knock here."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from bot.dispatch import dispatch
from bot.health import Readiness

MAX_BODY_BYTES = 1024**2
BODY_WITHIN_S = 6.0
"""Slack gives up on a whole request after 3 s (slack/README 3.1): whoever takes twice as long is not Slack."""
IDLE_S = 75.0
"""For the next request's headers, the first ones included; longer than proxies keep a connection to us (60 s)."""
_LINGERING_S = 1.0
"""For the rest of a body that was refused, so that the client reads why."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_CERTIFICATE_CHECK = re.compile(r"(?:^|&)ssl_check=1(?:&|$)")
"""Slack looks at the URL's certificate from time to time, and wants a 200 (slack/README 3.2)."""

SlackEvents = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _TheirMistakes(logging.Filter):
    """Drops what aiohttp logs, with a traceback, for each request that is no HTTP: strangers must not fill our log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_server_log = logging.getLogger("bot.web.server")
_server_log.addFilter(_TheirMistakes())


def web_runner(app: web.Application, *, shutdown_timeout_s: float, idle_s: float = IDLE_S) -> web.AppRunner:
    """Serves `app` to strangers: nobody holds a connection for ever, or has us unpack what Slack never packs."""
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=shutdown_timeout_s,
        keepalive_timeout=idle_s,
        lingering_time=_LINGERING_S,
        auto_decompress=False,
        logger=_server_log,
    )


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


def slack_events_of(app: AsyncApp, signing_secret: str, *, body_within_s: float = BODY_WITHIN_S) -> SlackEvents:
    """Give to Bolt what is signed. Bolt's own check raises on odd headers and logs whole bodies (slack/README 6.2)."""
    verifier = SignatureVerifier(signing_secret)

    async def slack_events(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(body_within_s):
                text = (await request.read()).decode()
        except TimeoutError:
            return web.Response(status=408)
        except ConnectionError:
            return web.Response(status=400)  # nobody is there any more to read it
        except UnicodeDecodeError:
            return web.Response(status=401)
        if _is_signed(request, text, verifier):
            return await to_aiohttp_response(await dispatch(app, text, mode="http", content_type=request.content_type))
        if request.query.get("ssl_check") == "1" or _CERTIFICATE_CHECK.search(text):
            return web.Response()
        return web.Response(status=401)

    return slack_events


def _is_signed(request: web.Request, text: str, verifier: SignatureVerifier) -> bool:
    """Whether Slack signed it, once and just now; slack_sdk raises where a header does not look like one."""
    timestamps = request.headers.getall("X-Slack-Request-Timestamp", [])
    signatures = request.headers.getall("X-Slack-Signature", [])
    if len(timestamps) != 1 or len(signatures) != 1:
        return False
    if not _TIMESTAMP.fullmatch(timestamps[0]) or not signatures[0].isascii():
        return False
    return verifier.is_valid(text, timestamps[0], signatures[0])


async def _healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def _metrics(_request: web.Request) -> web.Response:
    headers: dict[str, Any] = {"Content-Type": CONTENT_TYPE_LATEST}
    return web.Response(body=generate_latest(), headers=headers)
