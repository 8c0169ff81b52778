"""The pools of a TGC as last read, with the figures that their lists give."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.database import Database
from bot.storage.tables import pools
from tgc.models import Pool, PoolStat


class StoredPool(msgspec.Struct, frozen=True, kw_only=True):
    pool_uuid: str
    name: str
    stat: PoolStat | None
    read_at: datetime
    """When the list was read that it is from: the last one that told anything new."""


async def keep(database: Database, tgc_key: str, read: Sequence[Pool], read_at: datetime) -> None:
    """Keep these and no others. Nothing new, nothing written."""
    new = {_told(pool) for pool in read}
    async with database.read() as connection:
        known = {tuple(row) for row in await connection.execute(_TOLD, {"of": tgc_key})}
    if new != known:
        async with database.write() as connection:
            await _replace(connection, tgc_key, new, read_at)


_Told = tuple[str, str, bytes | None]
_TOLD = select(pools.c.pool_uuid, pools.c.name, pools.c.stat).where(pools.c.tgc_key == bindparam("of"))


def _told(pool: Pool) -> _Told:
    """What the TGC says of it, as it is written down."""
    return pool.uuid, pool.name or pool.uuid, msgspec.json.encode(pool.stat) if pool.stat else None


async def _replace(connection: AsyncConnection, tgc_key: str, new: Iterable[_Told], read_at: datetime) -> None:
    await connection.execute(delete(pools).where(pools.c.tgc_key == tgc_key))
    rows = [
        {"tgc_key": tgc_key, "pool_uuid": pool_uuid, "name": name, "stat": stat, "read_at": read_at}
        for pool_uuid, name, stat in new
    ]
    if rows:
        await connection.execute(insert(pools), rows)


async def of(connection: AsyncConnection, tgc_key: str) -> list[StoredPool]:
    """By name."""
    statement = select(pools).where(pools.c.tgc_key == tgc_key)
    found = [
        StoredPool(
            pool_uuid=row.pool_uuid,
            name=row.name,
            stat=msgspec.json.decode(row.stat, type=PoolStat) if row.stat else None,
            read_at=row.read_at,
        )
        for row in await connection.execute(statement)
    ]
    return sorted(found, key=lambda pool: (pool.name.casefold(), pool.pool_uuid))
