"""What became of recommendations: the TGC's own history, and what people here decided."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
from bot.clock import Clock
from bot.pool_names import TgcPool
from bot.pools import find_pools, is_name
from bot.readings import PoolReading, view_of_reading
from bot.recommendations import Key
from bot.rendering.history import ENTRIES_PER_PAGE
from bot.rendering.views import HistoryPage, PoolAnswer
from bot.storage import decisions, recommendations
from bot.storage.database import Database
from bot.storage.recommendations import Stored
from bot.tgcs import Tgcs
from tgc.errors import TGCError
from tgc.models import Recommendation

MAX_DAYS = 30
"""The TGC tells no more."""

_DAYS = re.compile(r"(?:^|\s)(?P<days>[0-9]{1,9})\s*(?:d|days?)?$", re.ASCII | re.IGNORECASE)
"""`7`, `7d`, `7 days`, at the end of what was typed."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class HistoryRefusedError(Exception):
    """It cannot be shown; `str()` says why."""


class _Past(msgspec.Struct, frozen=True, kw_only=True):
    """One recommendation, as the TGC tells it, or as we kept it."""

    pool: TgcPool
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

    def __init__(self, *, database: Database, tgcs: Tgcs, views: CardViews, clock: Clock, patience_s: float) -> None:
        """`patience_s`: for how long one pool may keep the others waiting."""
        self._database = database
        self._tgcs = tgcs
        self._views = views
        self._clock = clock
        self._patience_s = patience_s

    async def page(self, typed: str, page: int) -> HistoryPage:
        """Raises HistoryRefusedError, UnknownPoolError, AmbiguousPoolError, TGCError."""
        listed = await self._tgcs.pools(typed)
        pools, days = meant(listed.pools, typed)
        since = self._clock.now() - timedelta(days=days)
        patience_s = self._patience_s if len(pools) > 1 else None
        needed = (page + 1) * ENTRIES_PER_PAGE
        pasts = await asyncio.gather(*(self._read(pool, since, needed, patience_s) for pool in pools))
        async with self._database.read() as connection:
            kept = await self._kept(connection, pools, pasts, since, every_pool=len(pools) == len(listed.pools))
            unread = [PoolAnswer(pool_name=key, problem=why) for key, why in sorted(listed.unread.items())]
            unread += sorted((past.unread for past in pasts if past.unread), key=_by_name)
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

    async def _read(self, pool: TgcPool, since: datetime, needed: int, patience_s: float | None) -> _PoolPast:
        name = pool.shown
        try:
            async with asyncio.timeout(patience_s):
                told = await self._tgcs.tgc(pool.tgc_key).client.recommendation_history(pool.pool.uuid)
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
        pools: Sequence[TgcPool],
        pasts: Iterable[_PoolPast],
        since: datetime,
        *,
        every_pool: bool,
    ) -> list[_Past]:
        """What was decided here and the TGC does not tell; with every pool also of those that are gone."""
        told = {_place(pool): past.ids for pool, past in zip(pools, pasts, strict=True)}
        decided = await decisions.decided(connection, {pool.tgc_key for pool in pools}, since)
        kept = []
        for key, row_id in decided.items():
            place = (key.tgc_key, key.pool_uuid)
            is_meant = every_pool or place in told
            if is_meant and key.recommendation_id not in told.get(place, ()):
                stored = await recommendations.by_row_id(connection, row_id)
                kept.append(_Past(pool=stored.tgc_pool, recommendation=stored.recommendation, stored=stored))
        return kept

    async def _answer(self, connection: AsyncConnection, past: _Past) -> PoolAnswer:
        stored = past.stored or await self._known(connection, past)
        name = past.pool.shown
        if stored is None:
            key, now = past.pool.tgc_key, self._clock.now()
            reading = PoolReading(tgc_key=key, pool=past.pool.pool, read_at=now, recommendation=past.recommendation)
            return PoolAnswer(pool_name=name, view=view_of_reading(self._tgcs.tgc(key), reading, now))
        return PoolAnswer(pool_name=name, view=await self._views.view(connection, stored))

    async def _known(self, connection: AsyncConnection, past: _Past) -> Stored | None:
        """What we keep of it, with what the TGC says now; None where it was never shown here."""
        key = Key(past.pool.tgc_key, past.pool.pool.uuid, past.recommendation.id or "")
        stored = await recommendations.get(connection, key)
        return stored and msgspec.structs.replace(stored, recommendation=past.recommendation, gone=False)


def meant(pools: Sequence[TgcPool], typed: str) -> tuple[list[TgcPool], int]:
    """The pools, all where none is named, and for how many days. A pool whose name ends in a number comes first.

    Raises HistoryRefusedError, UnknownPoolError, AmbiguousPoolError.
    """
    typed = typed.strip()
    found = _DAYS.search(typed)
    if found is None or is_name(pools, typed):
        return find_pools(pools, typed), MAX_DAYS
    days = int(found["days"])
    if not 1 <= days <= MAX_DAYS:
        raise HistoryRefusedError(f"The TGC keeps {MAX_DAYS} days: type a number of days from 1 to {MAX_DAYS}.")
    return find_pools(pools, typed[: found.start()]), days


def _place(pool: TgcPool) -> tuple[str, str]:
    return pool.tgc_key, pool.pool.uuid


def _by_name(answer: PoolAnswer) -> tuple[str, str]:
    return answer.pool_name.casefold(), answer.pool_name
