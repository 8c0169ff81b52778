"""Looks every two seconds for what other processes, and this one's past, have left to do, and wakes whoever does it.

Those who leave work in this process ring the bell themselves. One look for all costs a seventh of seven.
"""

from collections.abc import Mapping

from bot.bell import Bell, Bells
from bot.storage import backlog
from bot.storage.backlog import Queue
from bot.storage.database import Database

EVERY_S = 2.0
UNCALLED_S = 60.0
"""After so long whoever waits for a bell looks by itself."""


class Lookout:
    def __init__(self, database: Database, bells: Mapping[Queue, Bell | Bells]) -> None:
        self._database = database
        self._bells = bells

    async def look(self) -> None:
        async with self._database.read() as connection:
            waiting = await backlog.waiting(connection)
        for queue in waiting:
            self._bells[queue].ring()
