"""What the TGC refuses, by verb: in which states, and with which of its codes."""

from dataclasses import dataclass
from typing import Final

from playground.estate import OPEN, State


class Refused(Exception):  # noqa: N818 - the TGC refuses; that is an answer, no error of ours
    """Answered to the client as a TintriError."""

    def __init__(self, status: int, code: str | None, message: str, cause: str = "") -> None:
        super().__init__(f"{status} {code or ''} {message} {cause}")
        self.status = status
        self.code = code
        self.message = message
        self.cause = cause


class Mistake(Refused):
    """A request that no correct client sends, whatever the state."""


@dataclass(frozen=True)
class Verb:
    """`invalid` is a 400 with its code, `failed` a 500 with its code."""

    failed: tuple[str, str]
    invalid: tuple[str, str] = ("", "")
    allowed: frozenset[State] = OPEN

    def fail(self, cause: str) -> Refused:
        return Refused(500, *self.failed, cause)

    def refuse(self, cause: str) -> Refused:
        return Refused(400, *self.invalid, cause)

    def mistake(self, cause: str) -> Mistake:
        return Mistake(400, *self.invalid, cause)


READ: Final = Verb(("ERR-API-7102", "Failed to get Recommendation"))
READ_CURRENT: Final = Verb(("ERR-API-7103", "Failed to get Recommendation for VMstore Pool"))
UPDATE: Final = Verb(
    ("ERR-API-7105", "Failed to update properties of Recommendation"),
    ("ERR-API-7106", "Invalid update Recommendation settings request."),
)
ACCEPT: Final = Verb(
    ("ERR-API-7108", "Failed to accept Recommendation."),
    ("ERR-API-7107", "Invalid accept Recommendation request."),
)
CANCEL: Final = Verb(
    ("ERR-API-7110", "Failed to cancel Recommendation."),
    ("ERR-API-7109", "Invalid cancel Recommendation request."),
    frozenset({"ACCEPTED"}),
)
ACKNOWLEDGE: Final = Verb(
    ("ERR-API-7112", "Failed to acknowledge Recommendation."),
    ("ERR-API-7111", "Invalid acknowledge Recommendation request."),
    frozenset({"AVAILABLE"}),
)
RESET: Final = Verb(
    ("ERR-API-7114", "Failed to reset Recommendation."),
    ("ERR-API-7113", "Invalid reset Recommendation request."),
)
CHOOSE_ISSUES: Final = Verb(
    ("ERR-API-7104", "Failed to update custom action for Recommendation"),
    ("ERR-API-7117", "Invalid custom Recommendation request."),
)


def no_such_object(what: str) -> Refused:
    return Refused(404, "ERR-API-8001", "No such object.", what)
