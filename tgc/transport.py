"""HTTP as the TGC needs it: reads are tried again, writes reach it at most once, redirects are not followed."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import stamina
from yarl import URL

from tgc.decipher import Answer, expect_body, expect_done, expect_role
from tgc.errors import (
    TGCCertificateError,
    TGCConnectionError,
    TGCError,
    TGCResponseError,
    TGCUnavailableError,
    TGCWithheldError,
)
from tgc.sending import MaySend, WithheldError, always, asking, impatient_socket
from tgc.tls import SettingNames, Trust, remedy

T = TypeVar("T")

READ_ATTEMPTS = 3
_QUERY_SAFE = "%&=+,;:@/?!$'()*~"
"""What may stand in a query (RFC 3986), `%` because the TGC's own `next` is quoted already."""


class _DroppedError(aiohttp.ClientError):
    """The connection went away, told so that aiohttp does not repeat the request."""


async def _sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp (client.py there) from repeating GET and PUT by itself, as it does also on a fresh connection."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _DroppedError from None


class Transport:
    def __init__(
        self,
        base_url: URL,
        *,
        session: aiohttp.ClientSession,
        trust: Trust,
        names: SettingNames,
        connect_timeout_s: float,
        timeout_s: float,
        read_budget_s: float,
        api_client: str,
        now: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url
        self._host = base_url.authority
        self._session = session
        self._trust = trust
        self._names = names
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect_timeout_s)
        self._read_budget_s = read_budget_s
        self._headers = {"Accept": "application/json", "Tintri-Api-Client": api_client}
        self._now = now
        self._reads = stamina.AsyncRetryingCaller(attempts=READ_ATTEMPTS, timeout=None, wait_initial=0.5).on(
            _is_worth_another_try
        )
        self.clock_offset: timedelta | None = None

    async def read(self, path: str, decoder: Callable[[bytes, str], T], query: str = "") -> T:
        """GET, tried again on 503 and a lost connection within the budget; raises TGCError."""
        try:
            async with asyncio.timeout(self._read_budget_s):
                body = await self._reads(self._read_once, path, query)
        except TimeoutError as error:
            raise TGCConnectionError(
                f"{self._host} gave no answer within {self._read_budget_s:g} s, several tries included; "
                "try again later.",
                where=_where("GET", path),
            ) from error
        return decoder(body, _where("GET", path))

    async def write(self, method: str, path: str, body: Any = None, *, may_send: MaySend = always) -> None:
        """Send JSON at most once, over a connection that no server can have dropped meanwhile; raises TGCError."""
        async with aiohttp.ClientSession(
            cookie_jar=self._session.cookie_jar,
            connector=aiohttp.TCPConnector(socket_factory=impatient_socket),
            request_class=asking(lambda _url: may_send()),
        ) as fresh:
            expect_done(await self._exchange(fresh, method, path, body=body))

    async def log_in(self, path: str, credentials: dict[str, str]) -> str | None:
        """Give the role's name. The old session's cookie is not sent; the new one's goes into the jar."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as fresh:
            answer = await self._exchange(fresh, "POST", path, body=credentials, secret=credentials["password"])
        role = expect_role(answer, credentials["username"])
        self.forget_session()
        # As if set by the root: a cookie without Path would be good for the path of the login alone.
        self._session.cookie_jar.update_cookies(answer.cookies, self._base_url.origin())
        return role

    def forget_session(self) -> None:
        self._session.cookie_jar.clear()

    async def _read_once(self, path: str, query: str) -> bytes:
        return expect_body(await self._exchange(self._session, "GET", path, query=query))

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        *,
        query: str = "",
        body: Any = None,
        secret: str = "",
    ) -> Answer:
        where = _where(method, path)
        content = None if method == "GET" else json.dumps(body).encode()
        headers = self._headers if content is None else self._headers | {"Content-Type": "application/json"}
        try:
            async with session.request(
                method,
                self._url(path, query),
                data=content,
                headers=headers,
                ssl=self._trust,
                timeout=self._timeout,
                allow_redirects=False,
                middlewares=(_sent_once,),
            ) as response:
                self._note_clock(response.headers.get("Date"))
                answer = Answer(
                    where=where,
                    status=response.status,
                    body=await response.read(),
                    secrets=(secret, *(cookie.value for cookie in (*session.cookie_jar, *response.cookies.values()))),
                    cookies=response.cookies,
                )
        except (aiohttp.ClientError, OSError) as error:
            failure = self._failure(where, error)
        else:
            return answer
        # Raised here and not `from error`: aiohttp's errors can quote headers, and with them the session's cookie.
        raise failure

    def _url(self, path: str, query: str) -> URL:
        url = f"{self._base_url}/api{path}"
        return URL(f"{url}?{quote(query, safe=_QUERY_SAFE)}" if query else url, encoded=True)

    def _note_clock(self, date: str | None) -> None:
        try:
            told = parsedate_to_datetime(date or "")
        except (ValueError, OverflowError):
            return
        if told.tzinfo is not None:
            self.clock_offset = told - self._now()

    def _failure(self, where: str, error: Exception) -> TGCError:
        host = self._host
        match error:
            case aiohttp.ServerFingerprintMismatch():
                return TGCCertificateError(
                    f"{host} shows a certificate with the SHA-256 fingerprint {error.got.hex(':').upper()}, "
                    f"which is not the pinned one; pin it with {self._names.fingerprint} "
                    "if you know that it is the TGC's.",
                    where=where,
                )
            case aiohttp.ClientConnectorCertificateError():
                refused = error.certificate_error
                return TGCCertificateError(
                    f"The certificate of {host} is not trusted ({_reason(refused)}); {remedy(refused, self._names)}.",
                    where=where,
                )
            case WithheldError():
                return TGCWithheldError(
                    "Nothing was sent to the TGC, as it might not be any more; try again.", where=where
                )
            case aiohttp.ClientConnectorError():
                return TGCConnectionError(
                    f"There is no connection to {host} ({_reason(error.os_error)}); check its URL and the network.",
                    where=where,
                )
            case aiohttp.ClientResponseError():
                return TGCResponseError(f"{host} does not answer in proper HTTP; check the TGC's URL.", where=where)
            case TimeoutError():
                return TGCConnectionError(f"{host} did not answer in time; try again later.", where=where)
            case _:
                return TGCConnectionError(
                    f"The connection to {host} broke before the whole answer came; try again later.", where=where
                )


def _where(method: str, path: str) -> str:
    return f"{method} /api{path}"


def _is_worth_another_try(error: Exception) -> bool:
    if isinstance(error, TGCCertificateError):
        return False
    return isinstance(error, TGCConnectionError | TGCUnavailableError)


def _reason(error: BaseException) -> str:
    """`verify_message` of a certificate error, `strerror` of others."""
    return str(getattr(error, "verify_message", None) or getattr(error, "strerror", None) or type(error).__name__)
