"""From status and bytes to the body or a TGCError: no I/O, so that every odd answer is a one-line test."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any

import msgspec

from tgc.errors import (
    TGCForbiddenError,
    TGCLoginError,
    TGCNotFoundError,
    TGCResponseError,
    TGCSessionError,
    TGCStatusError,
    TGCUnavailableError,
    TGCWrongStateError,
)

SESSION_INVALID = "ERR-API-0104"
NO_SUCH_OBJECT = "ERR-API-8001"
WRONG_STATE = frozenset(f"ERR-API-{number}" for number in (7106, 7107, 7109, 7111, 7113, 7117))

_MESSAGE_LIMIT = 200
_CODE_LIMIT = 40


@dataclass(frozen=True, kw_only=True)
class Answer:
    where: str
    """Method and path, for logs."""
    status: int
    body: bytes
    secrets: tuple[str, ...] = ()
    """What the server may echo and no sentence may repeat: the password, the session's cookie."""
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def __repr__(self) -> str:
        return f"<Answer {self.where} {self.status}>"


def expect_body(answer: Answer) -> bytes:
    """Give the body of a read; raises TGCStatusError and TGCResponseError."""
    _refuse_errors(answer)
    if answer.status != HTTPStatus.OK or not answer.body:
        raise TGCResponseError(f"The TGC answered {answer.status} without the body we asked for.", where=answer.where)
    return answer.body


def expect_done(answer: Answer) -> None:
    """Make sure that a write was done: 204, or a 200 that speaks JSON and not of an error."""
    _refuse_errors(answer)
    if answer.body:
        parse_json(answer.body, answer.where)


def expect_role(answer: Answer, username: str) -> str | None:
    """Read the login's answer, the name of the role. An error inside a 200 is a refusal too: accounts lock."""
    refused = answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if refused or (answer.status == HTTPStatus.OK and _speaks_of_error(answer.body)):
        code, reason = _code_and_reason(answer)
        raise TGCLoginError(
            f"The TGC refused the login of {flat(username)} ({reason}); "
            "check user name and password before trying again, because accounts lock.",
            status=answer.status,
            code=code,
            where=answer.where,
        )
    role = parse_json(expect_body(answer), answer.where)
    return role if isinstance(role, str) else None


def parse_json(body: bytes, where: str) -> Any:
    """Parse more patiently than msgspec: numbers beyond all bounds become inf, broken characters lone surrogates."""
    try:
        return json.loads(body.decode("utf-8-sig", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise TGCResponseError(
            "The TGC's answer is not JSON; is a proxy or another server there?", where=where
        ) from error


def flat(text: str, limit: int = _MESSAGE_LIMIT) -> str:
    """One line without control, format and lone surrogate characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class _TintriError(msgspec.Struct, rename="camel"):
    """The keys of a TintriError, whatever they hold; all are optional."""

    type_id: Any = None
    code: Any = None
    message: Any = None
    title: Any = None
    cause_details: Any = None


def _read_error(body: bytes) -> _TintriError:
    if not body.lstrip().startswith(b"{"):
        return _TintriError()
    try:
        return msgspec.json.decode(body, type=_TintriError)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        tree = parse_json(body, "")
    except TGCResponseError:
        return _TintriError()
    # Its own keys alone: msgspec cannot take others that hold lone surrogates.
    return _TintriError(**{field.name: tree.get(field.encode_name) for field in msgspec.structs.fields(_TintriError)})


def _speaks_of_error(body: bytes) -> bool:
    """Recognise a TintriError by its type, or untyped by code and message, which nothing else we read has."""
    error = _read_error(body)
    if isinstance(error.type_id, str):
        return error.type_id.endswith("TintriError")
    return isinstance(error.code, str) and isinstance(error.message, str)


def _refuse_errors(answer: Answer) -> None:
    status = answer.status
    if status >= HTTPStatus.BAD_REQUEST or _speaks_of_error(answer.body):
        raise _status_error(answer)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise TGCResponseError(
            f"The server sends us elsewhere ({status}), which a TGC does not; check its URL.", where=answer.where
        )
    if status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise TGCResponseError(f"The TGC answered {status}, which its API does not document.", where=answer.where)


def _status_error(answer: Answer) -> TGCStatusError:
    code, reason = _code_and_reason(answer)
    kind, sentence = _kind(answer.status, code)
    return kind(sentence.format(reason=reason), status=answer.status, code=code, where=answer.where)


def _kind(status: int, code: str | None) -> tuple[type[TGCStatusError], str]:
    if status == HTTPStatus.UNAUTHORIZED and code == SESSION_INVALID:
        return TGCSessionError, "The TGC does not take our session, not even a new one ({reason}); try again later."
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return TGCForbiddenError, "The TGC forbids this ({reason}); the account lacks the privilege, or it a licence."
    if status == HTTPStatus.NOT_FOUND or code == NO_SUCH_OBJECT:
        return TGCNotFoundError, "The TGC knows no such object ({reason}); it may have been deleted."
    if status == HTTPStatus.BAD_REQUEST or code in WRONG_STATE:
        return TGCWrongStateError, "The TGC refused this ({reason}); something has changed, so read it again."
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return TGCUnavailableError, "A service behind the TGC is away ({reason}); try again in a few minutes."
    return TGCStatusError, "The TGC failed ({reason}); if that goes on, look at the TGC itself."


def _code_and_reason(answer: Answer) -> tuple[str | None, str]:
    """`400 ERR-API-7107: Invalid accept Recommendation request.`, as far as the TGC told."""
    error = _read_error(answer.body)
    code = (flat(error.code, _CODE_LIMIT) or None) if isinstance(error.code, str) else None
    texts = (error.message, error.title, error.cause_details)
    message = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    head = f"{answer.status} {code}" if code else str(answer.status)
    return code, f"{head}: {flat(_without(answer.secrets, message))}" if message else head


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text
