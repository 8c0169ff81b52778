"""The Tintri Global Center as a Python object: `async with connect(...) as tgc: await tgc.pools()`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import aiohttp
from yarl import URL

from tgc import bodies, decode
from tgc.errors import TGCError, TGCNotFoundError, TGCResponseError, TGCSessionError
from tgc.login import LoginGuard, SharedLogin, Unguarded
from tgc.models import AffinityRule, Feedback, Info, IssueSelection, Pool, Recommendation, Session
from tgc.sending import MaySend, always
from tgc.tls import SettingNames, TLSPolicy, Trust
from tgc.transport import Transport
from tgc.version import supported_version

__all__ = ["LoginGuard", "SettingNames", "TGCClient", "TLSPolicy", "connect"]

API_CLIENT = "tintri-bot-0.1.0"
LOGOUT_TIMEOUT_S = 3.0
LONG_AGO = datetime.min.replace(tzinfo=UTC)
_POOLS_AT_ONCE = 200
"""The TGC would send 2,000, and reading these holds up the event loop for a tenth of a second."""

log = logging.getLogger("tgc")
T = TypeVar("T")


class Options(TypedDict, total=False):
    """What `connect` hands on to `TGCClient`, where the defaults are."""

    concurrency: int
    connect_timeout_s: float
    timeout_s: float
    read_budget_s: float
    guard: LoginGuard | None
    api_client: str
    now: Callable[[], datetime]


@asynccontextmanager
async def connect(
    base_url: str, username: str, password: str, *, tls: TLSPolicy, **options: Unpack[Options]
) -> AsyncIterator["TGCClient"]:
    """Open a client that logs in when it must, and logs out at the end whatever happened.

    Raises ValueError, one sentence, for an unusable URL, CA file or fingerprint.
    """
    trust = tls.trust()
    if trust is False:
        log.warning("The TGC's certificate is not verified: anybody on the way can read the password.")
    # A jar drops cookies of a bare IP address unless it is unsafe. The session's cookie goes back as it came.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False)) as session:
        client = TGCClient(base_url, username, password, session=session, trust=trust, names=tls.names, **options)
        try:
            yield client
        finally:
            await client.close()


class TGCClient:
    """One shared session at one TGC. Every method raises TGCError, and nothing else but what the guard raises.

    `may_send` is asked right before a request leaves; where it says no, nothing is sent and TGCWithheldError raised.

    `session` must be the client's own: its cookies are the TGC's session, and a new login clears them.
    `timeout_s` is for one whole answer; `read_budget_s` for a read with all its tries.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        session: aiohttp.ClientSession,
        trust: Trust = True,
        names: SettingNames = SettingNames(),  # noqa: B008 (frozen)
        concurrency: int = 16,
        connect_timeout_s: float = 10.0,
        timeout_s: float = 30.0,
        read_budget_s: float = 75.0,
        guard: LoginGuard | None = None,
        api_client: str = API_CLIENT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = _base(base_url)
        self._username = username
        self._password = password
        self._transport = Transport(
            self._base_url,
            session=session,
            trust=trust,
            names=names,
            connect_timeout_s=connect_timeout_s,
            timeout_s=timeout_s,
            read_budget_s=read_budget_s,
            api_client=api_client,
            now=now,
        )
        self._slots = asyncio.Semaphore(concurrency)
        self._login = SharedLogin(self._log_in, guard or Unguarded())
        self._version: str | None = None

    def __repr__(self) -> str:
        return f"<TGCClient {self._base_url} as {self._username}>"

    @property
    def role(self) -> str | None:
        """The role's name that the last login answered."""
        return self._login.role

    @property
    def clock_offset(self) -> timedelta | None:
        """The TGC's clock minus ours, to a second, by its latest answer."""
        return self._transport.clock_offset

    # The session

    async def info(self) -> Info:
        """Needs no session."""
        async with self._slots:
            return await self._transport.read("/info", decode.decode_info)

    async def login(self) -> None:
        """Log in unless a session is in force; every other method does that by itself."""
        await self._login.open(self._login.attempts)

    async def logout(self) -> None:
        """End the session if there is one; a session that the TGC has ended already is no error."""
        if not self._login.is_owed_a_logout:
            return
        self._login.close()
        try:
            async with self._slots:
                await self._transport.write("POST", "/v310/session/logout")
        except TGCSessionError:
            pass
        finally:
            self._transport.forget_session()

    async def close(self) -> None:
        """Log out within a few seconds, and never raise because of the TGC."""
        self._login.end()
        try:
            async with asyncio.timeout(LOGOUT_TIMEOUT_S):
                await self._login.settle()
                await self.logout()
        except (TGCError, TimeoutError) as error:
            log.warning("The TGC's session was not ended and will expire by itself: %s", error)

    async def session(self) -> Session:
        return await self._read("/v310/session/current", decode.decode_session)

    # Pools and recommendations

    async def pools(self) -> list[Pool]:
        """All pages. A pool without a UUID is left out, as nothing can be done with it."""
        pools: dict[str, Pool] = {}
        async for page in self._pages("/v310/vmstorePool", f"limit={_POOLS_AT_ONCE}"):
            found = (decode.pool_of(item) for item in page)
            pools |= {pool.uuid: pool for pool in found if pool is not None}
        return list(pools.values())

    async def pool(self, pool_uuid: str) -> Pool:
        return await self._read(_pool_path(pool_uuid), decode.decode_pool)

    async def current_recommendation(self, pool_uuid: str) -> Recommendation:
        return await self._read(f"{_pool_path(pool_uuid)}/recommendation/current", decode.decode_recommendation)

    async def recommendation(self, pool_uuid: str, recommendation_id: str) -> Recommendation:
        """Reading does not acknowledge."""
        return await self._read(_recommendation_path(pool_uuid, recommendation_id), decode.decode_recommendation)

    async def recommendation_history(self, pool_uuid: str) -> list[Recommendation]:
        """30 days, newest first."""
        path = f"{_pool_path(pool_uuid)}/recommendationHistory"
        history = await self._read(path, decode.decode_recommendations)
        return sorted(history, key=lambda recommendation: recommendation.creation_time or LONG_AGO, reverse=True)

    async def accept(self, pool_uuid: str, recommendation_id: str, *, may_send: MaySend = always) -> None:
        """Start the moves; they run asynchronously, so follow `execution_state`."""
        await self._write("POST", f"{_recommendation_path(pool_uuid, recommendation_id)}/accept", may_send=may_send)

    async def acknowledge(self, pool_uuid: str, recommendation_id: str, *, may_send: MaySend = always) -> None:
        await self._write(
            "POST", f"{_recommendation_path(pool_uuid, recommendation_id)}/acknowledge", may_send=may_send
        )

    async def cancel(self, pool_uuid: str, recommendation_id: str, *, may_send: MaySend = always) -> None:
        """Stop what has not run; nothing is undone."""
        await self._write("POST", f"{_recommendation_path(pool_uuid, recommendation_id)}/cancel", may_send=may_send)

    async def reset(self, pool_uuid: str, recommendation_id: str) -> None:
        """Destroy the recommendation: it becomes INVALIDATED."""
        await self._write("POST", f"{_recommendation_path(pool_uuid, recommendation_id)}/reset")

    async def select_issues(
        self,
        pool_uuid: str,
        recommendation_id: str,
        selections: Sequence[IssueSelection],
        *,
        may_send: MaySend = always,
    ) -> None:
        """Have a new recommendation built (with a new id) that solves these issues only."""
        path = f"{_recommendation_path(pool_uuid, recommendation_id)}/issues"
        await self._write("PUT", path, bodies.issue_selections(selections), may_send=may_send)

    async def send_feedback(
        self, pool_uuid: str, recommendation_id: str, feedback: Feedback, *, may_send: MaySend = always
    ) -> None:
        """Possible only before accepting."""
        path = _recommendation_path(pool_uuid, recommendation_id)
        await self._write("PUT", path, bodies.feedback_update(feedback), may_send=may_send)

    async def set_not_now(
        self,
        pool_uuid: str,
        recommendation_id: str,
        vm_uuids: Sequence[str],
        *,
        keep_current: bool,
        may_send: MaySend = always,
    ) -> None:
        """Give the whole list, old and new; unless `keep_current`, a new id may come: read `current` again."""
        path = _recommendation_path(pool_uuid, recommendation_id)
        body = bodies.not_now_update(vm_uuids, keep_current=keep_current)
        await self._write("PUT", path, body, may_send=may_send)

    # VMs

    async def vm_name(self, vm_uuid: str) -> str | None:
        """None for a VM that has no name or is deleted."""
        try:
            return await self._read(f"/v310/vm/{_quoted(vm_uuid)}", decode.decode_vm_name)
        except TGCNotFoundError:
            return None

    async def vm_names(self, vm_uuids: Iterable[str], *, within_s: float | None = None) -> dict[str, str]:
        """Names by UUID, of those VMs whose name could be read, in that time where one is given."""
        uuids = list(dict.fromkeys(vm_uuids))
        names = await asyncio.gather(*(self._vm_name_if_readable(uuid, within_s) for uuid in uuids))
        return {uuid: name for uuid, name in zip(uuids, names, strict=True) if name is not None}

    async def set_affinity(self, vm_uuid: str, rule: AffinityRule, *, may_send: MaySend = always) -> None:
        """Set the VM's permanent rule; a rule without a type clears it."""
        path = f"/v310/vm/{_quoted(vm_uuid)}/affinity"
        await self._write("PUT", path, bodies.affinity_rule(rule), may_send=may_send)

    async def _vm_name_if_readable(self, vm_uuid: str, within_s: float | None) -> str | None:
        try:
            async with asyncio.timeout(within_s):
                return await self.vm_name(vm_uuid)
        except TGCError as error:
            log.debug("A VM's name could not be read (%s): %s", error.where, error)
        except TimeoutError:
            log.debug("A VM's name did not come within %g s.", within_s)
        return None

    async def _pages(self, path: str, query: str) -> AsyncIterator[list[Any]]:
        """Follow `next` until it is absent, or the server runs in circles: a query or the same items once more."""
        queries = [query]
        before: list[Any] = []
        while True:
            items, following = await self._read(path, decode.decode_page, queries[-1])
            if not items or items == before:
                return
            yield items
            if following is None:
                return
            if following in queries:
                log.warning("GET /api%s: the TGC's pages run in circles; the list may be incomplete.", path)
                return
            before = items
            queries.append(following)

    async def _read(self, path: str, decoder: Callable[[bytes, str], T], query: str = "") -> T:
        return await self._in_session(lambda: self._transport.read(path, decoder, query))

    async def _write(self, method: str, path: str, body: Any = None, *, may_send: MaySend = always) -> None:
        await self._in_session(lambda: self._transport.write(method, path, body, may_send=may_send))

    async def _in_session(self, send: Callable[[], Awaitable[T]]) -> T:
        """Repeat once, in a new session, what was answered that the session is invalid: it was not executed."""
        since = self._login.attempts
        repeated = False
        while True:
            number = await self._login.open(since)
            async with self._slots:
                if not self._login.is_in_force(number):
                    continue  # it expired while we waited for a slot
                try:
                    return await send()
                except TGCSessionError as error:
                    self._login.expire(number, error if repeated else None)
                    if repeated:
                        raise
                    repeated = True

    async def _log_in(self) -> str | None:
        if self._version is None:
            self._version = supported_version(await self.info())
        credentials = bodies.credentials(self._username, self._password, self._version)
        async with self._slots:
            return await self._transport.log_in("/v310/session/login", credentials)


def _base(base_url: str) -> URL:
    """`https://tgc.example.com` from that, with a trailing slash, or with `/api`."""
    try:
        url = URL(base_url.strip())
        is_usable = url.scheme in {"http", "https"} and url.host and not url.user and not url.password
    except ValueError:
        is_usable = False
    if not is_usable or url.query_string or url.fragment:
        raise ValueError("The TGC's URL is not usable: give it like https://tgc.example.com, without user name.")
    return url.with_path(url.path.rstrip("/").removesuffix("/api").rstrip("/"))


def _pool_path(pool_uuid: str) -> str:
    return f"/v310/vmstorePool/{_quoted(pool_uuid)}"


def _recommendation_path(pool_uuid: str, recommendation_id: str) -> str:
    return f"{_pool_path(pool_uuid)}/recommendation/{_quoted(recommendation_id)}"


def _quoted(identifier: str) -> str:
    """Quote an id as one segment of a path, whatever it holds."""
    if not identifier:
        raise TGCResponseError("The TGC told an empty id, and nothing can be asked about that.")
    if not identifier.strip("."):
        return identifier.replace(".", "%2E")  # `.` and `..` would be steps in the tree
    return quote(identifier, safe="", errors="replace")
