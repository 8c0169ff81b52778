"""How long the journal is kept: by default for ever."""

from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.storage import decisions
from bot.storage.database import Database

_log = structlog.get_logger(__name__)


class Retention:
    """Deletes what the journal need not keep any more."""

    def __init__(self, database: Database, clock: Clock, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        async with self._database.write() as connection:
            deleted = await decisions.delete_older(connection, self._clock.now() - self._keep)
        if deleted:
            _log.info("old audit entries were deleted", entries=deleted, older_than_days=self._keep.days)
