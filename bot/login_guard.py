"""Refused logins, remembered across restarts and replicas: each further try brings the account closer to a lock."""

from datetime import timedelta

from bot.clock import Clock
from bot.settings import TgcSettings
from bot.storage import tgcs
from bot.storage.database import Database
from tgc.errors import TGCLoginError

HOLD = timedelta(minutes=15)
MAX_REFUSALS = 3


class RememberedLogin:
    """Forbids a login that was refused: for 15 minutes, after the third time until user name or password change."""

    def __init__(self, database: Database, clock: Clock, tgc: TgcSettings) -> None:
        self._database = database
        self._clock = clock
        self._tgc_key = tgc.key
        self._user_name = tgc.username
        self._password = tgc.password.reveal()
        self._account = tgc.named("TGC_USERNAME or TGC_PASSWORD")

    async def check(self) -> None:
        async with self._database.read() as connection:
            login = await tgcs.refused_login(connection, self._tgc_key, self._user_name, self._password)
        if login is None:
            return
        if login.refusals >= MAX_REFUSALS:
            raise TGCLoginError(
                "The TGC refused this user name and password three times, so they are not tried again, because "
                f"accounts lock: correct {self._account}, or give the account another password, and start again.",
                status=403,
            )
        # Before it was refused, too, the clock was set back or another replica's is ahead.
        if abs(self._clock.now() - login.refused_at) < HOLD:
            raise TGCLoginError(
                "The TGC refused the login, so none is tried for 15 minutes, because accounts lock: correct "
                f"{self._account} and start again.",
                status=403,
            )

    async def refused(self) -> None:
        async with self._database.write() as connection:
            await tgcs.remember_refused_login(
                connection, self._tgc_key, self._user_name, self._password, self._clock.now()
            )

    async def accepted(self) -> None:
        async with self._database.write() as connection:
            await tgcs.forget_refused_login(connection, self._tgc_key)
