"""What must not happen whatever comes in: an error that nobody foresaw, which the bot's last stops write down."""

import contextlib
import logging
from collections.abc import Iterator

import structlog.testing


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(f"{record.name}: {record.getMessage()} {error!r}")


@contextlib.contextmanager
def surprises(*foreseen: str) -> Iterator[list[str]]:
    """Collects what was logged with a traceback, by us or a library; filled at the end. `foreseen` are our events."""
    found: list[str] = []
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    try:
        with structlog.testing.capture_logs() as entries:
            yield found
    finally:
        logging.getLogger().removeHandler(kept)
        found += kept.lines
        found += [str(entry) for entry in entries if entry.get("exc_info") and entry["event"] not in foreseen]
