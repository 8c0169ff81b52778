"""A mail as it goes over the wire: headers that no name can break, text and HTML side by side."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import make_msgid
from typing import Any

import msgspec

from bot.recommendations import Key
from bot.rendering.mail import Mail
from bot.storage.mails import MailKind


class _AsItIs(BaseHeader):
    """For an id: the library would encode a long one as if it were words."""

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds.update(decoded=value, parse_tree=None)

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_LONGEST_WORD = 60
"""A longer one would not fit beside the header's name, and as it is it cannot be cut."""


class _Words(_AsItIs):
    """For outside text: the library would decode what looks encoded in it, and begin a long one with an empty line."""

    def fold(self, *, policy: Policy) -> str:
        is_simple = self.isascii() and "=?" not in self and max(map(len, self.split(" "))) <= _LONGEST_WORD
        words = Header(str(self), None if is_simple else "utf-8", header_name=self.name)
        return f"{self.name}: {words.encode(linesep=policy.linesep)}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Words)
_HEADERS.map_to_type("in-reply-to", _AsItIs)
_HEADERS.map_to_type("references", _AsItIs)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def message_id(key: Key, kind: MailKind, sender: str) -> str:
    """The same whenever it is sent, from whatever database."""
    digest = hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:32]
    return f"<{kind}.{digest}@{sender.rpartition('@')[2]}>"


def compose(mail: Mail, kind: MailKind, key: Key, *, sender: str, to: Sequence[str], at: datetime) -> bytes:
    """`to`: as its head shows it. What follows the first mail of a recommendation is an answer to that."""
    message = _message(mail, message_id(key, kind, sender), sender=sender, to=to, at=at)
    if kind is not MailKind.AVAILABLE:
        first = message_id(key, MailKind.AVAILABLE, sender)
        message["In-Reply-To"] = first
        message["References"] = first
    return message.as_bytes()


def compose_report(mail: Mail, *, sender: str, to: Sequence[str], at: datetime) -> bytes:
    """Each is a thread of its own."""
    own_id = make_msgid(domain=sender.rpartition("@")[2])
    return _message(mail, own_id, sender=sender, to=to, at=at).as_bytes()


def _message(mail: Mail, own_id: str, *, sender: str, to: Sequence[str], at: datetime) -> EmailMessage:
    message = EmailMessage(_POLICY)
    message["Date"] = at
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = mail.subject
    message["Message-ID"] = own_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    # Quoted-printable, so that it passes any relay, whatever the length of a line.
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message
