"""The outbox: every message the bot posts, written down before it is sent (slack/README 4.6).

pending -> sending -> sent
   ^__________|            Slack said no, so it was not posted
           sending         the answer was lost: look into the history before anything else
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Row, and_, bindparam, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.views import Message
from bot.storage import putting_off
from bot.storage.leases import Leasable, Lease, ensure_row, is_free, moments, store
from bot.storage.tables import posts

LEASABLE = Leasable(posts.c.key)

CARD = "card"


class PostState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    """Ours, unique, and in the message's metadata."""
    kind: str
    channel_id: str
    thread_ts: str | None
    message: Message | None
    """None for a card, which is rendered when it is sent."""
    state: PostState
    created_at: datetime
    sending_at: datetime | None
    not_before: datetime | None
    ts: str | None


async def add(
    connection: AsyncConnection,
    *,
    key: str,
    kind: str,
    channel_id: str,
    now: datetime,
    message: Message | None = None,
    thread_ts: str | None = None,
    recommendation: int | None = None,
) -> bool:
    """Write a message down to be sent; False where it was before."""
    return await ensure_row(
        connection,
        posts,
        posts.c.key == key,
        key=key,
        kind=kind,
        channel_id=channel_id,
        thread_ts=thread_ts,
        recommendation=recommendation,
        message=None if message is None else msgspec.json.encode(message),
        created_at=now,
    )


_BY_KEY = select(posts).where(posts.c.key == bindparam("key"))


async def find(connection: AsyncConnection, key: str) -> Post | None:
    row = (await connection.execute(_BY_KEY, {"key": key})).one_or_none()
    return None if row is None else _post(row)


async def any_with_prefix(connection: AsyncConnection, prefix: str) -> bool:
    statement = select(posts.c.key).where(posts.c.key.startswith(prefix, autoescape=True)).limit(1)
    return (await connection.execute(statement)).first() is not None


async def delete_prefix(connection: AsyncConnection, prefix: str) -> None:
    await connection.execute(delete(posts).where(posts.c.key.startswith(prefix, autoescape=True)))


async def withdraw(connection: AsyncConnection, post: Post) -> bool:
    """Delete a message that need not be sent; False where it has gone on towards being sent since `post` was read."""
    unchanged = and_(posts.c.key == post.key, posts.c.state == post.state)
    return (await connection.execute(delete(posts).where(unchanged))).rowcount == 1


async def due(connection: AsyncConnection, now: datetime, lease_life: timedelta) -> list[Post]:
    """Messages other than cards that wait to be sent and that nobody is sending."""
    statement = (
        select(posts)
        .where(
            posts.c.kind != CARD,
            posts.c.state != PostState.SENT,
            putting_off.is_due(posts, now),
            is_free(posts),
        )
        .order_by(posts.c.created_at)
    )
    return [_post(row) for row in await connection.execute(statement, moments(now, lease_life))]


async def unsent_keys(connection: AsyncConnection) -> set[str]:
    return set((await connection.execute(select(posts.c.key).where(posts.c.state != PostState.SENT))).scalars())


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A message that Slack did not take yet."""

    kind: str
    channel_id: str
    created_at: datetime
    problem: str
    """Why, when it was tried last."""


async def unsent(connection: AsyncConnection) -> list[Unsent]:
    """Those that were tried in vain, whoever was tried last at the end."""
    statement = (
        select(posts.c.kind, posts.c.channel_id, posts.c.created_at, posts.c.problem)
        .where(posts.c.state != PostState.SENT, posts.c.problem.is_not(None))
        .order_by(posts.c.not_before, posts.c.created_at)
    )
    return [
        Unsent(kind=row.kind, channel_id=row.channel_id, created_at=row.created_at, problem=row.problem)
        for row in await connection.execute(statement)
    ]


async def doubt_replies(connection: AsyncConnection) -> None:
    """Have unsent replies looked for in their threads before they go out: a restored database may not know of them."""
    unsent = and_(posts.c.state == PostState.PENDING, posts.c.thread_ts.is_not(None))
    await connection.execute(update(posts).where(unsent).values(state=PostState.SENDING))


_SENDING = LEASABLE.change.values(attempts=posts.c.attempts + 1)


async def sending(connection: AsyncConnection, lease: Lease, now: datetime) -> bool:
    """Commit to sending; False where another process took the message over."""
    values = {"state": PostState.SENDING, "sending_at": now}
    return (await connection.execute(_SENDING, lease.names | values)).rowcount == 1


_CHANGE = update(posts).where(posts.c.key == bindparam("of"))


async def sent(connection: AsyncConnection, key: str, ts: str) -> None:
    """Keep where it stands. Said without the fence: that it was posted is true whoever posted it."""
    values = {"state": PostState.SENT, "ts": ts, "problem": None, "owner": None, "expires_at": None}
    await connection.execute(_CHANGE, {"of": key, **values})


async def put_off(
    connection: AsyncConnection, lease: Lease, *, state: PostState, problem: str, now: datetime, pause: timedelta
) -> None:
    values = {
        "state": state,
        "problem": problem,
        "not_before": putting_off.after(now, pause),
        # Later than now it was by a clock that was set back since: nobody knows how long ago that is.
        "sending_at": case((posts.c.sending_at > now, now), else_=posts.c.sending_at),
        "owner": None,
        "expires_at": None,
    }
    await connection.execute(LEASABLE.change.values(**values), lease.names)


async def leave_thread(connection: AsyncConnection, lease: Lease) -> None:
    """Have it go to the channel itself."""
    await store(connection, lease, thread_ts=None)


def _post(row: Row[tuple[object, ...]]) -> Post:
    return Post(
        key=row.key,
        kind=row.kind,
        channel_id=row.channel_id,
        thread_ts=row.thread_ts,
        message=None if row.message is None else msgspec.json.decode(row.message, type=Message),
        state=PostState(row.state),
        created_at=row.created_at,
        sending_at=row.sending_at,
        not_before=row.not_before,
        ts=row.ts,
    )
