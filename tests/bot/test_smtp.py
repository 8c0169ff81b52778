"""What the bot says to a mail server, and what it makes of its answers: against a real one, in this process."""

import asyncio
import ssl

import pytest
import trustme

from bot.smtp import LoginRefusedError, MailRefusedError, Smtp, SmtpError, TooLateError
from bot.smtp_url import parse_smtp_url
from tests.mail_server import HOST, PASSWORD, URL_LOGIN, MailServer, serving, trusted

__all__ = ["trusted"]

pytestmark = pytest.mark.usefixtures("trusted")

MAIL = b"Subject: hello\r\n\r\n.\r\nhello\r\n"
ALICE, BOB = "alice@example.com", "bob@example.com"


async def send(url: str, *, to: tuple[str, ...] = (ALICE, BOB), may_send: bool = True) -> None:
    smtp = Smtp(parse_smtp_url(url), lambda: may_send)
    await smtp.send(MAIL, sender="tintri-bot@example.com", recipients=to)


async def problem(url: str) -> str:
    with pytest.raises(SmtpError) as caught:
        await send(url)
    assert "@" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("is_tls", [False, True], ids=["STARTTLS", "TLS"])
async def test_it_logs_in_and_all_is_encrypted(is_tls: bool) -> None:
    async with serving(MailServer(is_tls=is_tls)) as server:
        await send(server.url)
        assert server.logins == [PASSWORD]
        assert server.were_encrypted == [True]
        assert server.recipients == [[ALICE, BOB]]
        assert server.mails[0].get_content().split() == [".", "hello"]


@pytest.mark.parametrize("offers_starttls", [True, False])
async def test_without_a_login_it_encrypts_where_that_is_offered(offers_starttls: bool) -> None:
    async with serving(MailServer(is_open=True, offers_starttls=offers_starttls)) as server:
        await send(server.url)
        assert server.were_encrypted == [offers_starttls]


async def test_a_password_never_goes_out_in_clear() -> None:
    async with serving(MailServer(offers_starttls=False)) as server:
        assert "offers no STARTTLS" in await problem(server.url)
        assert server.logins == []


@pytest.mark.parametrize("is_tls", [False, True], ids=["STARTTLS", "TLS"])
async def test_a_certificate_that_is_not_trusted_gets_nothing(is_tls: bool) -> None:
    strange = MailServer(is_tls=is_tls)
    strange.issued = trustme.CA().issue_cert(HOST)
    async with serving(strange) as server:
        assert "certificate is not trusted (unable to get local issuer certificate)" in await problem(server.url)
        assert server.logins == []


async def test_a_certificate_for_another_name_gets_nothing() -> None:
    async with serving(MailServer()) as server:
        assert "certificate is not trusted (Hostname mismatch)" in await problem(server.url.replace(HOST, "localhost"))
        assert server.logins == []


async def test_a_wrong_password_is_tried_once() -> None:
    async with serving(MailServer()) as server:
        with pytest.raises(LoginRefusedError, match=r"refuses the login \(535 5\.7\.8\): check user and password"):
            await send(server.url.replace(URL_LOGIN, "bot:wrong"))
        assert server.logins == ["wrong"]
        assert server.mails == []


async def test_who_does_not_take_it_is_told_apart() -> None:
    async with serving(MailServer()) as server:
        server.refused[BOB] = "550 5.1.1 <bob@example.com>: no such mailbox"
        with pytest.raises(MailRefusedError, match=r"refuses addresses of MAIL_TO \(550 5\.1\.1\)") as caught:
            await send(server.url)
        assert set(caught.value.refused) == {BOB}
        assert server.recipients == [[ALICE]]
        server.refused[ALICE] = "451 later"
        with pytest.raises(MailRefusedError, match=r"refuses addresses of MAIL_TO \(451\)"):
            await send(server.url)


async def test_a_mail_that_is_refused_says_nothing_of_others() -> None:
    async with serving(MailServer()) as server:
        server.judge = lambda _mail: "552 5.3.4 too large for <alice@example.com>"
        with pytest.raises(MailRefusedError, match=r"refuses this mail \(552 5\.3\.4\)") as caught:
            await send(server.url)
        assert set(caught.value.refused) == {ALICE, BOB}


async def test_a_server_that_is_away_breaks_off_or_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(MailServer()) as server:
        server.loses_answers = 1
        assert "broke off" in await problem(server.url)
        monkeypatch.setattr("bot.smtp.WITHIN_S", 0.3)
        server.goes_on.clear()
        assert "does not answer in time" in await problem(server.url)
        url = server.url
    assert "cannot be reached" in await problem(url)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"554 no\r\n", b"220 \xff\r\n500 \xff\r\n", b"\n"])
async def test_what_speaks_no_smtp_is_told(answer: bytes) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(babble, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await problem(f"smtp://{HOST}:{port}")).startswith("The mail server ")


async def test_nothing_goes_out_when_it_is_too_late() -> None:
    async with serving(MailServer()) as server:
        with pytest.raises(TooLateError):
            await send(server.url, may_send=False)
        assert server.mails == []


def test_the_default_context_checks_names_and_certificates() -> None:
    smtp = Smtp(parse_smtp_url("smtp://localhost"), lambda: True)
    assert smtp._tls.check_hostname
    assert smtp._tls.verify_mode is ssl.CERT_REQUIRED
