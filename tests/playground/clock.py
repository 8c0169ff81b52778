"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 10, 6, 0, 4, 221000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        """`minutes=5`, as timedelta takes it."""
        self.moment += timedelta(**duration)
