"""What became of recommendations: the TGC's own history, and what people here decided."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
from bot.clock import Clock
from bot.pools import find_pools
from bot.readings import PoolReading, Readings, pool_name, view_of_reading
from bot.recommendations import Key
from bot.rendering.history import ENTRIES_PER_PAGE
from bot.rendering.views import HistoryPage, PoolAnswer
from bot.storage import decisions, recommendations
from bot.storage.database import Database
from bot.storage.recommendations import Stored
from tgc.errors import TGCError
from tgc.models import Pool, Recommendation

MAX_DAYS = 30
"""The TGC tells no more."""

_DAYS = re.compile(r"(?:^|\s)(?P<days>[0-9]{1,9})\s*(?:d|days?)?$", re.ASCII | re.IGNORECASE)
"""`7`, `7d`, `7 days`, at the end of what was typed."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class HistoryRefusedError(Exception):
    """It cannot be shown; `str()` says why."""


class _Past(msgspec.Struct, frozen=True, kw_only=True):
    """One recommendation, as the TGC tells it, or as we kept it."""

    pool: Pool
    recommendation: Recommendation
    stored: Stored | None = None
    """Set where the TGC does not tell it any more."""

    @property
    def made_at(self) -> datetime:
        return self.recommendation.creation_time or _LONG_AGO


class _PoolPast(msgspec.Struct, frozen=True, kw_only=True):
    """What one pool's history tells, or why it does not."""

    unread: PoolAnswer | None = None
    newest: tuple[_Past, ...] = ()
    """No more than a page can need: hundreds of moves each would fill the memory."""
    ids: frozenset[str] = frozenset()
    """Of all that it tells, however old."""
    total: int = 0


class History:
    """Reads the pools' histories, and puts them together with the journal."""

    def __init__(
        self, *, database: Database, readings: Readings, views: CardViews, clock: Clock, patience_s: float
    ) -> None:
        """`patience_s`: for how long one pool may keep the others waiting."""
        self._database = database
        self._readings = readings
        self._views = views
        self._clock = clock
        self._patience_s = patience_s

    async def page(self, typed: str, page: int) -> HistoryPage:
        """Raises HistoryRefusedError, UnknownPoolError, TGCError."""
        known = await self._readings.pools()
        pools, days = meant(known, typed)
        since = self._clock.now() - timedelta(days=days)
        patience_s = self._patience_s if len(pools) > 1 else None
        needed = (page + 1) * ENTRIES_PER_PAGE
        pasts = await asyncio.gather(*(self._read(pool, since, needed, patience_s) for pool in pools))
        async with self._database.read() as connection:
            kept = await self._kept(connection, pools, pasts, since, every_pool=len(pools) == len(known))
            unread = sorted((past.unread for past in pasts if past.unread), key=_by_name)
            told = [one for past in pasts for one in past.newest]
            newest_first = sorted([*told, *kept], key=lambda one: one.made_at, reverse=True)
            entries: list[PoolAnswer | _Past] = [*unread, *newest_first]
            total = sum(past.total for past in pasts) + len(kept)
            last = max(len(unread) + total - 1, 0) // ENTRIES_PER_PAGE
            page = min(page, last)
            shown = entries[page * ENTRIES_PER_PAGE : (page + 1) * ENTRIES_PER_PAGE]
            answers = [one if isinstance(one, PoolAnswer) else await self._answer(connection, one) for one in shown]
        return HistoryPage(
            answers=tuple(answers),
            days=days,
            recommendations=total,
            unread=len(unread),
            typed=typed,
            page=page,
            last=last,
        )

    async def _read(self, pool: Pool, since: datetime, needed: int, patience_s: float | None) -> _PoolPast:
        name = pool_name(pool)
        try:
            async with asyncio.timeout(patience_s):
                told = await self._readings.tgc.client.recommendation_history(pool.uuid)
        except TimeoutError:
            return _PoolPast(unread=PoolAnswer(pool_name=name, is_late=True))
        except TGCError as error:
            return _PoolPast(unread=PoolAnswer(pool_name=name, problem=str(error)))
        recent = [one for one in told if one.creation_time is None or one.creation_time >= since]
        return _PoolPast(
            newest=tuple(_Past(pool=pool, recommendation=one) for one in recent[:needed]),
            ids=frozenset(one.id for one in told if one.id),
            total=len(recent),
        )

    async def _kept(
        self,
        connection: AsyncConnection,
        pools: Sequence[Pool],
        pasts: Iterable[_PoolPast],
        since: datetime,
        *,
        every_pool: bool,
    ) -> list[_Past]:
        """What was decided here and the TGC does not tell; with every pool also of those that are gone."""
        told = {pool.uuid: past.ids for pool, past in zip(pools, pasts, strict=True)}
        decided = await decisions.decided(connection, self._readings.tgc.key, since)
        kept = []
        for key, row_id in decided.items():
            is_meant = every_pool or key.pool_uuid in told
            if is_meant and key.recommendation_id not in told.get(key.pool_uuid, ()):
                stored = await recommendations.by_row_id(connection, row_id)
                kept.append(_Past(pool=stored.pool, recommendation=stored.recommendation, stored=stored))
        return kept

    async def _answer(self, connection: AsyncConnection, past: _Past) -> PoolAnswer:
        stored = past.stored or await self._known(connection, past)
        name = pool_name(past.pool)
        if stored is None:
            reading = PoolReading(pool=past.pool, read_at=self._clock.now(), recommendation=past.recommendation)
            return PoolAnswer(pool_name=name, view=view_of_reading(self._readings.tgc, reading, self._clock.now()))
        return PoolAnswer(pool_name=name, view=await self._views.view(connection, stored))

    async def _known(self, connection: AsyncConnection, past: _Past) -> Stored | None:
        """What we keep of it, with what the TGC says now; None where it was never shown here."""
        key = Key(self._readings.tgc.key, past.pool.uuid, past.recommendation.id or "")
        stored = await recommendations.get(connection, key)
        return stored and msgspec.structs.replace(stored, recommendation=past.recommendation, gone=False)


def meant(pools: Sequence[Pool], typed: str) -> tuple[list[Pool], int]:
    """The pools, all where none is named, and for how many days. A pool whose name ends in a number comes first.

    Raises HistoryRefusedError, UnknownPoolError.
    """
    typed = typed.strip()
    found = _DAYS.search(typed)
    if found is None or any(pool_name(pool).casefold() == typed.casefold() for pool in pools):
        return find_pools(pools, typed), MAX_DAYS
    days = int(found["days"])
    if not 1 <= days <= MAX_DAYS:
        raise HistoryRefusedError(f"The TGC keeps {MAX_DAYS} days: type a number of days from 1 to {MAX_DAYS}.")
    return find_pools(pools, typed[: found.start()]), days


def _by_name(answer: PoolAnswer) -> tuple[str, str]:
    return answer.pool_name.casefold(), answer.pool_name
