"""Cards: which message shows which recommendation, and what is painted on it."""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import putting_off
from bot.storage.leases import Leasable, Lease, ensure_row, is_free, moments, store
from bot.storage.tables import cards, recommendations

LEASABLE = Leasable(cards.c.id)

LAST_GENERATION = 1
"""Whoever deletes a message once more does not want it."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    row_id: int
    recommendation: int
    channel_id: str
    generation: int
    """How many messages of its own are lost: a card is posted anew once."""
    ts: str | None
    painted: str | None
    """Hash of what the message shows; None: not known."""
    dirty: bool
    """Something changed that it does not show yet."""
    final: bool

    @property
    def can_come_back(self) -> bool:
        """Whether it was let go before it came to its end, so that a route back to its channel has it posted."""
        return self.final and self.ts is None and self.generation <= LAST_GENERATION


_IN_CHANNEL = select(cards).where(
    cards.c.recommendation == bindparam("recommendation"), cards.c.channel_id == bindparam("channel_id")
)
_OF_RECOMMENDATION = select(cards).where(cards.c.recommendation == bindparam("recommendation")).order_by(cards.c.id)
_BY_ROW_ID = select(cards).where(cards.c.id == bindparam("row_id"))


async def get(connection: AsyncConnection, recommendation: int, channel_id: str) -> Card | None:
    of_it = {"recommendation": recommendation, "channel_id": channel_id}
    found = (await connection.execute(_IN_CHANNEL, of_it)).one_or_none()
    return None if found is None else _card(found)


async def of(connection: AsyncConnection, recommendation: int) -> list[Card]:
    """All of a recommendation, in the order in which they were made."""
    return [_card(row) for row in await connection.execute(_OF_RECOMMENDATION, {"recommendation": recommendation})]


_OF_SEVERAL = (
    select(cards).where(cards.c.recommendation.in_(bindparam("recommendations", expanding=True))).order_by(cards.c.id)
)


async def of_several(connection: AsyncConnection, recommendations: Collection[int]) -> dict[int, list[Card]]:
    """The same by recommendation; of those that have any."""
    found: dict[int, list[Card]] = {}
    for row in await connection.execute(_OF_SEVERAL, {"recommendations": list(recommendations)}):
        found.setdefault(row.recommendation, []).append(_card(row))
    return found


async def make(connection: AsyncConnection, recommendation: int, channel_id: str) -> bool:
    """Make the card's row unless it is there; True where this call made it."""
    row = and_(cards.c.recommendation == recommendation, cards.c.channel_id == channel_id)
    values = {"recommendation": recommendation, "channel_id": channel_id, "dirty": True}
    return await ensure_row(connection, cards, row, **values)


async def reopen(connection: AsyncConnection, recommendation: int, channel_id: str) -> None:
    """Have the card posted after all, where no message shows it and none was to."""
    row = and_(cards.c.recommendation == recommendation, cards.c.channel_id == channel_id)
    gone = and_(cards.c.final.is_(True), cards.c.ts.is_(None))
    await connection.execute(update(cards).where(row, gone).values(final=False, dirty=True, not_before=None))


async def adopt(connection: AsyncConnection, recommendation: int, channel_id: str, ts: str) -> None:
    """Take over a message found in the channel, unless the card has one. What it shows is not known."""
    row = and_(cards.c.recommendation == recommendation, cards.c.channel_id == channel_id)
    values = {"recommendation": recommendation, "channel_id": channel_id, "ts": ts}
    if not await ensure_row(connection, cards, row, **values):
        values = {"ts": ts, "painted": None, "final": False}
        await connection.execute(update(cards).where(row, cards.c.ts.is_(None)).values(**values))


async def to_post(connection: AsyncConnection, now: datetime, lease_life: timedelta) -> list[Card]:
    """Cards that no message shows yet, in the order in which they were made."""
    return await _to_paint(connection, cards.c.ts.is_(None), now, lease_life)


async def to_edit(connection: AsyncConnection, now: datetime, lease_life: timedelta) -> list[Card]:
    """Cards whose message shows something older."""
    return await _to_paint(connection, cards.c.ts.is_not(None), now, lease_life)


async def _to_paint(
    connection: AsyncConnection, which: ColumnElement[bool], now: datetime, lease_life: timedelta
) -> list[Card]:
    """Those that are dirty or were left half painted, that are due and that nobody paints."""
    # An owner whose lease ran out died while it painted: nobody knows what the message shows.
    unfinished = or_(cards.c.dirty.is_(True), cards.c.owner.is_not(None))
    due = and_(putting_off.is_due(cards, now), is_free(cards))
    statement = select(cards).where(which, unfinished, due).order_by(cards.c.id)
    return [_card(row) for row in await connection.execute(statement, moments(now, lease_life))]


async def is_due(connection: AsyncConnection, row_id: int, now: datetime) -> bool:
    """Whether it may be painted now: one card may have learned for all of its channel that it may not."""
    due = select(cards.c.id).where(cards.c.id == row_id, putting_off.is_due(cards, now))
    return (await connection.execute(due)).first() is not None


