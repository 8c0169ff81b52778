"""Who opened the bot's home lately, and what is published there."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Row, delete, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.leases import ensure_row
from bot.storage.tables import homes

LATELY = timedelta(hours=24)
AT_MOST = 50


class Home(msgspec.Struct, frozen=True, kw_only=True):
    user_id: str
    team_id: str
    opened_at: datetime
    painted: str | None
    """Hash of what Slack shows; None where nobody knows."""
    slack_hash: str | None
    """Slack's own of the same."""
    published_at: datetime | None


async def opened(
    connection: AsyncConnection, user_id: str, team_id: str, now: datetime, slack_hash: str | None
) -> Home:
    """Keep that somebody opened it, and forget those who have not for a day.

    `slack_hash`: of what Slack showed then. Where we know another one, nobody knows what it shows.
    """
    await connection.execute(delete(homes).where(not_(_is_recent(now))))
    row = homes.c.user_id == user_id
    await ensure_row(connection, homes, row, user_id=user_id, team_id=team_id, opened_at=now)
    await connection.execute(update(homes).where(row).values(team_id=team_id, opened_at=now))
    is_other = homes.c.slack_hash.is_distinct_from(slack_hash)
    await connection.execute(update(homes).where(row, is_other).values(painted=None, slack_hash=slack_hash))
    return _home((await connection.execute(select(homes).where(row))).one())


async def lately(connection: AsyncConnection, now: datetime) -> list[Home]:
    """The newest of those who opened it within a day."""
    statement = select(homes).where(_is_recent(now)).order_by(homes.c.opened_at.desc()).limit(AT_MOST)
    return [_home(row) for row in await connection.execute(statement)]


async def published(connection: AsyncConnection, user_id: str, painted: str, slack_hash: str, now: datetime) -> None:
    values = {"painted": painted, "slack_hash": slack_hash, "published_at": now}
    await connection.execute(update(homes).where(homes.c.user_id == user_id).values(**values))


async def doubt(connection: AsyncConnection, user_id: str) -> None:
    """Somebody else has published there meanwhile: nobody knows what Slack shows."""
    await connection.execute(update(homes).where(homes.c.user_id == user_id).values(painted=None, slack_hash=None))


async def forget(connection: AsyncConnection, user_id: str) -> None:
    await connection.execute(delete(homes).where(homes.c.user_id == user_id))


def _is_recent(now: datetime) -> ColumnElement[bool]:
    """A moment too far ahead was kept before the clock was set back."""
    return homes.c.opened_at.between(now - LATELY, now + LATELY)


def _home(row: Row[tuple[object, ...]]) -> Home:
    return Home(
        user_id=row.user_id,
        team_id=row.team_id,
        opened_at=row.opened_at,
        painted=row.painted,
        slack_hash=row.slack_hash,
        published_at=row.published_at,
    )
