"""What settings must look like that the environment and the configuration file both have.

Each raises a ValueError that says what to give instead.
"""

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_WEB_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|\w[\w.-]*)(?::\d{1,5})?(?:/[\w./~-]*)?", re.IGNORECASE)


def parse_text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("take out the line breaks and control characters")
    return text


def parse_web_url(text: str, example: str) -> SplitResult:
    if "@" in text:
        raise ValueError("take user name and password out of the URL")
    if not _WEB_URL.fullmatch(text):
        raise ValueError(f"give a URL such as {example}")
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it checks its range
    except ValueError:
        raise ValueError(f"give a URL such as {example}, with a port and an address that exist") from None
    return parts


def parse_tgc_url(text: str) -> str:
    parts = parse_web_url(text, "https://tgc.example.com")
    if parts.path not in {"", "/", "/api", "/api/"}:
        raise ValueError("give a URL such as https://tgc.example.com, with nothing after the host and port")
    return f"{parts.scheme}://{parts.netloc}"


def tgc_address(url: str) -> tuple[str, str, int]:
    """The same for all ways to write one URL that `parse_tgc_url` takes: scheme, host, port."""
    parts = urlsplit(url)
    port = parts.port if parts.port is not None else {"https": 443, "http": 80}[parts.scheme]
    return parts.scheme, parts.hostname or "", port


def parse_ca_file(text: str) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=text)
    except (OSError, ValueError):
        raise ValueError("give a readable file of CA certificates in PEM form") from None
    return Path(text)


def parse_fingerprint(text: str) -> str:
    digits = re.sub(r"[:\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError("give the SHA-256 of the certificate, 64 hexadecimal digits with or without colons")
    return digits


def parse_schedule(text: str) -> str:
    fields = text.split()
    try:
        # A sixth field would be seconds; a day that never comes ends the iteration.
        comes = len(fields) == 5 and next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)), None)  # noqa: PLR2004
    except (CronSimError, ValueError):
        comes = None
    if not comes:
        raise ValueError("give five cron fields whose time comes, such as 15 6,18 * * *")
    return " ".join(fields)


def parse_zone(value: object) -> ZoneInfo:
    """The file may hold anything there."""
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (LookupError, OSError, ValueError):
        raise ValueError("give an IANA time zone such as Europe/Berlin") from None
