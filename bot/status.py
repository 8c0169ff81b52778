"""What the bot is at: put together from its database, for whoever asks."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
from bot.clock import Clock
from bot.readings import Tgc
from bot.rendering.views import Outage, Paused, StatusView, Unposted
from bot.storage import cards, mails, pauses, posts, recommendations, tgcs
from bot.storage.database import Database
from bot.storage.pauses import EVERY_POOL
from bot.watch import next_run


class Status:
    """Looks at everything that is not at its end."""

    def __init__(
        self,
        *,
        database: Database,
        views: CardViews,
        tgc: Tgc,
        clock: Clock,
        schedule: str,
        zone: ZoneInfo,
        swept_at: Callable[[], datetime | None],
    ) -> None:
        """`swept_at`: when this process read all pools last."""
        self._database = database
        self._views = views
        self._tgc = tgc
        self._clock = clock
        self._schedule = schedule
        self._zone = zone
        self._swept_at = swept_at

    async def now(self) -> StatusView:
        async with self._database.read() as connection:
            open_ones = await recommendations.with_open_cards(connection, self._tgc.key)
            outage = await tgcs.outage(connection, self._tgc.key)
            failing = await mails.failing(connection)
            return StatusView(
                tgc_name=self._tgc.name,
                cards=tuple([await self._views.view(connection, stored) for stored in open_ones]),
                paused=await self._paused(connection),
                unposted=await self._unposted(connection),
                outage=Outage(since=outage.since, problem=outage.problem) if outage else None,
                mail=Outage(since=failing.since, problem=failing.problem) if failing else None,
                login_refused_at=await tgcs.login_refused_at(connection, self._tgc.key),
                swept_at=self._swept_at(),
                next_sweeps=self._next_sweeps(),
            )

    async def _paused(self, connection: AsyncConnection) -> tuple[Paused, ...]:
        now = self._clock.now()
        every = await pauses.in_force(connection, self._tgc.key, EVERY_POOL, now)
        single = await pauses.of_single_pools(connection, self._tgc.key, now)
        return (
            *([Paused(pool_name=None, user_id=every.user_id, until=every.until)] if every else []),
            *(Paused(pool_name=one.pool_name or one.pool_uuid, user_id=one.user_id, until=one.until) for one in single),
        )

    async def _unposted(self, connection: AsyncConnection) -> Unposted | None:
        """One card asks for all of a channel that refuses the bot, so the others are counted where they wait."""
        unsent = await posts.unsent(connection)
        if not unsent:
            return None
        channel_ids = {post.channel_id for post in unsent if post.kind == posts.CARD}
        return Unposted(
            cards=sum([await cards.count_unposted(connection, channel_id) for channel_id in channel_ids]),
            messages=sum(1 for post in unsent if post.kind != posts.CARD),
            since=min(post.created_at for post in unsent),
            problem=unsent[-1].problem,
        )

    def _next_sweeps(self) -> tuple[datetime, ...]:
        first = next_run(self._schedule, self._zone, self._clock.now())
        return (first, next_run(self._schedule, self._zone, first))
