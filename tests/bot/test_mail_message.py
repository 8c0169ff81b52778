"""What goes over the wire can be read back by anybody, whatever the names are."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

from hypothesis import HealthCheck, example, given, settings

from bot.mail_message import compose, message_id
from bot.recommendations import Key
from bot.rendering.mail import Mail, render_mail
from bot.rendering.views import Standing
from bot.storage.mails import MailKind
from tests.bot.rendering.samples import view
from tests.bot.rendering.strategies import TEXTS
from tests.bot.rendering.test_mail import ZONE

KEY = Key("default", "pool", "recommendation")
AT = datetime(2026, 3, 10, 6, 15, tzinfo=UTC)
TO = ("storage@example.com", "alice@example.com")
HEADERS = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def sent(mail: Mail, kind: MailKind = MailKind.AVAILABLE, sender: str = "bot@example.com") -> EmailMessage:
    """As the other end reads it."""
    raw = compose(mail, kind, KEY, sender=sender, to=TO, at=AT)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b": \r\n" not in raw.partition(b"\r\n\r\n")[0].replace(b":\r\n", b": \r\n")
    assert raw.isascii()
    read = email.message_from_bytes(raw, policy=default)
    assert isinstance(read, EmailMessage)
    assert not [part for part in read.walk() if part.defects]
    return read


def test_a_thread_hangs_together_by_ids_that_any_database_makes() -> None:
    mail = render_mail(view("available", Standing.OFFERED), zone=ZONE, people={})
    first, end = sent(mail), sent(mail, MailKind.ENDED)
    assert first["Message-ID"] == message_id(KEY, MailKind.AVAILABLE, "bot@example.com")
    assert first["Message-ID"] == "<available.ae6591b435b73b276ce52a2186e87284@example.com>"
    assert end["In-Reply-To"] == end["References"] == first["Message-ID"]
    others = (Key("default", "pool", "other"), Key("default", "other", "recommendation"))
    ids = {message_id(key, kind, "bot@example.com") for key in (KEY, *others) for kind in MailKind}
    assert len(ids) == 6


def test_a_long_id_is_not_taken_for_words() -> None:
    sender = f"bot@{'a-long-name.' * 12}example.com"
    end = compose(Mail(subject="s", text="t", html="h"), MailKind.ENDED, KEY, sender=sender, to=TO, at=AT)
    assert f"References: {message_id(KEY, MailKind.AVAILABLE, sender)}\r\n".encode() in end


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(TEXTS)
@example("=?utf-8?q?owned?=")
@example("Production" * 6)
@example("0" * 67)
def test_no_name_adds_a_header_or_breaks_the_mail(pool_name: str) -> None:
    mail = render_mail(view("available", Standing.OFFERED, pool_name=pool_name), zone=ZONE, people={})
    read = sent(mail)
    assert read.keys() == HEADERS
    assert read["From"] == "bot@example.com"
    assert read["Subject"] == mail.subject
    text, html = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == mail.text
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == mail.html
