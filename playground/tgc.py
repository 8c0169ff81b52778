"""A simulated Tintri Global Center: its REST API over a real HTTP(S) server, in front of a `World`.

Where the public reference is silent it answers like this: a login beyond the session limit is a 503; the errors of
login and of missing privileges carry no code; a body that no correct client sends is a 400, noted in `mistakes`.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web
from yarl import URL

from playground import tgc_json
from playground.estate import AffinityRule, Recommendation
from playground.refusals import (
    ACCEPT,
    ACKNOWLEDGE,
    CANCEL,
    CHOOSE_ISSUES,
    RESET,
    UPDATE,
    Mistake,
    Refused,
    Verb,
)
from playground.tgc_bodies import AffinityRuleBody, Credentials, IssueSelection, UpdateRequest
from playground.tgc_faults import Fault, html
from playground.tgc_sessions import Session, Sessions
from playground.world import World

API: Final = "/api"
V310: Final = API + "/v310"
_LOGIN: Final = V310 + "/session/login"
_NEED_NO_SESSION: Final = frozenset({API + "/info", _LOGIN})
_COOKIE: Final = "JSESSIONID"

_PAYLOADS_KEPT: Final = 200
"""Of so many calls."""

_QUICKLY_S: Final = 0.05
"""How long stopping waits for requests under way, such as hanging ones."""


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Call:
    """One request that arrived."""

    method: str
    path: str
    query: str
    at: datetime
    session: str | None
    recommendation: str | None
    """The id in the path."""
    done: int | None = None
    """The status of what the TGC did; None while or where it did nothing."""
    status: int | None = None
    """The status that was answered; None while or where no whole answer was sent."""
    body: bytes = b""
    """What was sent. Of this and of `answer` only the newest are kept."""
    answer: bytes = b""


class SimulatedTgc:
    """`role` counts for logins from then on; one that reads like "Read Only" may not write."""

    def __init__(
        self,
        world: World,
        *,
        username: str = "bot",
        password: str = "only-for-the-playground",  # noqa: S107 - made up
        role: str = "Admin",
        now: Callable[[], datetime] | None = None,
        page_limit: int = 2000,
        latency_s: float = 0.0,
        max_sessions: int = 20,
        lock_after: int = 5,
    ) -> None:
        self.world = world
        self.username = username
        self.password = password
        self.role = role
        self.page_limit = page_limit
        self.latency_s = latency_s
        self.lock_after = lock_after
        self.product_name = "Tintri Global Center"
        self.preferred_version = "v310.191"
        self.empty_last_page = False
        """Whether the last page with items names a `next`, whose page is empty."""
        self.repeat_next = False
        """Whether `next` leads to the page it stands on."""
        self.calls: list[Call] = []
        self.mistakes: list[str] = []
        """Requests that no correct client sends, one sentence each."""
        self.logins = 0
        """How often somebody tried to log in."""
        self.refused_logins = 0
        """Refused in a row. From `lock_after` on the account is locked; set it to 0 to unlock."""
        self.session_table = Sessions(now or world.now, limit=max_sessions)
        self._now = now or world.now
        self._faults: list[Fault] = []
        self._runner: web.AppRunner | None = None
        self._url = ""
        self._host = ""
        self._port = 0
        self._ssl_context: ssl.SSLContext | None = None

    # For those who watch and disturb it.

    @property
    def url(self) -> str:
        """Without `/api`; the same after each start."""
        return self._url

    @property
    def is_serving(self) -> bool:
        return self._runner is not None

    @property
    def sessions(self) -> int:
        """How many are open now."""
        return len(self.session_table)

    @property
    def locked(self) -> bool:
        return self.refused_logins >= self.lock_after

    @property
    def accepts(self) -> list[Call]:
        """The accepts that the TGC has obeyed, whether or not its answer arrived."""
        return [call for call in self.calls if call.path.endswith("/accept") and call.done == 204]  # noqa: PLR2004

    def fault(self, fault: Fault) -> Fault:
        """Queues it. Each request meets the first fault that fits it, and no other."""
        self._faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """Also lets hanging requests go on."""
        for fault in self._faults:
            fault.release()
        self._faults.clear()

    # Serving.

    @asynccontextmanager
    async def serve(
        self, host: str = "127.0.0.1", port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncIterator[str]:
        """Yields its URL. Inside, `stop()` takes it down and `start()` brings it back on the same port."""
        self._host, self._port, self._ssl_context = host, port, ssl_context
        await self.start()
        try:
            yield self._url
        finally:
            await self.stop()

    async def start(self) -> None:
        """Serves where `serve` said. Sessions outlive a stop."""
        if self._runner is not None:
            raise RuntimeError("The simulated TGC is already serving.")
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_QUICKLY_S)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port, ssl_context=self._ssl_context)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]
        scheme = "http" if self._ssl_context is None else "https"
        self._url = f"{scheme}://{self._host}:{self._port}"

    async def stop(self) -> None:
        """Quick, whatever hangs; no harm if it does not serve."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._exchange, self._admit])
        pool = V310 + "/vmstorePool/{pool}"
        one = pool + "/recommendation/{recommendation}"
        vm = V310 + "/vm/{vm}"
        world = self.world
        app.add_routes(
            [
                web.get(API + "/info", self._info, allow_head=False),
                web.post(_LOGIN, self._log_in),
                web.post(V310 + "/session/logout", self._log_out),
                web.get(V310 + "/session/current", self._show_session, allow_head=False),
                web.get(V310 + "/vmstorePool", self._list_pools, allow_head=False),
                web.get(pool, self._show_pool, allow_head=False),
                web.get(pool + "/recommendation/current", self._show_current, allow_head=False),
                web.get(pool + "/recommendationHistory", self._show_history, allow_head=False),
                web.get(one, self._show_recommendation, allow_head=False),
                web.put(one, self._update),
                web.post(one + "/accept", partial(self._obey, ACCEPT, world.accept)),
                web.post(one + "/acknowledge", partial(self._obey, ACKNOWLEDGE, world.acknowledge)),
                web.post(one + "/cancel", partial(self._obey, CANCEL, world.cancel)),
                web.post(one + "/reset", partial(self._obey, RESET, world.reset)),
                web.put(one + "/issues", self._choose_issues),
                web.get(vm, self._show_vm, allow_head=False),
                web.put(vm + "/affinity", self._set_affinity),
            ]
        )
        return app

    # Around every request.

    @web.middleware
    async def _exchange(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Keeps the record and meets the faults."""
        call = Call(
            request.method,
            request.path,
            request.query_string,
            self._now(),
            request.cookies.get(_COOKIE),
            request.match_info.get("recommendation"),
        )
        self.calls.append(call)
        for forgotten in self.calls[-_PAYLOADS_KEPT - 1 : -_PAYLOADS_KEPT]:
            forgotten.body = forgotten.answer = b""

        async def proceed() -> web.StreamResponse:
            response = await handler(request)
            call.done = response.status
            call.body = await request.read()
            if isinstance(response, web.Response) and isinstance(response.body, bytes):
                call.answer = response.body
            return response

        if self.latency_s > 0:
            await asyncio.sleep(self.latency_s)
        fault = self._next_fault(request)
        if fault is None:
            response: web.StreamResponse | None = await proceed()
        else:
            response = await fault.meet(request, proceed, partial(self.session_table.close, call.session))
        if response is None:
            return _close_connection(request)
        response.headers[hdrs.DATE] = format_datetime(self._now().astimezone(UTC), usegmt=True)
        call.status = response.status
        return response

    def _next_fault(self, request: web.Request) -> Fault | None:
        for fault in self._faults:
            if fault.fits(request):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    @web.middleware
    async def _admit(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Asks for session and privilege; says what was refused."""
        try:
            if request.path not in _NEED_NO_SESSION:
                self._check_privilege(request, self._session_of(request))
            return await handler(request)
        except Refused as refused:
            if isinstance(refused, Mistake):
                self.mistakes.append(f"{request.method} {request.path}: {refused.cause}")
            return _json(tgc_json.tintri_error(refused), refused.status)
        except web.HTTPException as no_route:
            return html(no_route.status)

    def _session_of(self, request: web.Request) -> Session:
        session = self.session_table.use(request.cookies.get(_COOKIE))
        if session is None:
            raise Refused(401, "ERR-API-0104", "Session is invalid or expired.")
        return session

    def _check_privilege(self, request: web.Request, session: Session) -> None:
        reads = request.method == "GET" or request.path.startswith(V310 + "/session/")
        if not reads and re.search("read.?only", session.role, re.IGNORECASE):
            raise Refused(403, None, "The user has no privilege for this operation.", f"Role: {session.role}")

    @property
    def _as_json(self) -> tgc_json.TgcJson:
        return tgc_json.TgcJson(self.world.zone)

    # One method an endpoint.

    async def _info(self, _request: web.Request) -> web.Response:
        return _json(tgc_json.info(self.product_name, self.preferred_version))

    async def _log_in(self, request: web.Request) -> web.Response:
        self.logins += 1
        given = await _body(request, Credentials, _login_mistake)
        if self.locked:
            raise Refused(403, None, "The user account is locked.")
        if (given.username, given.password) != (self.username, self.password):
            self.refused_logins += 1
            raise Refused(403, None, "Invalid user name or password.")
        self.refused_logins = 0
        session = self.session_table.open(given.username, self.role)
        if session is None:
            raise Refused(503, None, "Too many sessions are open.")
        response = _json(session.role)
        secure = self._ssl_context is not None
        response.set_cookie(_COOKIE, session.id, path="/", httponly=True, secure=secure)
        return response

    async def _log_out(self, request: web.Request) -> web.Response:
        self.session_table.close(request.cookies.get(_COOKIE))
        return web.Response(status=204)

    async def _show_session(self, request: web.Request) -> web.Response:
        return _json(self._as_json.session(self._session_of(request)))

    async def _list_pools(self, request: web.Request) -> web.Response:
        offset = _number(request, "offset", default=0, least=0)
        limit = min(_number(request, "limit", default=self.page_limit, least=1), self.page_limit)
        name = request.query.get("name")
        now = self._now()
        pools = [pool for pool in self.world.pools if name is None or pool.name == name]
        items = [self._as_json.pool(pool, now) for pool in pools[offset : offset + limit]]
        page = self._as_json.page(items, offset=offset, limit=limit, total=len(pools), now=now)
        end = offset + limit
        if self.repeat_next:
            page["next"] = _query(offset, limit, name)
        elif end < len(pools) or (self.empty_last_page and items):
            page["next"] = _query(end, limit, name)
        return _json(page)

    async def _show_pool(self, request: web.Request) -> web.Response:
        return _json(self._as_json.pool(self.world.pool(request.match_info["pool"]), self._now()))

    async def _show_current(self, request: web.Request) -> web.Response:
        pool = request.match_info["pool"]
        return _json(self._recommendation(pool, self.world.read_current(pool)))

    async def _show_recommendation(self, request: web.Request) -> web.Response:
        pool, one = _addressed(request)
        return _json(self._recommendation(pool, self.world.read(pool, one)))

    async def _show_history(self, request: web.Request) -> web.Response:
        pool = request.match_info["pool"]
        return _json([self._recommendation(pool, one) for one in self.world.read_history(pool)])

    def _recommendation(self, pool: str, one: Recommendation) -> Any:
        return self._as_json.recommendation(one, pool, self.world.execution(one), self._now())

    async def _obey(self, verb: Verb, do: Callable[[str, str], None], request: web.Request) -> web.Response:
        await _body(request, None, verb.mistake)
        do(*_addressed(request))
        return web.Response(status=204)

    async def _update(self, request: web.Request) -> web.Response:
        update = await _body(request, UpdateRequest, UPDATE.mistake)
        new = update.objects_with_new_values[0]
        self.world.update(
            *_addressed(request),
            feedback=None if new.feedback is None else msgspec.to_builtins(new.feedback),
            not_now=new.vm_affinity_not_now_tintri_uuids,
            keep_current=new.keep_current,
        )
        return web.Response(status=204)

    async def _choose_issues(self, request: web.Request) -> web.Response:
        selections = await _body(request, list[IssueSelection], CHOOSE_ISSUES.mistake)
        chosen = {selection.vmstore_id: selection.issue_types for selection in selections}
        self.world.choose_issues(*_addressed(request), chosen)
        return web.Response(status=204)

    async def _show_vm(self, request: web.Request) -> web.Response:
        return _json(tgc_json.vm(self.world.vm(request.match_info["vm"])))

    async def _set_affinity(self, request: web.Request) -> web.Response:
        new = await _body(request, AffinityRuleBody, _affinity_mistake)
        rule = None if new.rule_type is None else AffinityRule(new.rule_type, new.vmstore_tintri_uuids)
        self.world.set_rule(request.match_info["vm"], rule, new.recommendation_uuid)
        return web.Response(status=204)


def _addressed(request: web.Request) -> tuple[str, str]:
    return request.match_info["pool"], request.match_info["recommendation"]


def _number(request: web.Request, name: str, *, default: int, least: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise Mistake(400, None, "Invalid query parameter.", f"{name} must be a number of at least {least}.")
    return int(text)


def _query(offset: int, limit: int, name: str | None) -> str:
    query = {"offset": str(offset), "limit": str(limit)} | ({} if name is None else {"name": name})
    return URL.build(query=query).query_string


async def _body(request: web.Request, expected: Any, mistake: Callable[[str], Mistake]) -> Any:
    if request.content_type != "application/json":
        raise mistake("The body must be JSON, with the content type application/json.")
    try:
        return msgspec.json.decode(await request.read(), type=expected)
    except msgspec.DecodeError as error:
        raise mistake(f"The body is not what is documented: {error}.") from error


def _login_mistake(cause: str) -> Mistake:
    return Mistake(400, None, "Invalid login request.", cause)


def _affinity_mistake(cause: str) -> Mistake:
    return Mistake(400, None, "Invalid affinity rule.", cause)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


def _close_connection(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()
