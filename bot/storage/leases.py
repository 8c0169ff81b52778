"""Leases: who works on a row, until when. Only an expired one is taken over, and each taking raises its fence.

When a lease ends is the database's affair: a server tells its own time, and processes that share a file share the time
of its machine. A holder counts for itself, from before it asked, so that it stops before anybody may take over.
A holder that slept through its lease sends nothing, and finds its fence outdated: every store names it and is refused.

A clock may be set back, too. A lease that ends more than a whole life later than a new one would is nobody's any more:
else what a dead process held would be held for hours. Its holder, if it lives, knows by the same clock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import ColumnElement, FunctionElement, Interval, Table, and_, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bot.clock import Clock
from bot.storage.database import Database
from bot.storage.tables import UtcDateTime, leases

_RENEWALS_PER_LEASE = 4
_CERTAIN_PART = 0.75
"""Of a lease: the rest is for what is on its way when it ends."""


class Term(msgspec.Struct, frozen=True):
    """How long a lease certainly lives, by both clocks of the holder's machine: each may be stopped or set alone."""

    monotonic: float
    since: datetime
    until: datetime


class Lease(msgspec.Struct, kw_only=True):
    """A taken row."""

    table: Table
    row: ColumnElement[bool]
    owner: str
    fence: int
    term: Term
    lost: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set when a renewal finds that somebody took the row over, or that it is gone."""

    @property
    def held(self) -> ColumnElement[bool]:
        """Condition of every store made under this lease: nobody took the row over meanwhile."""
        return and_(self.row, self.table.c.owner == self.owner, self.table.c.fence == self.fence)


_kept: ContextVar[tuple[Lease, ...]] = ContextVar("kept leases", default=())
"""Those under which the current work is done, and what it starts."""


class Leases:
    """Takes rows for this process, and keeps them while it works on them."""

    def __init__(self, database: Database, clock: Clock, *, life: timedelta = timedelta(seconds=20)) -> None:
        self.life = life
        self._database = database
        self._clock = clock
        self._owner = uuid4().hex

    async def take(self, connection: AsyncConnection, table: Table, row: ColumnElement[bool]) -> Lease | None:
        """Take a row that nobody holds; None where somebody does, or where there is no such row."""
        now, term = self._clock.now(), self._new_term()
        statement = (
            update(table)
            .where(row, is_free(table, now, self.life))
            .values(owner=self._owner, expires_at=_moment(now, self.life), fence=table.c.fence + 1)
            .returning(table.c.fence)
        )
        fence = (await connection.execute(statement)).scalar_one_or_none()
        return None if fence is None else Lease(table=table, row=row, owner=self._owner, fence=fence, term=term)

    async def release(self, connection: AsyncConnection, lease: Lease) -> None:
        await connection.execute(update(lease.table).where(lease.held).values(owner=None, expires_at=None))

    @asynccontextmanager
    async def kept(self, lease: Lease) -> AsyncIterator[None]:
        """Renew the lease while the block runs, which may ask `may_send`. Releasing it is the block's own affair."""
        renewal = asyncio.create_task(self._renew(lease), name="lease renewal")
        before = _kept.set((*_kept.get(), lease))
        try:
            yield
        finally:
            _kept.reset(before)
            renewal.cancel()
            # To await it would swallow a cancellation that is meant for us; `wait` would then leave it behind.
            await asyncio.gather(renewal, return_exceptions=True)

    def is_alive(self, lease: Lease) -> bool:
        """Whether nobody can have taken it over, nor will in the time that a request takes to arrive."""
        term = lease.term
        return self._clock.monotonic() < term.monotonic and term.since <= self._clock.now() < term.until

    def may_send(self) -> bool:
        """Whether every lease under which this is asked is alive."""
        return all(self.is_alive(lease) for lease in _kept.get())

    async def _renew(self, lease: Lease) -> None:
        while True:
            await self._clock.sleep(self.life.total_seconds() / _RENEWALS_PER_LEASE)
            # A database that is away for a moment costs this renewal only; the fence guards what is stored.
            with suppress(SQLAlchemyError, OSError):
                term = self._new_term()
                async with self._database.write() as connection:
                    renewed = _moment(self._clock.now(), self.life)
                    kept = await connection.execute(update(lease.table).where(lease.held).values(expires_at=renewed))
                if kept.rowcount == 0:
                    lease.lost.set()
                    return
                lease.term = term

    def _new_term(self) -> Term:
        """That of a lease that the database is asked for now."""
        certain, now = self.life * _CERTAIN_PART, self._clock.now()
        return Term(self._clock.monotonic() + certain.total_seconds(), now - self.life, now + certain)

    @asynccontextmanager
    async def named(self, name: str) -> AsyncIterator[Lease | None]:
        """Hold the lease of that name during the block; None where another process holds it."""
        row = leases.c.name == name
        async with self._database.write() as connection:
            await ensure_row(connection, leases, row, name=name)
            lease = await self.take(connection, leases, row)
        if lease is None:
            yield None
            return
        try:
            async with self.kept(lease):
                yield lease
        finally:
            async with self._database.write() as connection:
                await self.release(connection, lease)


def is_free(table: Table, now: datetime, life: timedelta) -> ColumnElement[bool]:
    """Condition: nobody holds the row any more. `now` counts where the database has no time of its own."""
    was_set_back = table.c.expires_at > _moment(now, 2 * life)
    return or_(table.c.owner.is_(None), table.c.expires_at <= _moment(now), was_set_back)


class _Moment(FunctionElement[datetime]):
    """`now` and some time after it; where a server keeps the database, by that server's clock."""

    type = UtcDateTime()
    inherit_cache = True


def _moment(now: datetime, after: timedelta = timedelta(0)) -> _Moment:
    return _Moment(literal(now + after, UtcDateTime), literal(after, Interval))


@compiles(_Moment)
def _by_our_clock(moment: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    ours, _after = moment.clauses
    return compiler.process(ours, **options)


@compiles(_Moment, "postgresql")
def _by_its_clock(moment: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    _ours, after = moment.clauses
    return f"(clock_timestamp() + {compiler.process(after, **options)})"


async def ensure_row(connection: AsyncConnection, table: Table, row: ColumnElement[bool], **values: object) -> bool:
    """Insert a row unless it is there; True where this call inserted it."""
    if (await connection.execute(select(table.c[next(iter(values))]).where(row))).first() is not None:
        return False
    new = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    # Another process may insert it between our two statements.
    return (await connection.execute(new.values(**values).on_conflict_do_nothing())).rowcount == 1
