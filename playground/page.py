"""A page for the stand-in for Slack: a chat client in the browser, with a drawer for the simulated TGC and the traffic.

It listens on 127.0.0.1 alone, and answers nobody who came by another name or from another site. All that a person does
on it goes the way that it goes in tests; all that changes arrives as server-sent events, each a whole state, so that
a page which missed something is right again with the next.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from playground.page_acts import AnyAct, perform
from playground.page_controls import AnyControl
from playground.page_traffic import Traffic
from playground.page_views import people, slack_view, tgc_view
from playground.refusals import Refused
from playground.slack import Slack
from playground.slack_workspace import User
from playground.tgc import SimulatedTgc

PREFERRED_PORT: Final = 8420
HOST: Final = "127.0.0.1"

_STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {"/": "index.html", "/page.js": "page.js", "/page.css": "page.css"}
_TICK_S: Final = 1.0
"""How often the TGC is looked at: nothing tells what its clock changes."""
_QUICKLY_S: Final = 0.1
_BODY_LIMIT: Final = 256 * 1024
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Example(msgspec.Struct, frozen=True):
    """A command that the composer offers."""

    words: str
    meaning: str


class Page:
    """`about` names the people one can be, with what matters about each; `note` stands over the TGC's controls."""

    def __init__(
        self,
        slack: Slack,
        tgc: SimulatedTgc | None = None,
        *,
        about: Mapping[str, str] | None = None,
        examples: Sequence[Example] = (),
        note: str = "",
        port: int = PREFERRED_PORT,
    ) -> None:
        self._slack = slack
        self._tgc = tgc
        self._about = about or {}
        self._examples = examples
        self._note = note
        self._port = port
        self._traffic = Traffic(slack, tgc)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}/"

    async def start(self) -> str:
        """Listen on the preferred port, or on a free one where that is taken. Gives the address to open."""
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[self._refuse_strangers, _in_a_sentence])
        app.on_response_prepare.append(_add_headers)
        app.add_routes(
            [
                *(web.get(path, self._file) for path in _FILES),
                web.get("/api/setting", self._show_setting),
                web.get("/api/events", self._send_events),
                web.get("/api/traffic/{entry}", self._show_exchange),
                web.post("/api/acts", self._act),
                web.post("/api/controls", self._control),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_QUICKLY_S)
        await self._runner.setup()
        try:
            await self._listen(self._port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            await self._listen(0)
        self._port = self._runner.addresses[0][1]
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        try:
            yield await self.start()
        finally:
            await self.stop()

    async def _listen(self, port: int) -> None:
        if self._runner is not None:
            await web.TCPSite(self._runner, HOST, port, reuse_address=True).start()

    # -------------------------------------------------------------- whom it answers

    @web.middleware
    async def _refuse_strangers(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Another host is somebody's name for 127.0.0.1, another origin somebody's page."""
        hosts = {f"{HOST}:{self._port}", f"localhost:{self._port}"}
        origin = request.headers.get(hdrs.ORIGIN)
        if request.headers.get(hdrs.HOST) not in hosts:
            return _sentence(403, f"This page is at {self.url} only.")
        if origin is not None and origin.removeprefix("http://") not in hosts:
            return _sentence(403, "Only the playground's own page may ask this.")
        return await handler(request)

    # -------------------------------------------------------------- what it shows

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_STATIC / _FILES[request.path], headers={"Cache-Control": "no-cache"})

    async def _show_setting(self, _request: web.Request) -> web.Response:
        """What does not change while it runs."""
        return _json(
            {"examples": self._examples, "note": self._note, "people": people(self._slack.workspace, self._about)}
        )

    async def _send_events(self, request: web.Request) -> web.StreamResponse:
        who = self._slack.workspace.user(request.query.get("who", ""))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        sent: dict[str, bytes] = {}
        while request.transport is not None and not request.transport.is_closing():
            change = self._slack.change
            for name, view in self._views(who):
                body = msgspec.json.encode(view)
                if sent.get(name) != body:
                    await response.write(b"event: %s\ndata: %s\n\n" % (name.encode(), body))
                    sent[name] = body
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await change.wait()
        return response

    def _views(self, who: User) -> Iterator[tuple[str, Any]]:
        yield "slack", slack_view(self._slack, who, self._about)
        yield "tgc", None if self._tgc is None else tgc_view(self._tgc)
        yield "traffic", self._traffic.entries()

    async def _show_exchange(self, request: web.Request) -> web.Response:
        return _json(self._traffic.exchange(request.match_info["entry"]))

    # -------------------------------------------------------------- what people do

    async def _act(self, request: web.Request) -> web.Response:
        act = await _read(request, AnyAct)
        return _json({"trouble": await perform(act, self._slack)})

    async def _control(self, request: web.Request) -> web.Response:
        control = await _read(request, AnyControl)
        if self._tgc is None:
            raise LookupError("There is no simulated TGC here.")
        await control.apply(self._tgc)
        return _json({"trouble": None})


class MalformedError(Exception):
    """`str()` is a sentence."""


async def _read(request: web.Request, expected: Any) -> Any:
    if request.content_type != "application/json":
        raise MalformedError("The body must be JSON, with the content type application/json.")
    try:
        return msgspec.json.decode(await request.read(), type=expected)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"The body is not what this address takes: {str(error).removesuffix('.')}.") from error
    except RecursionError as error:
        raise MalformedError("The body is nested too deeply.") from error
    except web.RequestPayloadError as error:
        raise MalformedError("The body is not encoded as its headers say.") from error


@web.middleware
async def _in_a_sentence(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except MalformedError as error:
        return _sentence(400, str(error))
    except Refused as refused:
        return _sentence(409, f"The TGC refuses: {refused.message} {refused.cause}".strip())
    except (LookupError, ValueError) as error:
        return _sentence(409, str(error.args[0]))


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _sentence(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text)


def _json(value: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