async def count_unposted(connection: AsyncConnection, channel_id: str) -> int:
    statement = (
        select(func.count())
        .select_from(cards)
        .where(cards.c.channel_id == channel_id, cards.c.ts.is_(None), cards.c.final.is_(False))
    )
    return int((await connection.execute(statement)).scalar_one())


async def mark_dirty(connection: AsyncConnection, row_id: int) -> None:
    await connection.execute(update(cards).where(cards.c.id == row_id).values(dirty=True))


_OPEN = update(cards).where(cards.c.final.is_(False))
_OPEN_OF = _OPEN.where(cards.c.recommendation == bindparam("of"))


async def mark_all_dirty(
    connection: AsyncConnection, recommendation: int | None = None, *, not_before: datetime | None = None
) -> None:
    """Have the cards of a recommendation, or all that are not final, compared with the truth and painted."""
    values = {"dirty": True, "not_before": not_before}
    if recommendation is None:
        await connection.execute(_OPEN, values)
    else:
        await connection.execute(_OPEN_OF, {"of": recommendation, **values})


async def mark_dirty_but_of(connection: AsyncConnection, tgc_keys: Collection[str]) -> None:
    """The same of the cards of all other TGCs."""
    others = select(recommendations.c.id).where(recommendations.c.tgc_key.not_in(tgc_keys))
    which = (cards.c.final.is_(False), cards.c.recommendation.in_(others))
    await connection.execute(update(cards).where(*which).values(dirty=True, not_before=None))


async def begin_painting(connection: AsyncConnection, lease: Lease) -> None:
    """What is read after this goes into the painting; what comes later marks the card dirty again."""
    await store(connection, lease, dirty=False, not_before=None)


async def begin_editing(connection: AsyncConnection, lease: Lease) -> bool:
    """Commit to an edit; False where the card was taken over.

    Until the edit is stored nobody knows what the message shows, so whoever compares it meanwhile marks the card dirty.
    """
    return await store(connection, lease, painted=None)


async def store_painting(
    connection: AsyncConnection, lease: Lease, *, ts: str, painted: str | None, final: bool
) -> bool:
    """Keep what was painted; False where somebody newer painted meanwhile, maybe before us."""
    return await store(connection, lease, ts=ts, painted=painted, final=final)


async def doubt(connection: AsyncConnection, row_id: int) -> None:
    """Two have painted over each other: nobody knows what the message shows, and whoever is at it may not say so."""
    values = {"painted": None, "dirty": True, "final": False, "fence": cards.c.fence + 1}
    await connection.execute(update(cards).where(cards.c.id == row_id).values(**values))


async def postpone(connection: AsyncConnection, lease: Lease, until: datetime) -> None:
    """Leave the card dirty and free until then."""
    await store(connection, lease, dirty=True, not_before=until, owner=None, expires_at=None)


async def postpone_channel(connection: AsyncConnection, channel_id: str, until: datetime) -> None:
    """Leave alone until then whatever nobody paints in a channel that refuses the bot: one card asks for all."""
    waiting = and_(cards.c.channel_id == channel_id, cards.c.final.is_(False), cards.c.owner.is_(None))
    await connection.execute(update(cards).where(waiting).values(not_before=until))


async def by_row_id(connection: AsyncConnection, row_id: int) -> Card:
    return _card((await connection.execute(_BY_ROW_ID, {"row_id": row_id})).one())


_RELEASE_IF_CLEAN = LEASABLE.release.where(cards.c.dirty.is_(False))


async def release_if_clean(connection: AsyncConnection, lease: Lease) -> bool:
    """Let go of the card; False where it became dirty meanwhile and is to be painted once more."""
    return (await connection.execute(_RELEASE_IF_CLEAN, lease.names)).rowcount == 1


_LOSE_MESSAGE = LEASABLE.change.values(ts=None, painted=None, generation=cards.c.generation + 1)


async def lose_message(connection: AsyncConnection, lease: Lease) -> None:
    """Forget the message, so that the card is posted anew once."""
    await connection.execute(_LOSE_MESSAGE.values(dirty=True), lease.names)


async def forget(connection: AsyncConnection, lease: Lease) -> None:
    """Never paint the card again."""
    await store(connection, lease, dirty=False, final=True)


async def let_go(connection: AsyncConnection, lease: Lease) -> None:
    """Paint the card no more, nor count on its message, which nobody can edit: should it come back, it is another."""
    await connection.execute(_LOSE_MESSAGE.values(dirty=False, final=True), lease.names)


def _card(row: Row[tuple[object, ...]]) -> Card:
    return Card(
        row_id=row.id,
        recommendation=row.recommendation,
        channel_id=row.channel_id,
        generation=row.generation,
        ts=row.ts,
        painted=row.painted,
        dirty=row.dirty,
        final=row.final,
    )
