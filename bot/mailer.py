"""Sends the mails that wait, at least once each and at its own pace: nothing in Slack waits for it.

A failure is tried again after a minute, then after as long as it has lasted, up to half an hour; after two days a mail
is given up. What concerns the server puts off all mails, so that one asks for all.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.bell import Bell
from bot.clock import Clock
from bot.lookout import UNCALLED_S
from bot.loops import CameRound
from bot.mail_message import compose
from bot.metrics import MAILS_WAITING
from bot.smtp import LoginRefusedError, MailRefusedError, Smtp, SmtpError, TooLateError
from bot.storage import mails, recommendations
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases
from bot.storage.mails import LONGEST_PAUSE, Waiting

_log = structlog.get_logger(__name__)

GIVEN_UP_AFTER = timedelta(days=2)
_SHORTEST_PAUSE = timedelta(minutes=1)


class Mailer:
    def __init__(
        self, *, database: Database, leases: Leases, smtp: Smtp, clock: Clock, sender: str, to: Sequence[str]
    ) -> None:
        self._database = database
        self._leases = leases
        self._smtp = smtp
        self._clock = clock
        self.bell = Bell(clock)
        self._sender = sender
        self._to = to
        self._has_begun = False

    async def run(self, came_round: CameRound) -> None:
        """Send what is due, for as long as the bot runs; what was put off before its start at once, too."""
        if not self._has_begun:
            async with self._database.write() as connection:
                await mails.hurry(connection)
            self._has_begun = True
        while True:
            await self._send_due(came_round)
            came_round()
            await self.bell.wait(UNCALLED_S)

    async def _send_due(self, came_round: CameRound) -> None:
        async with self._database.read() as connection:
            due = await mails.due(connection, self._clock.now(), self._leases.life)
            MAILS_WAITING.set(await mails.count_waiting(connection))
        for waiting in due:
            if not await self._take(waiting):
                return
            came_round()

    async def _take(self, waiting: Waiting) -> bool:
        """Send one; False where the others would fare no better now."""
        async with self._database.write() as connection:
            lease = await self._leases.take(connection, mails.LEASABLE, waiting.row_id)
            if lease is not None and self._clock.now() - waiting.created_at > GIVEN_UP_AFTER:
                await mails.give_up(connection, waiting.row_id, self._clock.now())
                _log.error("a mail is given up after two days", subject=waiting.mail.subject)
                return True
        if lease is None:
            return True
        async with self._leases.kept(lease):
            return await self._send(waiting, lease)

    async def _send(self, waiting: Waiting, lease: Lease) -> bool:
        recipients = [address for address in self._to if waiting.owed_to is None or address in waiting.owed_to]
        try:
            if recipients:  # else those who did not take it are not in MAIL_TO any more
                mail = await self._composed(waiting)
                await self._smtp.send(mail, sender=self._sender, recipients=recipients)
        except TooLateError:
            async with self._database.write() as connection:
                await self._leases.release(connection, lease)
            return False
        except SmtpError as error:
            await self._failed(waiting, lease, error)
            return not error.is_servers
        async with self._database.write() as connection:
            await mails.sent(connection, waiting, self._clock.now())
        return True

    async def _composed(self, waiting: Waiting) -> bytes:
        async with self._database.read() as connection:
            stored = await recommendations.by_row_id(connection, waiting.recommendation)
        at = waiting.created_at
        return compose(waiting.mail, waiting.kind, stored.key, sender=self._sender, to=self._to, at=at)

    async def _failed(self, waiting: Waiting, lease: Lease, error: SmtpError) -> None:
        now, problem = self._clock.now(), str(error)
        _log.warning("a mail is not sent yet", kind=waiting.kind, reason=problem)
        owed_to = waiting.owed_to
        if isinstance(error, MailRefusedError) and set(error.refused) < set(self._to):
            owed_to = frozenset(error.refused)
        async with self._database.write() as connection:
            failing = await mails.failing(connection) if error.is_servers else None
            pause = _pause(error, failing.since if failing else waiting.failing_since, now)
            kept = await mails.put_off(connection, lease, problem=problem, now=now, pause=pause, owed_to=owed_to)
            if kept and error.is_servers:
                await mails.put_off_all(connection, problem=problem, now=now, pause=pause)


def _pause(error: SmtpError, failing_since: datetime | None, now: datetime) -> timedelta:
    """A refused login is tried seldom from the start: accounts lock."""
    if isinstance(error, LoginRefusedError):
        return LONGEST_PAUSE
    lasted = now - failing_since if failing_since else _SHORTEST_PAUSE
    return min(max(lasted, _SHORTEST_PAUSE), LONGEST_PAUSE)
