"""`tintri-bot reco --mail-to`, as a process of its own, between a simulated TGC and a real mail server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault
from tests.bot.test_cli import CommandLine, tgc, tintri_bot
from tests.mail_server import CA, PASSWORD, URL_LOGIN, MailServer, serving

pytestmark = pytest.mark.extended

__all__ = ["tgc", "tintri_bot"]

TO = ("--mail-to", "storage@example.com", "--mail-to", "alice@example.com")


@pytest.fixture
async def server(tintri_bot: CommandLine, tmp_path: Path) -> AsyncIterator[MailServer]:
    CA.cert_pem.write_to_path(str(tmp_path / "mail-ca.pem"))
    async with serving(MailServer()) as server:
        tintri_bot.environment |= {
            "SSL_CERT_FILE": str(tmp_path / "mail-ca.pem"),
            "SMTP_URL": server.url,
            "MAIL_FROM": "tintri-bot@example.com",
        }
        yield server


async def test_it_mails_what_it_prints(tintri_bot: CommandLine, server: MailServer) -> None:
    ran = await tintri_bot("reco", *TO)
    assert (ran.code, ran.err) == (0, "")
    (mail,) = server.mails
    assert server.recipients == [["storage@example.com", "alice@example.com"]]
    assert (mail["From"], mail["To"]) == ("tintri-bot@example.com", "storage@example.com, alice@example.com")
    assert mail["Subject"] == "127.0.0.1: 3 of 3 pools have a recommendation"
    assert mail["Message-ID"].endswith("@example.com>")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == ran.out
    assert "Moves: 2 waves, 4 VMs" in html.get_content()


async def test_a_pool_that_could_not_be_read_is_mailed_with_the_rest_and_ends_it_with_1(
    tintri_bot: CommandLine, tgc: SimulatedTgc, server: MailServer
) -> None:
    tgc.fault(Fault("drop_before", f"{tgc.world.pools[0].uuid}/recommendation/current", times=None))
    ran = await tintri_bot("reco", *TO)
    assert ran.code == 1
    assert "1 could not be read" in server.mails[0]["Subject"]


async def test_what_is_not_taken_is_one_sentence_and_ends_it_with_1(
    tintri_bot: CommandLine, server: MailServer
) -> None:
    server.refused["alice@example.com"] = "550 5.1.1 no such mailbox"
    ran = await tintri_bot("reco", *TO)
    assert (ran.code, ran.err) == (1, "The mail server refuses addresses of --mail-to (550 5.1.1): check them.\n")
    assert "3 of 3 pools have a recommendation" in ran.out
    assert server.recipients == [["storage@example.com"]]

    ran = await tintri_bot("reco", *TO, SMTP_URL=server.url.replace(URL_LOGIN, "bot:wr0ng-one"))
    assert (ran.code, ran.err) == (
        1,
        "The mail server refuses the login (535 5.7.8): check user and password in SMTP_URL.\n",
    )
    assert "wr0ng-one" not in ran.out
    assert server.logins == [PASSWORD, "wr0ng-one"]


async def test_without_a_mail_server_nothing_is_done(tintri_bot: CommandLine) -> None:
    ran = await tintri_bot("reco", *TO)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("SMTP_URL is missing, and --mail-to is given: give smtps://")
    assert tintri_bot.tgc.calls == []
