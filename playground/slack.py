"""A local stand-in for Slack: a real server that any Bolt app can talk to, strict about all that Slack is strict about.

slack = Slack()
async with slack.serve():
    ... start the app with slack.api_url, slack.bot_token and slack.app_token ...
    await slack.person("alice").command("/tintri reco")
    await slack.until(lambda: slack.messages("storage"))
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, TypeVar

from aiohttp import web

from playground.slack_api import DEFAULT_SCOPES, METHODS, Token, WebApi
from playground.slack_arguments import Refused, read_arguments
from playground.slack_courier import ACK_TIMEOUT_S, EVENT, HONEST, Courier, Delivery, Forgery
from playground.slack_faults import Faults, RateLimits, Way
from playground.slack_person import Person, Surroundings
from playground.slack_responses import Responses
from playground.slack_sockets import Sockets
from playground.slack_workspace import APP_ID, Channel, Clock, Message, View, Workspace

__all__ = ["Call", "Delivery", "Forgery", "Message", "Person", "Refusal", "Slack", "View", "Workspace"]

BOT_TOKEN = "xoxb-playground-bot"
APP_TOKEN = "xapp-playground-app"
SIGNING_SECRET = "playground-signing-secret"
BODY_LIMIT_BYTES = 4 * 1024**2
CONTENT_ERRORS = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"}
    | {"invalid_attachments", "too_many_attachments", "markdown_text_conflict", "view_too_large"}
    | {"invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large", "invalid_payload"}
)

_RESPONSE_STATUS = {None: 200, "ratelimited": 429, "used_url": 404, "expired_url": 404}

_T = TypeVar("_T")


@dataclass(frozen=True)
class Call:
    """One use of the Web API, or of a response_url (method `response_url`)."""

    method: str
    arguments: dict[str, Any]
    ok: bool
    """Whether Slack did it; the app may not have heard of it."""
    error: str | None
    at: float


@dataclass(frozen=True)
class Refusal:
    """Content that Slack did not take: blocks, a view, a text too long."""

    method: str
    error: str
    messages: tuple[str, ...]
    content: Any


class Slack:
    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        clock: Clock = time.time,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        port: int = 0,
        ack_timeout_s: float = ACK_TIMEOUT_S,
        seed: int = 0,
    ) -> None:
        self.workspace = workspace or Workspace.default()
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.calls: list[Call] = []
        self.refusals: list[Refusal] = []
        self.faults = Faults()
        self.limits = RateLimits(clock)
        self.sockets = Sockets(self.changed, random.Random(seed))
        self.courier = Courier(signing_secret, self.sockets, self.changed, ack_timeout_s, clock)
        self._clock = clock
        self._port = port
        self._runner: web.AppRunner | None = None
        self._change = asyncio.Event()
        self._responses = Responses(self.workspace, clock, self.limits)
        self._api = WebApi(self.workspace, clock, self.limits, self._socket_url)
        self.tokens = self._api.tokens
        """By their text; set `error` of one to revoke it."""
        self.tokens[bot_token] = Token("bot", set(DEFAULT_SCOPES))
        self.tokens[app_token] = Token("app", {"connections:write"})

    # -------------------------------------------------------------- server

    async def start(self) -> str:
        """Listen on 127.0.0.1, on the same port again after a stop. Gives the base URL."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/api/{method}", self._web_api)
        app.router.add_post("/response/{key}", self._response_url)
        app.router.add_get("/link/", self.sockets.connect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self.url

    async def stop(self) -> None:
        """Go away at once: connections are cut, unanswered calls stay unanswered."""
        if self._runner is not None:
            self.sockets.cut()
            self.faults.release()
            await self._runner.cleanup()
            self._runner = None

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        url = await self.start()
        try:
            yield url
        finally:
            await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def request_url(self) -> str | None:
        """Where the app listens for signed requests; None means that it uses Socket Mode."""
        return self.courier.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self.courier.request_url = url

    @property
    def scopes(self) -> set[str]:
        """What the bot's token may do; add and discard freely."""
        return self.tokens[self.bot_token].scopes

    # -------------------------------------------------------------- people, records

    def person(self, who: str) -> Person:
        """By id or by name."""
        around = Surroundings(
            workspace=self.workspace,
            clock=self._clock,
            courier=self.courier,
            responses=self._responses,
            response_url=lambda key: f"{self.url}/response/{key}",
            refuse=self._refuse,
            changed=self.changed,
        )
        return Person(self.workspace.user(who), around)

    def channel(self, which: str) -> Channel:
        return self.workspace.channel(which)

    def messages(self, channel: str) -> list[Message]:
        """What stands in a channel, oldest first, without the replies in threads."""
        return [message for message in self.channel(channel).messages if not message.is_reply]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The replies to a message, oldest first."""
        return self.channel(channel).replies(ts)

    def direct(self, who: str) -> list[Message]:
        """The bot's direct messages with a person, oldest first."""
        return list(self.workspace.direct_channel(self.workspace.user(who).id).messages)

    def ephemerals(self, who: str) -> list[Message]:
        """What only this person sees, oldest first."""
        user_id = self.workspace.user(who).id
        return [message for message in self.workspace.ephemerals if message.visible_to == user_id]

    def modals(self, who: str) -> list[View]:
        """The person's open modals, the topmost last."""
        return self.workspace.modals(self.workspace.user(who).id)

    def home(self, who: str) -> View | None:
        return self.workspace.home(self.workspace.user(who).id)

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Bring the same payload again, in the same envelope."""
        return await self.courier.deliver(
            delivery.kind,
            delivery.payload,
            delivery.settle,
            envelope_id=delivery.envelope_id,
            retry=1 if delivery.kind == EVENT else 0,
        )

    async def forge(self, delivery: Delivery, forgery: Forgery = HONEST, **changes: Any) -> Delivery:
        """Bring a copy that Slack did not send: signed otherwise, or with other fields in the payload."""
        payload = {**delivery.payload, **changes}
        return await self.courier.deliver(delivery.kind, payload, delivery.settle, forgery=forgery)

    async def until(self, predicate: Callable[[], _T], timeout_s: float = 5.0) -> _T:
        """Wait until it gives something true, and give that. It is asked again after every change here.

        Raises TimeoutError.
        """
        async with asyncio.timeout(timeout_s):
            while not (value := predicate()):
                await self._change.wait()
        return value

    @property
    def change(self) -> asyncio.Event:
        """Set at the next change here."""
        return self._change

    def changed(self) -> None:
        change, self._change = self._change, asyncio.Event()
        change.set()

    # -------------------------------------------------------------- requests of the app

    async def _web_api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            body, flat = await read_arguments(request)
        except Refused as refused:
            return self._answered(name, refused.answer, None)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or flat.get("token")
        flat.pop("token", None)
        arguments = {**flat, **body}

        def work() -> web.Response:
            try:
                answer = self._api.call(name, token, body, flat)
            except Refused as refused:
                answer = refused.answer
                self._refuse(name, refused, arguments)
            self._record(name, arguments, answer.get("error"))
            return self._answered(name, answer, token)

        return await self._with_faults(request, name, arguments, work)

    async def _response_url(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")

        def work() -> web.Response:
            error = None
            try:
                self._responses.use(request.match_info["key"], body)
            except Refused as refused:
                error = refused.error
                self._refuse("response_url", refused, body)
            self._record("response_url", body, error)
            return web.Response(status=_RESPONSE_STATUS.get(error, 400), text=error or "ok")

        return await self._with_faults(request, "response_url", body, work)

    async def _with_faults(
        self, request: web.Request, name: str, arguments: dict[str, Any], work: Callable[[], web.Response]
    ) -> web.StreamResponse:
        fault = self.faults.next(name)
        if fault is None:
            return work()
        if fault.before is not None:
            await fault.before(arguments)
        if fault.done:
            response = work()
        else:
            self._record(name, arguments, fault.error or fault.way.value)
            response = web.Response(status=500)
        if fault.after is not None:
            await fault.after(arguments)
        if fault.way is Way.HANG:
            await self.faults.released()
        if fault.way in {Way.HANG, Way.DROP}:
            if request.transport is not None:
                request.transport.abort()
            return response
        if fault.way is Way.PASS:
            return response
        if fault.error is not None:
            return _json({"ok": False, "error": fault.error}, fault.status, fault.retry_after_s)
        return web.Response(status=fault.status, text=fault.body, content_type="text/html")

    def _answered(self, name: str, answer: dict[str, Any], token: str | None) -> web.Response:
        retry_after_s = answer.pop("retry_after_s", None)
        response = _json(answer, 200 if retry_after_s is None else 429, retry_after_s)
        response.headers["Date"] = formatdate(self._clock(), usegmt=True)
        if token in self.tokens:
            response.headers["x-oauth-scopes"] = ",".join(sorted(self.tokens[token].scopes))
        if name in METHODS:
            response.headers["x-accepted-oauth-scopes"] = ",".join(METHODS[name].scopes)
        return response

    def _record(self, method: str, arguments: dict[str, Any], error: str | None) -> None:
        self.calls.append(Call(method, arguments, error is None, error, self._clock()))
        self.changed()

    def _refuse(self, method: str, refused: Refused, content: Any) -> None:
        messages = refused.details.get("response_metadata", {}).get("messages", [])
        if refused.error in CONTENT_ERRORS or messages:
            self.refusals.append(Refusal(method, refused.error, tuple(messages), content))

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/link/?ticket={self.sockets.ticket()}&app_id={APP_ID}"


def _json(answer: dict[str, Any], status: int = 200, retry_after_s: int | None = None) -> web.Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return web.json_response(answer, status=status, headers=headers)
