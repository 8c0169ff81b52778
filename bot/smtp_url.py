"""Where mail goes out, as SMTP_URL says it."""

import re
from urllib.parse import unquote, urlsplit

import msgspec

_TLS_PORT, _SUBMISSION_PORT, _RELAY_PORT = 465, 587, 25
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9a-f:.]+")
_EXPECTED = (
    "give smtp://HOST, smtp://USER:PASSWORD@HOST or smtps://USER:PASSWORD@HOST, with :PORT where it is unusual,"
    " and signs other than letters and digits in the password written as %40 for @"
)


class Login(msgspec.Struct, frozen=True):
    username: str
    password: str

    def __repr__(self) -> str:
        return "Login(…)"


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: int
    is_tls: bool
    """From the first byte on; else by STARTTLS."""
    login: Login | None


def parse_smtp_url(text: str) -> SmtpServer:
    """Raises ValueError, which says what to give instead and nothing of the text."""
    try:
        parts = urlsplit(text)
        port = parts.port
        username, password = (unquote(part or "", errors="strict") for part in (parts.username, parts.password))
    except ValueError:
        raise ValueError(_EXPECTED) from None
    is_plain_place = parts.path in {"", "/"} and not parts.query and not parts.fragment
    if parts.scheme not in {"smtp", "smtps"} or not is_plain_place or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(_EXPECTED)
    if not (username + password).isprintable():
        raise ValueError("take the control characters out of user and password")
    if bool(username) != bool(password):
        raise ValueError("give user and password, or neither")
    login = Login(username, password) if username else None
    usual = _TLS_PORT if parts.scheme == "smtps" else _SUBMISSION_PORT if login else _RELAY_PORT
    return SmtpServer(host=parts.hostname or "", port=port or usual, is_tls=parts.scheme == "smtps", login=login)
