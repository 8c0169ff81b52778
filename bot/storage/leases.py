"""Leases: who works on a row, until when. Only an expired one is taken over, and each taking raises its fence.

When a lease ends is the database's affair: a server tells its own time, and processes that share a file share the time
of its machine. A holder counts for itself, from before it asked, so that it stops before anybody may take over.
A holder that slept through its lease sends nothing, and finds its fence outdated: every store names it and is refused.

A clock may be set back, too. A lease that ends more than a whole life later than a new one would is nobody's any more:
else what a dead process held would be held for hours. Its holder, if it lives, knows by the same clock.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    FunctionElement,
    Insert,
    Interval,
    Table,
    and_,
    bindparam,
    or_,
    select,
    true,
    update,
)
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


class Leasable:
    """The rows of a table that are leased one by one, and the statements for that.

    They are built once, as building one costs as much as running it.
    """

    def __init__(self, key: Column[Any], *, only_while: ColumnElement[bool] | None = None) -> None:
        """`key` tells the rows apart; only while `only_while` holds may one be taken."""
        self.table = table = key.table
        is_it = key == bindparam("leased")
        self.held = and_(is_it, table.c.owner == bindparam("holder"), table.c.fence == bindparam("held_fence"))
        """Condition of every store made under a lease, with its `names`: nobody took the row over meanwhile."""
        self.change = update(table).where(self.held)
        self.take = (
            update(table)
            .where(is_it, true() if only_while is None else only_while, is_free(table))
            .values(owner=bindparam("taker"), expires_at=_END, fence=table.c.fence + 1)
            .returning(table.c.fence)
        )
        self.renew = self.change.values(expires_at=_END)
        self.release = self.change.values(owner=None, expires_at=None)
        self.look = select(key).where(self.held).with_for_update()


class Lease(msgspec.Struct, kw_only=True):
    """A taken row."""

    rows: Leasable
    key: object
    owner: str
    fence: int
    term: Term
    lost: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set when a renewal finds that somebody took the row over, or that it is gone."""

    @property
    def names(self) -> dict[str, object]:
        """What `Leasable.held` compares with."""
        return {"leased": self.key, "holder": self.owner, "held_fence": self.fence}


_kept: ContextVar[tuple[Lease, ...]] = ContextVar("kept leases", default=())
"""Those under which the current work is done, and what it starts."""


class Leases:
    """Takes rows for this process, and keeps them while it works on them."""

    def __init__(self, database: Database, clock: Clock, *, life: timedelta = timedelta(seconds=20)) -> None:
        self.life = life
        self._database = database
        self._clock = clock
        self._owner = uuid4().hex

    async def take(self, connection: AsyncConnection, rows: Leasable, key: object) -> Lease | None:
        """Take a row that nobody holds; None where somebody does, or where there is no such row."""
        term = self._new_term()
        taking = {"leased": key, "taker": self._owner, **moments(self._clock.now(), self.life)}
        fence = (await connection.execute(rows.take, taking)).scalar_one_or_none()
        return None if fence is None else Lease(rows=rows, key=key, owner=self._owner, fence=fence, term=term)

    async def add(
        self, connection: AsyncConnection, rows: Leasable, key: object, values: Mapping[str, object]
    ) -> Lease | None:
        """Insert a row that is taken from the first; None where it is there already."""
        term = self._new_term()
        taking = {"taker": self._owner, **moments(self._clock.now(), self.life), **values}
        is_new = (await connection.execute(_taken(rows.table, connection.dialect.name), taking)).rowcount == 1
        return Lease(rows=rows, key=key, owner=self._owner, fence=1, term=term) if is_new else None

    async def release(self, connection: AsyncConnection, lease: Lease) -> None:
        await connection.execute(lease.rows.release, lease.names)

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
                    renewing = lease.names | moments(self._clock.now(), self.life)
                    kept = await connection.execute(lease.rows.renew, renewing)
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
        async with self._database.write() as connection:
            await add_row(connection, leases, {"name": name})
            lease = await self.take(connection, NAMED, name)
        if lease is None:
            yield None
            return
        try:
            async with self.kept(lease):
                yield lease
        finally:
            async with self._database.write() as connection:
                await self.release(connection, lease)


async def store(connection: AsyncConnection, lease: Lease, **values: object) -> bool:
    """Change the row under its lease; False where somebody took it over."""
    return (await connection.execute(lease.rows.change, lease.names | values)).rowcount == 1


async def is_held(connection: AsyncConnection, lease: Lease) -> bool:
    """Whether nobody took the row over, nor will before the end of this transaction, where it is one that writes."""
    return (await connection.execute(lease.rows.look, lease.names)).first() is not None


class _Moment(FunctionElement[datetime]):
    """A time from now; where a server keeps the database, by that server's clock."""

    type = UtcDateTime()
    inherit_cache = True


def _moment(name: str) -> _Moment:
    return _Moment(bindparam(name, type_=UtcDateTime), bindparam(f"to_{name}", type_=Interval))


_NOW, _END, _SET_BACK = _moment("now"), _moment("end"), _moment("set_back")


def moments(now: datetime, life: timedelta) -> dict[str, object]:
    """What statements with `is_free` and those of a lease compare with. `now` counts where the database has no time."""
    after = {"now": timedelta(0), "end": life, "set_back": 2 * life}
    return {name: now + time for name, time in after.items()} | {f"to_{name}": time for name, time in after.items()}


def is_free(table: Table) -> ColumnElement[bool]:
    """Condition, with `moments`: nobody holds the row any more."""
    return or_(table.c.owner.is_(None), table.c.expires_at <= _NOW, table.c.expires_at > _SET_BACK)


@compiles(_Moment)
def _by_our_clock(moment: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    ours, _after = moment.clauses
    return compiler.process(ours, **options)


@compiles(_Moment, "postgresql")
def _by_its_clock(moment: _Moment, compiler: SQLCompiler, **options: Any) -> str:
    _ours, after = moment.clauses
    return f"(clock_timestamp() + {compiler.process(after, **options)})"


NAMED = Leasable(leases.c.name)


async def ensure_row(connection: AsyncConnection, table: Table, row: ColumnElement[bool], **values: object) -> bool:
    """Insert a row unless it is there; True where this call inserted it."""
    if (await connection.execute(select(table.c[next(iter(values))]).where(row))).first() is not None:
        return False
    return await add_row(connection, table, values)  # another process may insert it between our two statements


async def add_row(connection: AsyncConnection, table: Table, values: Mapping[str, object]) -> bool:
    """Insert a row; False where one that must be unlike it is there."""
    return (await connection.execute(_new(table, connection.dialect.name), values)).rowcount == 1


@cache
def _new(table: Table, dialect: str) -> Insert:
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table).on_conflict_do_nothing()


@cache
def _taken(table: Table, dialect: str) -> Insert:
    return _new(table, dialect).values(owner=bindparam("taker"), expires_at=_END, fence=1)
