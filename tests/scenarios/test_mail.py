"""Mail beside the cards: one when there is something to decide, one when its moves have ended, whatever comes."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import msgspec
import pytest

from bot.app import LEASE_LIFE
from bot.rendering import ids
from bot.settings import Secret
from playground.slack_workspace import Message
from tests.mail_server import PASSWORD, MailServer, serving, trusted
from tests.scenarios.stage import STORAGE, Stage, free_port, open_stage
from tests.scenarios.surprises import surprises

__all__ = ["trusted"]

pytestmark = [pytest.mark.extended, pytest.mark.usefixtures("trusted")]

FROM, TO = "tintri-bot@example.com", ("storage@example.com", "alice@example.com")


class Readiness(msgspec.Struct):
    ready: bool
    mail: str


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with serving(MailServer()) as server:
        yield server


@pytest.fixture
async def stage(tmp_path: Path, server: MailServer) -> AsyncIterator[Stage]:
    """One pool, Production, and a mail server; the clock may jump."""
    async with open_stage(tmp_path, pools=1) as opened:
        opened.use_http()
        opened.set(smtp_url=Secret(server.url), mail_from=FROM, mail_to=TO, reco_refresh_seconds=60)
        yield opened
        server.goes_on.set()


async def readiness(stage: Stage) -> Readiness:
    url = f"http://127.0.0.1:{stage.settings.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return msgspec.json.decode(await response.read(), type=Readiness)


async def metric(stage: Stage, name: str) -> str:
    url = f"http://127.0.0.1:{stage.settings.port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        lines = (await response.text()).splitlines()
    return next(line.partition(" ")[2] for line in lines if line.startswith(f"{name} "))


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Its text, each word apart from the next by one blank, and its HTML."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return " ".join(text.get_content().split()), html.get_content()


async def ended(stage: Stage, card: Message) -> None:
    """Alice accepts, and all moves are made."""
    await stage.slack.person("alice").click(card, ids.ACCEPT)
    await stage.until(lambda: "running" in str(card.blocks))
    await stage.jump(hours=2)
    await stage.until(lambda: stage.slack.channel(STORAGE).replies(card.ts))


async def test_a_card_and_the_end_of_its_moves_are_mailed_once_as_one_thread(stage: Stage, server: MailServer) -> None:
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await stage.until(lambda: server.mails)
    await stage.restart_bot()
    await ended(stage, card)
    await stage.until(lambda: len(server.mails) == 2)
    await stage.restart_bot()
    await stage.jump(minutes=2)
    offered, done = server.mails
    assert server.recipients == [[*TO], [*TO]]
    assert server.were_encrypted == [True, True]

    assert (offered["From"], offered["To"], offered["Auto-Submitted"]) == (FROM, ", ".join(TO), "auto-generated")
    assert offered["Subject"].startswith("Production: 4 VMs to move")
    assert offered["Date"].datetime.isoformat() == "2026-03-10T06:15:30+00:00"
    assert offered["Message-ID"].endswith("@example.com>")
    assert "In-Reply-To" not in offered
    text, html = parts(offered)
    assert text.startswith(offered["Subject"])
    assert "Moves: 2 waves, 4 VMs" in text
    assert "Moves: 2 waves, 4 VMs" in html

    assert done["Subject"].startswith("Production: 4 of 4 VMs moved")
    assert done["Message-ID"] != offered["Message-ID"] == done["In-Reply-To"] == done["References"]
    assert "accepted by alice" in parts(done)[0]
    assert (await readiness(stage)).mail == "ok"
    assert await metric(stage, "tintri_bot_mails_waiting") == "0.0"


async def test_nothing_is_mailed_without_a_server_nor_later_of_what_came_before(
    stage: Stage, server: MailServer
) -> None:
    stage.set(smtp_url=None)
    await stage.start_bot()
    await stage.cards_posted(1)
    await stage.settle()
    assert (await readiness(stage)).mail == "off"
    stage.set(smtp_url=Secret(server.url))
    await stage.restart_bot()
    await stage.jump(minutes=2)
    assert server.mails == []


async def test_a_server_that_hangs_delays_no_card(stage: Stage, server: MailServer) -> None:
    server.goes_on.clear()
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await ended(stage, card)  # all the while a mail is under way
    assert server.mails == []
    server.goes_on.set()
    await stage.until(lambda: len(server.mails) == 2)


async def test_a_server_that_is_away_is_told_and_gets_all_when_it_is_back(stage: Stage, server: MailServer) -> None:
    await server.stop()
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await ended(stage, card)
    told = await readiness(stage)
    assert told.ready
    assert told.mail == (
        "failing since 2026-03-10T06:15:32+00:00: The mail server cannot be reached: check SMTP_URL, and that it runs."
    )
    assert await metric(stage, "tintri_bot_mails_waiting") == "2.0"
    await server.start()
    await stage.jump(minutes=31)
    assert [mail["Subject"].partition(",")[0] for mail in server.mails] == [
        "Production: 4 VMs to move",
        "Production: 4 of 4 VMs moved",
    ]
    assert (await readiness(stage)).mail == "ok"


async def test_a_refused_login_is_tried_seldom_and_again_when_the_bot_starts(
    tmp_path: Path, server: MailServer
) -> None:
    """Accounts lock: one mail asks for all."""
    async with open_stage(tmp_path, pools=3, moves=1) as stage:
        stage.use_http()
        wrong = server.url.replace("p%40ss", "wrong")
        stage.set(smtp_url=Secret(wrong), mail_from=FROM, mail_to=TO, reco_refresh_seconds=86_400)
        await server.stop()
        await stage.start_bot()
        await stage.cards_posted(3)
        await server.start()
        await stage.jump(minutes=2)
        await stage.jump(minutes=27)
        assert server.logins == [PASSWORD.replace("p@ss", "wrong")]
        told = (await readiness(stage)).mail
        assert told.endswith("The mail server refuses the login (535 5.7.8): check user and password in SMTP_URL.")
        stage.set(smtp_url=Secret(server.url))
        await stage.restart_bot()
        await stage.jump(seconds=10)
        assert len(server.mails) == 3


async def test_after_a_lost_answer_the_same_mail_comes_again(stage: Stage, server: MailServer) -> None:
    server.loses_answers = 1
    await stage.start_bot()
    await stage.until(lambda: len(server.mails) == 2)
    first, again = server.mails
    assert first.as_bytes().partition(b"boundary=")[0] == again.as_bytes().partition(b"boundary=")[0]
    assert parts(first) == parts(again)
    await stage.jump(minutes=3)
    assert len(server.mails) == 2


async def test_a_bot_that_ends_while_it_sends_sends_it_again(stage: Stage, server: MailServer) -> None:
    """Its row stays taken; whoever comes next waits for that lease to end."""
    stage.lease_life = LEASE_LIFE
    server.goes_on.clear()
    await stage.start_bot()
    await stage.cards_posted(1)
    await stage.until(lambda: stage.place.rows("SELECT 1 FROM mails WHERE owner IS NOT NULL"))
    await stage.restart_bot()
    server.goes_on.set()
    await stage.until(lambda: server.mails)
    await stage.jump(minutes=2)
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


async def test_who_does_not_take_it_is_asked_again_alone(stage: Stage, server: MailServer) -> None:
    server.refused[TO[1]] = "450 4.2.2 mailbox full"
    await stage.start_bot()
    card = (await stage.cards_posted(1))[0]
    await stage.until(lambda: server.mails)
    await ended(stage, card)
    await stage.until(lambda: len(server.mails) == 2)  # one address holds up nobody else
    assert "refuses addresses of MAIL_TO (450 4.2.2)" in (await readiness(stage)).mail
    server.refused.clear()
    await stage.jump(minutes=31)
    assert server.recipients == [[TO[0]], [TO[0]], [TO[1]], [TO[1]]]
    assert server.mails[2]["To"] == ", ".join(TO)
    assert (await readiness(stage)).mail == "ok"


async def test_a_mail_at_which_the_server_always_breaks_off_holds_back_no_other(tmp_path: Path) -> None:
    async with serving(MailServer()) as server, open_stage(tmp_path, pools=3, moves=1) as stage:
        stage.use_http()
        stage.set(smtp_url=Secret(server.url), mail_from=FROM, mail_to=TO, reco_refresh_seconds=86_400)
        server.judge = lambda mail: "" if mail["Subject"].startswith(f"{stage.world.pools[0].name}:") else None
        await stage.start_bot()
        await stage.until(lambda: len(server.mails) == 2)
        assert "The mail server broke off" in (await readiness(stage)).mail
        assert await metric(stage, "tintri_bot_mails_waiting") == "1.0"


async def test_it_is_given_up_after_two_days(stage: Stage, server: MailServer) -> None:
    await server.stop()
    with surprises() as watched:
        await stage.start_bot()
        await stage.cards_posted(1)
        await stage.until(lambda: stage.place.rows("SELECT 1 FROM mails WHERE attempts > 0"))
        for _ in range(5):
            await stage.jump(hours=12)
        assert stage.place.rows("SELECT mail, owed_to, problem FROM mails WHERE ended_at IS NULL") == []
        assert watched.take() == []
    await server.start()
    await stage.jump(minutes=1)
    assert server.mails == []


async def test_two_replicas_queue_and_send_each_once(stage: Stage, server: MailServer) -> None:
    stage.lease_life = LEASE_LIFE
    await stage.start_bot()
    await stage.until(lambda: server.mails)
    stage.set(port=free_port())
    await stage.start_bot()
    stage.world.new_recommendation(stage.world.pools[0])
    await stage.jump(minutes=3)
    assert len(stage.cards) == 2
    assert len(server.mails) == 2


async def test_hostile_names_break_no_header_and_no_page(tmp_path: Path) -> None:
    async with serving(MailServer()) as server, open_stage(tmp_path, pools=3, hostile=True) as stage:
        stage.use_http()
        stage.set(smtp_url=Secret(server.url), mail_from=FROM, mail_to=TO)
        await stage.start_bot()
        await stage.until(lambda: len(server.mails) == 3)
        for mail in server.mails:
            assert mail.keys() == list(dict.fromkeys(mail.keys()))
            assert mail["From"] == FROM
            assert mail.defects == []
            assert "<script" not in parts(mail)[1]
