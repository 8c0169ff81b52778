"""What all checks have in common: one that fails hides no other, and one that cannot be made says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from bot.rendering.views import Finding, Mark
from bot.slack import SlackError, SlackRefusedError
from tgc.errors import TGCConnectionError, TGCError

_log = structlog.get_logger(__name__)

WITHIN_S = 20.0
"""For one check: somebody waits for all of them."""


class NotMadeError(Exception):
    """A check cannot be made; `str()` says why, to follow "as"."""


Check = Callable[[], Awaitable[Finding]]
"""Leaves the finding's name to `made`. May raise TGCError, SlackError and NotMadeError."""


def ok(sentence: str) -> Finding:
    return Finding(name="", mark=Mark.OK, sentence=sentence)


def warning(sentence: str, fix: str = "") -> Finding:
    return Finding(name="", mark=Mark.WARNING, sentence=sentence, fix=fix)


def error(sentence: str, fix: str = "") -> Finding:
    return Finding(name="", mark=Mark.ERROR, sentence=sentence, fix=fix)


def named(name: str, finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, name=name)


def not_made(names: Iterable[str], why: str) -> list[Finding]:
    return [named(name, warning(f"Not checked, as {why}.")) for name in names]


async def made(name: str, check: Check, *, within_s: float | None = None) -> Finding:
    """What the check finds, whatever happens in it."""
    return (await _made(name, check, within_s))[0]


async def in_turn(checks: Iterable[tuple[str, Check]]) -> list[Finding]:
    """Checks that need each what the one before found: after one that failed or was not made, none is made."""
    findings: list[Finding] = []
    stopped_at = ""
    for name, check in checks:
        if stopped_at:
            findings += not_made([name], f"“{stopped_at}” above is not settled")
            continue
        finding, is_settled = await _made(name, check)
        findings.append(finding)
        stopped_at = "" if is_settled else name
    return findings


async def _made(name: str, check: Check, within_s: float | None = None) -> tuple[Finding, bool]:
    """With whether it ended by itself, and well enough for others to rest on it."""
    try:
        async with asyncio.timeout(within_s or WITHIN_S):
            finding = await check()
    except NotMadeError as reason:
        return not_made([name], str(reason))[0], False
    except (TGCError, SlackError, TimeoutError) as failure:
        return named(name, _failed(failure)), False
    except Exception as surprise:  # noqa: BLE001 - whatever it is, the other checks are made
        _log.exception("a check failed", check=name)
        return named(name, warning(f"This could not be told ({type(surprise).__name__}); the log says more.")), False
    return named(name, finding), finding.mark is not Mark.ERROR


def _failed(failure: Exception) -> Finding:
    """Who answers nothing says nothing: that is no mistake yet."""
    match failure:
        case TimeoutError():
            return warning("This could not be told in time.", "Try again.")
        case TGCConnectionError() | SlackError() if not isinstance(failure, SlackRefusedError):
            return warning(str(failure))
        case _:
            return error(str(failure))
