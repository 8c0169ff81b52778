"""Whether the bot can work: /readyz depends on the database, on Slack and on the bot's own loops; the rest is told."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.metrics import DATABASE_UP
from bot.storage import mails, tgcs
from bot.storage.database import Database

_log = structlog.get_logger(__name__)

PING_EVERY = timedelta(seconds=2)
"""It writes to the disk, and anybody who reaches the port can ask for one."""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What /readyz tells. Nothing in it is secret, and nothing names pools or people."""

    ready: bool
    database: str
    slack: str
    loops: str
    """`ok`, or which parts of the bot's own work are stuck."""
    swept: bool
    """Whether the first sweep was tried."""
    tgc: str
    tgcs: Mapping[str, str] | msgspec.UnsetType = msgspec.UNSET
    """The same of each, by its name, where there are several."""
    approvers: str
    channel: str
    """Whether it takes the bot's messages."""
    mail: str
    """`off`, `ok`, or since when and why it fails, without address."""


class Health:
    """Filled in as the bot starts."""

    def __init__(self, tgc_keys: Sequence[str], clock: Clock) -> None:
        self._tgc_keys = tgc_keys
        self.is_stopping = False
        self.swept = False
        self.sends_mail = False
        self.database: Database | None = None
        self.slack_is_up: Callable[[], bool] = lambda: False
        self.stuck_loops: Callable[[], list[str]] = list
        self.approvers: Callable[[], str] = lambda: "not known yet"
        self.channel: Callable[[], str] = lambda: "ok"
        self._clock = clock
        self._looking = asyncio.Lock()
        self._pinged_at = clock.now()
        self._trouble = True
        """Whether the database is not known to take what is written."""

    async def readiness(self) -> Readiness:
        database, tgcs, mail = await self.look()
        slack_is_up, stuck = self.slack_is_up(), self.stuck_loops()
        return Readiness(
            ready=database == "ok" and slack_is_up and not stuck and self.swept and not self.is_stopping,
            database=database,
            slack="ok" if slack_is_up else "not connected",
            loops=f"stuck: {', '.join(stuck)}" if stuck else "ok",
            swept=self.swept,
            tgc=_together(tgcs),
            tgcs=tgcs if len(tgcs) > 1 else msgspec.UNSET,
            approvers=self.approvers(),
            channel=self.channel(),
            mail=mail if self.sends_mail else "off",
        )

    async def look(self) -> tuple[str, dict[str, str], str]:
        """What the database says of itself, each TGC and mail; written to once for all who come at the same time."""
        if self.database is None:
            return "not open yet", dict.fromkeys(self._tgc_keys, "not known yet"), "not known yet"
        try:
            async with self._looking:
                if self._trouble or abs(self._clock.now() - self._pinged_at) >= PING_EVERY:
                    self._trouble = True
                    await self.database.ping()
                    self._trouble, self._pinged_at = False, self._clock.now()
            async with self.database.read() as connection:
                outages = {key: await tgcs.outage(connection, key) for key in self._tgc_keys}
                failing = await mails.failing(connection)
        except (SQLAlchemyError, OSError) as error:
            _log.error("the database cannot be written to", reason=str(getattr(error, "orig", None) or error))
            DATABASE_UP.set(0)
            return "cannot be written to", dict.fromkeys(self._tgc_keys, "not known"), "not known"
        DATABASE_UP.set(1)
        states = {
            key: "ok" if outage is None else f"not readable since {_second(outage.since)}"
            for key, outage in outages.items()
        }
        mail = "ok" if failing is None else f"failing since {_second(failing.since)}: {failing.problem}"
        return "ok", states, mail


def _together(tgcs: Mapping[str, str]) -> str:
    """What most probes look at: `ok`, or who is not."""
    troubles = {key: state for key, state in tgcs.items() if state != "ok"}
    if len(tgcs) == 1:
        return next(iter(tgcs.values()))
    return ", ".join(f"{key} {state}" for key, state in troubles.items()) or "ok"


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
