"""Leases: who works on a row, until when. Only an expired one is taken over, and each taking raises its fence.

A holder that slept through its lease finds its fence outdated: every store it makes names the fence and is refused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
from sqlalchemy import ColumnElement, Table, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.storage.database import Database
from bot.storage.tables import leases

_RENEWALS_PER_LEASE = 4


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A taken row."""

    table: Table
    row: ColumnElement[bool]
    owner: str
    fence: int

    @property
    def held(self) -> ColumnElement[bool]:
        """Condition of every store made under this lease: nobody took the row over meanwhile."""
        return and_(self.row, self.table.c.owner == self.owner, self.table.c.fence == self.fence)


class Leases:
    """Takes rows for this process, and keeps them while it works on them."""

    def __init__(self, database: Database, clock: Clock, *, life: timedelta = timedelta(seconds=20)) -> None:
        self.life = life
        self._database = database
        self._clock = clock
        self._owner = uuid4().hex

    async def take(self, connection: AsyncConnection, table: Table, row: ColumnElement[bool]) -> Lease | None:
        """Take a row that nobody holds; None where somebody does, or where there is no such row."""
        now = self._clock.now()
        statement = (
            update(table)
            .where(row, is_free(table, now))
            .values(owner=self._owner, expires_at=now + self.life, fence=table.c.fence + 1)
            .returning(table.c.fence)
        )
        fence = (await connection.execute(statement)).scalar_one_or_none()
        return None if fence is None else Lease(table=table, row=row, owner=self._owner, fence=fence)

    async def release(self, connection: AsyncConnection, lease: Lease) -> None:
        await connection.execute(update(lease.table).where(lease.held).values(owner=None, expires_at=None))

    @asynccontextmanager
    async def kept(self, lease: Lease) -> AsyncIterator[None]:
        """Renew the lease while the block runs. Releasing it is the block's own affair."""
        renewal = asyncio.create_task(self._renew(lease), name="lease renewal")
        try:
            yield
        finally:
            renewal.cancel()
            # To await it would swallow a cancellation that is meant for us; `wait` would then leave it behind.
            await asyncio.gather(renewal, return_exceptions=True)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await self._clock.sleep(self.life.total_seconds() / _RENEWALS_PER_LEASE)
            # A database that is away for a moment costs this renewal only; the fence guards what is stored.
            with suppress(SQLAlchemyError):
                async with self._database.write() as connection:
                    expires_at = self._clock.now() + self.life
                    await connection.execute(update(lease.table).where(lease.held).values(expires_at=expires_at))

    @asynccontextmanager
    async def named(self, name: str) -> AsyncIterator[bool]:
        """Hold the lease of that name during the block; False where another process holds it."""
        row = leases.c.name == name
        async with self._database.write() as connection:
            await ensure_row(connection, leases, row, name=name)
            lease = await self.take(connection, leases, row)
        if lease is None:
            yield False
            return
        try:
            async with self.kept(lease):
                yield True
        finally:
            async with self._database.write() as connection:
                await self.release(connection, lease)


def is_free(table: Table, now: datetime) -> ColumnElement[bool]:
    """Condition: nobody holds the row any more."""
    return or_(table.c.owner.is_(None), table.c.expires_at <= now)


async def ensure_row(connection: AsyncConnection, table: Table, row: ColumnElement[bool], **values: object) -> bool:
    """Insert a row unless it is there; True where this call inserted it."""
    if (await connection.execute(select(table.c[next(iter(values))]).where(row))).first() is not None:
        return False
    new = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    # Another process may insert it between our two statements.
    return (await connection.execute(new.values(**values).on_conflict_do_nothing())).rowcount == 1
