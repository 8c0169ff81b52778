"""What the doctor says of the mail server: asked of a real one, which gets no mail."""

import pytest
import trustme

from bot.doctor.mail_check import check_mail
from bot.rendering.views import Finding, Mark
from bot.settings import Secret
from tests.mail_server import HOST, PASSWORD, URL_LOGIN, MailServer, serving, trusted

__all__ = ["trusted"]

pytestmark = pytest.mark.usefixtures("trusted")


async def found(url: str) -> Finding:
    finding = await check_mail(Secret(url))
    for text in (finding.sentence, finding.fix):
        assert "@" not in text
        assert PASSWORD not in text
    return finding


async def test_without_a_server_nothing_is_wrong() -> None:
    finding = await check_mail(None)
    assert (finding.mark, finding.sentence) == (Mark.OK, "It is not used, as SMTP_URL is not given.")


@pytest.mark.parametrize("is_tls", [False, True], ids=["STARTTLS", "TLS"])
async def test_it_logs_in_once_and_sends_nothing(is_tls: bool) -> None:
    async with serving(MailServer(is_tls=is_tls)) as server:
        finding = await found(server.url)
        assert (finding.mark, finding.sentence) == (
            Mark.OK,
            f"{HOST}:{server.port} takes the login of SMTP_URL, encrypted.",
        )
        assert server.logins == [PASSWORD]
        assert server.mails == []


@pytest.mark.parametrize(
    ("is_tls", "offers_starttls", "mark", "said"),
    [
        (False, True, Mark.OK, "is reached, encrypted and without a login."),
        (True, False, Mark.OK, "is reached, encrypted and without a login."),
        (False, False, Mark.WARNING, "offers no STARTTLS, so mail goes out in clear text."),
    ],
)
async def test_without_a_login_it_tells_whether_all_is_encrypted(
    is_tls: bool, offers_starttls: bool, mark: Mark, said: str
) -> None:
    async with serving(MailServer(is_open=True, is_tls=is_tls, offers_starttls=offers_starttls)) as server:
        finding = await found(server.url)
        assert (finding.mark, finding.sentence.endswith(said)) == (mark, True)


async def test_a_wrong_password_is_tried_once_and_told_with_the_risk() -> None:
    async with serving(MailServer()) as server:
        finding = await found(server.url.replace(URL_LOGIN, "bot:wrong"))
        assert finding.mark is Mark.ERROR
        assert "check user and password in SMTP_URL" in finding.sentence
        assert "accounts lock" in finding.fix
        assert server.logins == ["wrong"]


async def test_what_is_not_trusted_gets_no_password() -> None:
    strange = MailServer()
    strange.issued = trustme.CA().issue_cert(HOST)
    async with serving(strange) as server:
        finding = await found(server.url)
        assert (finding.mark, "certificate is not trusted" in finding.sentence) == (Mark.ERROR, True)
        assert server.logins == []


async def test_one_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.smtp.CHECKED_WITHIN_S", 0.0)
    async with serving(MailServer()) as server:
        finding = await found(server.url)
        assert (finding.mark, "does not answer in time" in finding.sentence) == (Mark.ERROR, True)
