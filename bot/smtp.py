"""Speaks SMTP: one mail a connection, encrypted where a password goes along, and the server's certificate checked."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponse,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from bot.smtp_url import Login, SmtpServer

WITHIN_S = 60.0
"""For a mail, from connecting to the server's word that it took it."""
CHECKED_WITHIN_S = 15.0
"""For somebody who waits to hear whether the server is well."""
_STEP_S = 20.0
_GOODBYE_S = 5.0
_FINER_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SmtpError(Exception):
    """The mail was not taken, or nobody knows; `str()` is one sentence that names no address and no secret."""

    is_servers = True
    """Whether any other mail would fare no better."""


class TooLateError(SmtpError):
    """The bot hung: the server is not to blame."""


class LoginRefusedError(SmtpError):
    """To be tried seldom: accounts lock."""


class MailRefusedError(SmtpError):
    is_servers = False

    def __init__(self, problem: str, refused: Collection[str]) -> None:
        super().__init__(problem)
        self.refused = refused
        """The addresses that did not take it; others have."""


class Smtp:
    def __init__(self, server: SmtpServer, may_send: Callable[[], bool], *, named_in: str = "MAIL_TO") -> None:
        """`may_send`: asked right before a mail goes out. `named_in`: where the recipients are named."""
        self._server = server
        self._may_send = may_send
        self._named_in = named_in
        self._tls = ssl.create_default_context()

    async def send(self, mail: bytes, *, sender: str, recipients: Sequence[str]) -> None:
        """Raises SmtpError; where that is no MailRefusedError, nobody is known to have it."""
        try:
            async with asyncio.timeout(WITHIN_S):
                refused = await self._send(mail, sender, recipients)
        except (SMTPException, OSError, ValueError) as error:  # what is no SMTP may be no text either
            raise _told(error, recipients, self._named_in) from error
        if refused:
            (_, code), *_ = refused.items()
            raise MailRefusedError(_refused_addresses(code, self._named_in), refused)

    async def check(self) -> bool:
        """Log in and send nothing; whether all of it was encrypted. Raises SmtpError."""
        try:
            async with asyncio.timeout(CHECKED_WITHIN_S), self._connected() as client:
                await client.ehlo()
                return client.get_transport_info("cipher") is not None
        except (SMTPException, OSError, ValueError) as error:
            raise _told(error, (), self._named_in) from error

    async def _send(self, mail: bytes, sender: str, recipients: Sequence[str]) -> dict[str, str]:
        """Who refused it, and with which code."""
        async with self._connected() as client:
            if not self._may_send():
                raise TooLateError("It was not sent, as another process may be at it.")
            refused, _ = await client.sendmail(sender, recipients, mail)
        return {address: _code(answer) for address, answer in refused.items()}

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        """Logged in, where there is a login."""
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.is_tls,
            start_tls=False if server.is_tls else bool(server.login) or None,  # None: where it is offered
            tls_context=self._tls,
            timeout=_STEP_S,
        )
        try:
            await client.connect()
            if server.login:
                await _log_in(client, server.login)
            yield client
            with suppress(SMTPException, OSError):
                await client.quit(timeout=_GOODBYE_S)
        finally:
            client.close()


async def _log_in(client: SMTP, login: Login) -> None:
    """Once: the library would try a refused password again in every way that the server offers, and accounts lock."""
    await client.ehlo()
    if "plain" in client.server_auth_methods:
        await client.auth_plain(login.username, login.password)
    elif "login" in client.server_auth_methods:
        await client.auth_login(login.username, login.password)
    else:
        raise SmtpError("The mail server offers no login by PLAIN or LOGIN: give another one in SMTP_URL.")


def _told(error: Exception, recipients: Sequence[str], named_in: str) -> SmtpError:
    """Without the server's own words, which may repeat addresses, or what it was sent as a password."""
    if untrusted := _untrusted(error):
        why, _, _ = untrusted.verify_message.partition(",")
        return SmtpError(f"The mail server's certificate is not trusted ({why}): trust its CA on this machine.")
    match error:
        case SMTPResponseException() | SMTPRecipientsRefused():
            return _answered(error, recipients, named_in)
        case TimeoutError():
            return SmtpError("The mail server does not answer in time: check SMTP_URL, and that it is well.")
        case SMTPServerDisconnected():
            return SmtpError("The mail server broke off: look into its log.")
        case OSError():
            return SmtpError("The mail server cannot be reached: check SMTP_URL, and that it runs.")
        case SMTPException() if "STARTTLS" in error.message:
            return SmtpError(
                "The mail server offers no STARTTLS, and a password goes out encrypted only: use smtps://."
            )
        case _:
            return SmtpError("The mail server does not speak SMTP as the bot knows it: check SMTP_URL.")


def _answered(
    error: SMTPResponseException | SMTPRecipientsRefused, recipients: Sequence[str], named_in: str
) -> SmtpError:
    if isinstance(error, SMTPRecipientsRefused):
        return MailRefusedError(_refused_addresses(_code(error.recipients[0]), named_in), recipients)
    code = _code(error)
    match error:
        case SMTPAuthenticationError():
            return LoginRefusedError(
                f"The mail server refuses the login ({code}): check user and password in SMTP_URL."
            )
        case SMTPSenderRefused():
            return SmtpError(f"The mail server refuses the sender ({code}): check MAIL_FROM.")
        case SMTPDataError():
            return MailRefusedError(f"The mail server refuses this mail ({code}): look into its log.", recipients)
        case _:
            return SmtpError(f"The mail server does not go on ({code}): look into its log.")


def _refused_addresses(code: str, named_in: str) -> str:
    return f"The mail server refuses addresses of {named_in} ({code}): check them."


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error


def _code(answer: SMTPResponse | SMTPResponseException) -> str:
    """`550 5.1.1`: the server's code, and the finer one where it gives one."""
    finer = _FINER_CODE.match(answer.message)
    return f"{answer.code} {finer[0]}" if finer else str(answer.code)
