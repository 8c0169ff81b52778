"""What the bot is at: put together from its database, for whoever asks."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_views import CardViews
from bot.clock import Clock
from bot.rendering.views import Outage, Paused, StatusView, TgcStatus, Unposted
from bot.storage import cards, mails, pauses, posts, recommendations, tgcs
from bot.storage.database import Database
from bot.storage.pauses import EVERY_POOL
from bot.tgcs import Tgcs
from bot.watch import Watch


class Status:
    """Looks at everything that is not at its end."""

    def __init__(
        self,
        *,
        database: Database,
        views: CardViews,
        tgcs: Tgcs,
        clock: Clock,
        watches: Sequence[Watch],
    ) -> None:
        self._database = database
        self._views = views
        self._tgcs = tgcs
        self._clock = clock
        self._watches = watches

    async def now(self) -> StatusView:
        async with self._database.read() as connection:
            open_ones = [
                stored
                for one in self._tgcs
                for stored in await recommendations.with_open_cards(connection, one.tgc.key)
            ]
            failing = await mails.failing(connection)
            return StatusView(
                tgcs=tuple([await self._of_tgc(connection, watch) for watch in self._watches]),
                cards=tuple([await self._views.view(connection, stored) for stored in open_ones]),
                paused=await self._paused(connection),
                unposted=await self._unposted(connection),
                mail=Outage(since=failing.since, problem=failing.problem) if failing else None,
            )

    async def _of_tgc(self, connection: AsyncConnection, watch: Watch) -> TgcStatus:
        outage = await tgcs.outage(connection, watch.tgc.key)
        return TgcStatus(
            name=watch.tgc.name,
            outage=Outage(since=outage.since, problem=outage.problem) if outage else None,
            login_refused_at=await tgcs.login_refused_at(connection, watch.tgc.key),
            swept_at=watch.swept_at,
            next_sweeps=watch.next_sweeps(),
        )

    async def _paused(self, connection: AsyncConnection) -> tuple[Paused, ...]:
        now = self._clock.now()
        every = await pauses.in_force(connection, self._tgcs.key_of_all, EVERY_POOL, now)
        single = await pauses.of_single_pools(connection, now)
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
