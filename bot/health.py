"""Whether the bot can do its work: /readyz depends on the database and on Slack, and tells the rest."""

from collections.abc import Callable

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from bot.storage import tgcs
from bot.storage.database import Database


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What /readyz tells. Nothing in it is secret, and nothing names pools or people."""

    ready: bool
    database: str
    slack: str
    swept: bool
    """Whether the first sweep was tried."""
    tgc: str
    approvers: str
    channel: str
    """Whether it takes the bot's messages."""


class Health:
    """Filled in as the bot starts."""

    def __init__(self, tgc_key: str) -> None:
        self.tgc_key = tgc_key
        self.is_stopping = False
        self.swept = False
        self.database: Database | None = None
        self.slack_is_up: Callable[[], bool] = lambda: False
        self.approvers: Callable[[], str] = lambda: "not known yet"
        self.channel: Callable[[], str] = lambda: "ok"

    async def readiness(self) -> Readiness:
        database, tgc = await self._look()
        slack_is_up = self.slack_is_up()
        return Readiness(
            ready=database == "ok" and slack_is_up and self.swept and not self.is_stopping,
            database=database,
            slack="ok" if slack_is_up else "not connected",
            swept=self.swept,
            tgc=tgc,
            approvers=self.approvers(),
            channel=self.channel(),
        )

    async def _look(self) -> tuple[str, str]:
        if self.database is None:
            return "not open yet", "not known yet"
        try:
            await self.database.ping()
            async with self.database.read() as connection:
                outage = await tgcs.outage(connection, self.tgc_key)
        except (SQLAlchemyError, OSError):
            return "cannot be written to", "not known"
        return "ok", "ok" if outage is None else f"not readable since {outage.since.isoformat(timespec='seconds')}"
