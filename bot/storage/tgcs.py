"""What we know of each TGC between readings: the account's role, outages, refused logins."""

import asyncio
import hashlib
import hmac
import secrets
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import refused_logins, tgcs


class RefusedLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A user name and a password that the TGC did not take."""

    refused_at: datetime
    """The last time."""
    refusals: int
    """How often in a row."""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Sweeps that failed in a row."""

    failures: int
    since: datetime
    problem: str
    noticed: bool
    """Whether the channel was told."""


_IS = tgcs.c.tgc_key == bindparam("tgc_key")
_ROLE = select(tgcs.c.role).where(_IS)
_OUTAGE = select(tgcs).where(_IS, tgcs.c.failures > 0)


async def role(connection: AsyncConnection, tgc_key: str) -> str | None:
    return (await connection.execute(_ROLE, {"tgc_key": tgc_key})).scalar_one_or_none()


async def roles(connection: AsyncConnection) -> dict[str, str]:
    """By TGC; of those whose account's role is known."""
    known = select(tgcs.c.tgc_key, tgcs.c.role).where(tgcs.c.role.is_not(None))
    return {row.tgc_key: row.role for row in await connection.execute(known)}


async def set_role(connection: AsyncConnection, tgc_key: str, name: str) -> None:
    await _ensure(connection, tgc_key)
    await connection.execute(update(tgcs).where(tgcs.c.tgc_key == tgc_key).values(role=name))


async def outage(connection: AsyncConnection, tgc_key: str) -> Outage | None:
    row = (await connection.execute(_OUTAGE, {"tgc_key": tgc_key})).one_or_none()
    if row is None:
        return None
    return Outage(failures=row.failures, since=row.failing_since, problem=row.problem, noticed=row.noticed)


async def count_failure(connection: AsyncConnection, tgc_key: str, problem: str, now: datetime) -> Outage:
    await _ensure(connection, tgc_key)
    values = {"failures": tgcs.c.failures + 1, "problem": problem}
    await connection.execute(update(tgcs).where(tgcs.c.tgc_key == tgc_key).values(**values))
    first = tgcs.c.failing_since.is_(None)
    await connection.execute(update(tgcs).where(tgcs.c.tgc_key == tgc_key, first).values(failing_since=now))
    counted = await outage(connection, tgc_key)
    if counted is None:
        raise LookupError(tgc_key)
    return counted


async def notice_outage(connection: AsyncConnection, tgc_key: str) -> None:
    await connection.execute(update(tgcs).where(tgcs.c.tgc_key == tgc_key).values(noticed=True))


async def end_outage(connection: AsyncConnection, tgc_key: str) -> None:
    values = {"failures": 0, "failing_since": None, "problem": None, "noticed": False}
    await connection.execute(update(tgcs).where(tgcs.c.tgc_key == tgc_key).values(**values))


async def refused_login(
    connection: AsyncConnection, tgc_key: str, user_name: str, password: str
) -> RefusedLogin | None:
    """What came of this very user name and password; None where the TGC did not refuse them."""
    statement = select(refused_logins).where(
        refused_logins.c.tgc_key == tgc_key, refused_logins.c.user_name == user_name
    )
    row = (await connection.execute(statement)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, await _digest(password, row.salt)):
        return None
    return RefusedLogin(refused_at=row.refused_at, refusals=row.refusals)


async def login_refused_at(connection: AsyncConnection, tgc_key: str) -> datetime | None:
    """When the TGC refused a login last, whichever it was; None where it took one since."""
    statement = select(refused_logins.c.refused_at).where(refused_logins.c.tgc_key == tgc_key)
    return (await connection.execute(statement)).scalar_one_or_none()


async def remember_refused_login(
    connection: AsyncConnection, tgc_key: str, user_name: str, password: str, now: datetime
) -> None:
    before = await refused_login(connection, tgc_key, user_name, password)
    salt = secrets.token_bytes(16)
    values = {
        "tgc_key": tgc_key,
        "user_name": user_name,
        "salt": salt,
        "digest": await _digest(password, salt),
        "refused_at": now,
        "refusals": before.refusals + 1 if before else 1,
    }
    await forget_refused_login(connection, tgc_key)
    await connection.execute(refused_logins.insert().values(**values))


async def forget_refused_login(connection: AsyncConnection, tgc_key: str) -> None:
    await connection.execute(delete(refused_logins).where(refused_logins.c.tgc_key == tgc_key))


async def _ensure(connection: AsyncConnection, tgc_key: str) -> None:
    await ensure_row(connection, tgcs, tgcs.c.tgc_key == tgc_key, tgc_key=tgc_key)


async def _digest(password: str, salt: bytes) -> bytes:
    """Slow on purpose: the password itself is never stored, and what is stored does not give it away."""
    return await asyncio.to_thread(hashlib.scrypt, password.encode(), salt=salt, n=2**14, r=8, p=1)
