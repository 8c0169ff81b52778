"""Writes mails down in the transaction of what they tell, so that each is queued once, whoever does it."""

from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.rendering.mail import render_mail
from bot.rendering.views import CardView
from bot.storage import decisions, mails
from bot.storage.mails import MailKind


class MailQueue:
    """Without a mail server nothing is written down."""

    def __init__(self, clock: Clock, zone: ZoneInfo, *, is_on: bool) -> None:
        self._clock = clock
        self._zone = zone
        self.is_on = is_on

    async def add(self, connection: AsyncConnection, recommendation: int, kind: MailKind, view: CardView) -> None:
        """A mail that was written down before stays as it is."""
        if not self.is_on:
            return
        people = await decisions.names(connection, recommendation)
        mail = render_mail(view, zone=self._zone, people=people)
        await mails.add(connection, recommendation=recommendation, kind=kind, mail=mail, now=self._clock.now())
