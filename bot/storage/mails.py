"""Mails that wait to be sent, one a recommendation and kind.

A mail waits until it ended: every address took it, or it was given up. Sending one again is harmless, as mail programs
know it by its Message-ID; so nothing is looked for after a lost answer.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Row, and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.mail import Mail
from bot.storage import putting_off
from bot.storage.leases import Leasable, Lease, ensure_row, is_free, moments
from bot.storage.tables import mails

LEASABLE = Leasable(mails.c.id)

LONGEST_PAUSE = timedelta(minutes=30)


class MailKind(StrEnum):
    AVAILABLE = "available"
    """A card was made: there is something to decide."""
    ENDED = "ended"
    """Its moves have come to their end."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    row_id: int
    recommendation: int
    kind: MailKind
    mail: Mail
    created_at: datetime
    owed_to: frozenset[str] | None
    """The addresses that have not taken it yet; None where none has."""
    failing_since: datetime | None


class Failing(msgspec.Struct, frozen=True):
    since: datetime
    problem: str
    """One sentence, without address and secret."""


async def add(connection: AsyncConnection, *, recommendation: int, kind: MailKind, mail: Mail, now: datetime) -> None:
    """Write a mail down within the caller's transaction; where it was before, nothing changes."""
    row = and_(mails.c.recommendation == recommendation, mails.c.kind == kind)
    values = {"recommendation": recommendation, "kind": kind, "mail": msgspec.json.encode(mail), "created_at": now}
    await ensure_row(connection, mails, row, **values)


async def due(connection: AsyncConnection, now: datetime, lease_life: timedelta) -> list[Waiting]:
    """Those to send now, the least tried first: one at which a server always fails holds back no other.

    Of a recommendation the earlier one first, until somebody has taken it.
    """
    earlier = mails.alias()
    follows = exists().where(
        earlier.c.recommendation == mails.c.recommendation,
        earlier.c.id < mails.c.id,
        earlier.c.ended_at.is_(None),
        earlier.c.owed_to.is_(None),
    )
    is_due = and_(putting_off.is_due(mails, now, LONGEST_PAUSE), is_free(mails))
    statement = select(mails).where(mails.c.ended_at.is_(None), is_due, ~follows).order_by(mails.c.attempts, mails.c.id)
    return [_waiting(row) for row in await connection.execute(statement, moments(now, lease_life))]


async def count_waiting(connection: AsyncConnection) -> int:
    statement = select(func.count()).select_from(mails).where(mails.c.ended_at.is_(None))
    return int((await connection.execute(statement)).scalar_one())


_FAILING = (
    select(mails.c.failing_since, mails.c.problem)
    .where(mails.c.ended_at.is_(None), mails.c.failing_since.is_not(None))
    .order_by(mails.c.failing_since)
    .limit(1)
)


async def failing(connection: AsyncConnection) -> Failing | None:
    """Since when mail has been failing, and why; None where all that waits has not been tried, or nothing does."""
    row = (await connection.execute(_FAILING)).one_or_none()
    return None if row is None else Failing(row.failing_since, row.problem)


async def sent(connection: AsyncConnection, waiting: Waiting, now: datetime) -> None:
    """Everybody took it. Said without the fence: that is true whoever sent it."""
    values = {**_ENDED, "ended_at": now, "problem": None}
    await connection.execute(update(mails).where(mails.c.id == waiting.row_id).values(**values))
    if waiting.failing_since is not None:  # the server is well again
        await hurry(connection)


async def hurry(connection: AsyncConnection) -> None:
    """Have all that was put off tried at once."""
    await connection.execute(update(mails).where(mails.c.ended_at.is_(None)).values(not_before=None))


async def put_off(
    connection: AsyncConnection,
    lease: Lease,
    *,
    problem: str,
    now: datetime,
    pause: timedelta,
    owed_to: Collection[str] | None,
) -> bool:
    """Keep that it failed; False where another process took it over. `owed_to`: as in `Waiting`."""
    values = {
        **_failed(problem, now, pause),
        "attempts": mails.c.attempts + 1,
        "owed_to": None if owed_to is None else " ".join(sorted(owed_to)),
        "owner": None,
        "expires_at": None,
    }
    return (await connection.execute(LEASABLE.change.values(**values), lease.names)).rowcount == 1


async def put_off_all(connection: AsyncConnection, *, problem: str, now: datetime, pause: timedelta) -> None:
    """The server takes nothing: one mail asks for all."""
    waiting = and_(mails.c.ended_at.is_(None), mails.c.owner.is_(None))
    await connection.execute(update(mails).where(waiting).values(**_failed(problem, now, pause)))


async def give_up(connection: AsyncConnection, row_id: int, now: datetime) -> None:
    await connection.execute(update(mails).where(mails.c.id == row_id).values(**_ENDED, ended_at=now))


_ENDED = {"mail": None, "owed_to": None, "owner": None, "expires_at": None}
"""What was in it, and to whom, is not kept."""


def _failed(problem: str, now: datetime, pause: timedelta) -> dict[str, object]:
    since = func.coalesce(mails.c.failing_since, now, type_=mails.c.failing_since.type)
    return {"problem": problem, "failing_since": since, "not_before": now + pause}


def _waiting(row: Row[tuple[object, ...]]) -> Waiting:
    return Waiting(
        row_id=row.id,
        recommendation=row.recommendation,
        kind=MailKind(row.kind),
        mail=msgspec.json.decode(row.mail, type=Mail),
        created_at=row.created_at,
        owed_to=None if row.owed_to is None else frozenset(row.owed_to.split()),
        failing_since=row.failing_since,
    )
