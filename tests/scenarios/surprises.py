"""What must not happen whatever comes in: an error that nobody foresaw, which the bot's last stops write down."""

import contextlib
import logging
from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import Any

import structlog.processors
import structlog.testing


class Surprises(logging.Handler):
    """What was logged with a traceback, by us or by a library."""

    def __init__(self, entries: MutableSequence[MutableMapping[str, Any]], foreseen: tuple[str, ...]) -> None:
        super().__init__(logging.ERROR)
        self._entries = entries
        self._foreseen = foreseen
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._lines.append(f"{record.name}: {record.getMessage()} {error!r}")

    def take(self) -> list[str]:
        """Give what is new."""
        ours = [entry for entry in self._entries if "exception" in entry and not self._is_foreseen(entry)]
        taken = [*self._lines, *(f"{entry['event']}: {entry['exception']}" for entry in ours)]
        self._entries.clear()
        self._lines.clear()
        return taken

    def _is_foreseen(self, entry: MutableMapping[str, Any]) -> bool:
        return entry["event"] in self._foreseen and "/handlers/" not in entry["exception"]


@contextlib.contextmanager
def surprises(*foreseen: str) -> Iterator[Surprises]:
    """Watch; `foreseen` are events of ours that may have a traceback, so long as no handler of ours is in it."""
    with structlog.testing.capture_logs(processors=[structlog.processors.format_exc_info]) as entries:
        watching = Surprises(entries, foreseen)
        logging.getLogger().addHandler(watching)
        try:
            yield watching
        finally:
            logging.getLogger().removeHandler(watching)
