"""A real mail server in the test's own loop, which a test stops, slows down, or has refuse what comes."""

import asyncio
import email
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CA = trustme.CA()
HOST = "127.0.0.1"
USER, PASSWORD = "bot@example.com", "p@ss w0rd-für-Post"
URL_LOGIN = "bot%40example.com:p%40ss%20w0rd-f%C3%BCr-Post"


class MailServer:
    """Takes mail over STARTTLS or, `is_tls`, over TLS from the first byte; from `USER` alone, unless `is_open`."""

    def __init__(self, *, is_tls: bool = False, is_open: bool = False, offers_starttls: bool = True) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        """Whom each of them was for, on the envelope."""
        self.logins: list[str] = []
        """The password of each try."""
        self.were_encrypted: list[bool] = []
        self.refused: dict[str, str] = {}
        """The answer for an address."""
        self.judge: Callable[[EmailMessage], str | None] = lambda _mail: None
        """Gives the answer to a mail that is not taken; with an empty one the connection breaks."""
        self.loses_answers = 0
        """So many mails are taken, and the connection breaks before that is said."""
        self.goes_on = asyncio.Event()
        """While it is not set, no mail is taken, and none refused."""
        self.goes_on.set()
        self.issued = CA.issue_cert(HOST)
        self._is_tls = is_tls
        self._is_open = is_open
        self._offers_starttls = offers_starttls
        self._server: asyncio.Server | None = None
        self._sessions: set[SMTP] = set()
        self.port = 0

    @property
    def url(self) -> str:
        login = "" if self._is_open else f"{URL_LOGIN}@"
        return f"{'smtps' if self._is_tls else 'smtp'}://{login}{HOST}:{self.port}"

    async def start(self) -> None:
        """On the same port as before."""
        self._server = await asyncio.get_running_loop().create_server(
            self._session, HOST, self.port, ssl=self._tls() if self._is_tls else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for session in self._sessions:
                if session.transport is not None:
                    session.transport.close()
            self._sessions.clear()
            await self._server.wait_closed()
            self._server = None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issued.configure_cert(context)
        return context

    def _session(self) -> SMTP:
        needs_starttls = not self._is_tls and not self._is_open and self._offers_starttls
        session = SMTP(
            self,
            hostname="mail.example.com",
            ident="a test",
            tls_context=self._tls() if self._offers_starttls and not self._is_tls else None,
            authenticator=None if self._is_open else self._authenticate,
            auth_required=needs_starttls,
            auth_require_tls=needs_starttls,
        )
        self._sessions.add(session)
        return session

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append(given.password.decode())
        return AuthResult(success=(given.login.decode(), given.password.decode()) == (USER, PASSWORD), handled=False)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await self.goes_on.wait()
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        answer = self.judge(mail)
        if answer is not None:
            return answer or self._break(server)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        self.were_encrypted.append(self._is_tls or session.ssl is not None)
        if self.loses_answers:
            self.loses_answers -= 1
            return self._break(server)
        return "250 2.0.0 OK"

    def _break(self, server: SMTP) -> str:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "421 nobody hears this"


@asynccontextmanager
async def serving(server: MailServer) -> AsyncIterator[MailServer]:
    await server.start()
    try:
        yield server
    finally:
        server.goes_on.set()
        await server.stop()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has this machine trust the server's CA, as docs/operating.md says it."""
    CA.cert_pem.write_to_path(str(tmp_path / "mail-ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail-ca.pem"))
