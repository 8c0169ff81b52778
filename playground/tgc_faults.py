"""What can go wrong on the way to a TGC and back."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from http import HTTPStatus
from typing import Literal

import msgspec
from aiohttp import web

from playground.estate import Json
from playground.refusals import Refused
from playground.tgc_json import tintri_error

FaultKind = Literal[
    "answer",  # `status` and `body`, without doing it; 200 is a status too
    "garbage",  # 200 with something that is no JSON, without doing it
    "drop_before",  # the connection closes without doing it
    "drop_after",  # done, then the connection closes without an answer
    "truncated",  # done, then only half of the answer arrives
    "hang_before",  # nothing until `release()`, then as if nothing had been
    "hang_after",  # done, then no answer until `release()`
    "latency",  # done `seconds` later
    "expired_session",  # the session has just ended: 401, unless the client logs in again
    "hook_before",  # `await hook()`, then done
    "hook_after",  # done, then `await hook()`, then answered
]

Proceed = Callable[[], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """Meets the next `times` requests it fits (None: all of them)."""

    kind: FaultKind
    path: str = ""
    """A regular expression, searched for in the request's path."""
    _: KW_ONLY
    method: str | None = None
    times: int | None = 1
    status: int = 500
    body: Json | list[Json] | bytes | Literal["error", "html", "empty"] = "error"
    content_type: str = "application/json"
    """Of a body in bytes, which goes out as it is."""
    code: str | None = None
    """Of the TintriError that the body `error` is."""
    seconds: float = 0.0
    hook: Callable[[], Awaitable[object]] | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set once a request has met this fault; for the `_after` kinds once it was done."""
    _released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        if (self.hook is None) == self.kind.startswith("hook_"):
            raise ValueError("A hook fault needs a hook, and no other fault takes one.")

    def release(self) -> None:
        """Lets the requests go on that hang, and all later ones."""
        self._released.set()

    def fits(self, request: web.Request) -> bool:
        return (
            self.times != 0 and self.method in {None, request.method} and re.search(self.path, request.path) is not None
        )

    async def meet(
        self, request: web.Request, proceed: Proceed, end_session: Callable[[], None]
    ) -> web.StreamResponse | None:
        """`proceed` does the request. None where the connection closes without an answer."""
        if self.kind in {"drop_after", "truncated", "hang_after", "hook_after"}:
            response = await proceed()
            self.reached.set()
            return await self._after(request, response)
        self.reached.set()
        match self.kind:
            case "answer":
                return self._answer()
            case "garbage":
                return web.Response(body=b"\x00<garbage", content_type="application/json")
            case "drop_before":
                return None
            case "hang_before":
                await self._released.wait()
            case "latency":
                await asyncio.sleep(self.seconds)
            case "expired_session":
                end_session()
            case "hook_before" if self.hook is not None:
                await self.hook()
        return await proceed()

    async def _after(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse | None:
        match self.kind:
            case "drop_after":
                return None
            case "truncated":
                await _send_half(request, response)
                return None
            case "hang_after":
                await self._released.wait()
            case "hook_after" if self.hook is not None:
                await self.hook()
        return response

    def _answer(self) -> web.Response:
        if self.body == "empty":
            return web.Response(status=self.status)
        if self.body == "html":
            return html(self.status)
        body = self.body
        if isinstance(body, bytes):
            return web.Response(status=self.status, body=body, headers={"Content-Type": self.content_type})
        if body == "error":
            body = tintri_error(Refused(self.status, self.code, "The server failed."))
        return web.Response(status=self.status, body=msgspec.json.encode(body), content_type="application/json")


def html(status: int) -> web.Response:
    """What a proxy or the servlet container answers in the TGC's place."""
    phrase = HTTPStatus(status).phrase
    text = f"<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>"
    return web.Response(status=status, text=text, content_type="text/html")


async def _send_half(request: web.Request, response: web.StreamResponse) -> None:
    whole = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(whole) + 1
    await half.prepare(request)
    await half.write(whole[: len(whole) // 2])
