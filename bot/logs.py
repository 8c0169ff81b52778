"""One way for every log line, ours and the libraries': to stderr, with nothing in it that must stay secret.

The finished line is cleaned, so that it does not matter where in a message, an argument or a traceback a secret stood.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from structlog.typing import Processor

from bot.settings import LogFormat, Secret

_MASK = "***"
_SHORTEST_SECRET = 4
"""Characters; hiding less would only make the log unreadable."""


def configure(level: str, format: LogFormat, secrets: Iterable[Secret]) -> None:  # noqa: A002 (the setting's name)
    """Replaces whatever was configured before."""
    console = format == "console"
    handler = _CleanHandler(sys.stderr, Cleaner(secrets))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_about_the_line(console=console),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(console=console)],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    _quieten(level)
    set_on_retry_hooks([_tell_retry])
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_about_the_line(console=console),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _about_the_line(*, console: bool) -> list[Processor]:
    # People read their own wall clock, machines compare UTC.
    stamp = structlog.processors.TimeStamper("%Y-%m-%d %H:%M:%S", utc=False) if console else _utc_stamp()
    return [stamp, structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]


def _utc_stamp() -> structlog.processors.TimeStamper:
    return structlog.processors.TimeStamper("iso", utc=True)


def _rendering(*, console: bool) -> list[Processor]:
    # Tracebacks are plain: structlog's default prints local variables and wraps lines, in the middle of secrets too.
    if console:
        return [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                repr_native_str=True,  # control characters in a name stay harmless
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _quieten(level: str) -> None:
    """What libraries say about themselves is for those who look for a mistake."""
    number = logging.getLevelNamesMapping()[level]
    for name in ("aiosqlite", "asyncio", "slack_sdk.webhook"):  # the last one tells response_urls, whatever their look
        logging.getLogger(name).setLevel(max(logging.INFO, number))
    for name in ("alembic", "slack_bolt", "slack_sdk.socket_mode", "slack_sdk.web"):
        logging.getLogger(name).setLevel(number if number <= logging.DEBUG else max(logging.WARNING, number))


def _tell_retry(details: RetryDetails) -> None:
    """In the place of stamina's own warning, which shows objects; what fails in the end is told by whoever asked."""
    error = details.caused_by
    structlog.get_logger(__name__).debug(
        "failed, and is tried again",
        after_s=round(details.wait_for, 2),
        reason=str(error),
        request=getattr(error, "where", None),
    )


class _CleanHandler(logging.StreamHandler[Any]):
    def __init__(self, stream: Any, cleaner: "Cleaner") -> None:
        super().__init__(stream)
        self._cleaner = cleaner

    def format(self, record: logging.LogRecord) -> str:
        return self._cleaner.clean(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        # logging's own prints message and arguments as they are.
        with contextlib.suppress(OSError, ValueError):  # the stream itself may be gone
            error = type(sys.exception()).__name__
            self.stream.write(f"A log line of {record.pathname}:{record.lineno} could not be written: {error}\n")


_QUOTING = r"""(?:[\s"'\\(\[+]|b(?=["'])|%(?:25)*(?:2[027]|5c)|\x1b\[[\d;]*m)*+"""
"""What may stand around the sign between a key and its value: in text, JSON, forms, reprs, colours."""
_IS = rf"{_QUOTING}(?:[:=,]|%(?:25)*3[ad]){_QUOTING}"
_SLASH = r"(?:\\*+/|(?:%(?:25)*5c)*+%(?:25)*2f)"
_REST_OF_URL = rf"""(?:{_SLASH}|(?!(?:%(?:25)*5c)*+%(?:25)*2[27])[^\s"'\\&<>\x1b])+"""
_TEAM_AND_ID = rf"(?-i:[TE][A-Z0-9]+{_SLASH}[A-Z0-9]+)"
_REST_OF_VALUE = r"""[^\s"'\\&;,<>\x1b]+"""

_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        r"(xox[a-z]-|xapp-)[\w-]+",
        # Whoever has a response_url may post into the channel (slack/README.md 3.3).
        rf"(hooks\.slack[\w.-]*(?::\d+)?{_SLASH}){_REST_OF_URL}",
        rf"({_SLASH}(?:commands|actions|app|workflows|services){_SLASH}){_TEAM_AND_ID}{_SLASH}{_REST_OF_URL}",
        rf"(response_url{_IS})http{_REST_OF_URL}",
        # Slack's deprecated verification token comes with each command and interaction.
        rf"(token{_IS})[A-Z0-9]{{20,}}",
        rf"(ticket(?:=|%(?:25)*3d)){_REST_OF_VALUE}",
        rf"(JSESSIONID{_IS}){_REST_OF_VALUE}",
        rf"(Authorization{_IS}(?:(?:Basic|Bearer)\s+)?){_REST_OF_VALUE}",
        r"(Bearer\s+)[\w.~+/=-]{8,}",
        rf"({_SLASH}{{2}}[^\s:/@\"'\\]*:)[^\s/@\"'\\]+(?=@)",
    )
)
"""What looks secret though nobody told us; the group is what stays."""


class Cleaner:
    """Masks the given secrets, and what looks like one, in finished text."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        known = {secret.reveal() for secret in secrets if len(secret.reveal()) >= _SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(_any_spelling, longest_first))) if known else None

    def clean(self, text: str) -> str:
        if self._known:
            text = self._known.sub(_MASK, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\g<1>{_MASK}", text)
        return text


_BACKSLASHES = r"(?:\\|%(?:25)*5c)*"


def _any_spelling(secret: str) -> str:
    """A pattern for the secret as it is, and escaped for JSON, a repr, bytes or a URL, however many times over."""
    # A backslash left before the mask would be half an escape in JSON.
    return r"\\*+" * secret[0].isalnum() + "".join(map(_spellings, re.findall(r"\\+|[^\\]", secret)))


def _spellings(part: str) -> str:
    """For one character, or for a run of backslashes, of which escaping only makes more."""
    if part.startswith("\\"):
        return r"(?i:\\++|(?:%(?:25)*5c)++)"
    if part.isascii() and part.isalnum():
        return part
    utf8 = part.encode(errors="surrogatepass")
    utf16 = part.encode("utf-16-be", errors="surrogatepass")
    ways = [
        rf"{_BACKSLASHES}{re.escape(part)}",
        _BACKSLASHES + "".join(rf"%(?:25)*{byte:02x}" for byte in utf8),
        "".join(rf"{_BACKSLASHES}x{byte:02x}" for byte in utf8),
        "".join(rf"{_BACKSLASHES}u{utf16[start : start + 2].hex()}" for start in range(0, len(utf16), 2)),
        rf"{_BACKSLASHES}U{ord(part):08x}",
        rf"{_BACKSLASHES}x{ord(part):02x}",
    ]
    if part == " ":
        ways.append(r"\+|%(?:25)*2b")
    return f"(?i:{'|'.join(ways)})"
