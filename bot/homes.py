"""The home tab: published for whoever opens it, and again while what it shows changes, for those who opened it lately.

Slack keeps what was published, so a restart changes nothing. Whoever opens it is served by the replica that hears of
it; the replica that leads does the rest. Two that publish at once are told by Slack's own hash: then nobody knows what
stands there, and it is published once more.
"""

import hashlib
from datetime import timedelta

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.bell import Bell
from bot.card_views import CardViews
from bot.clock import Clock
from bot.lookout import UNCALLED_S
from bot.loops import CameRound
from bot.pacing import Pace
from bot.pool_names import PoolName
from bot.readings import Readings, Tgc
from bot.rendering.home import DEEDS, render_closed_home, render_home
from bot.rendering.views import CardView, HomeView, PoolGlance, Standing, TgcGlance
from bot.slack import Slack, SlackBusyError, SlackError, SlackRefusedError
from bot.storage import decisions, homes, pools, recommendations, tgcs
from bot.storage.database import Database
from bot.storage.homes import Home
from bot.storage.pools import StoredPool
from bot.tasks import together
from bot.tgcs import Tgcs
from tgc.errors import TGCError

_log = structlog.get_logger(__name__)

PUBLISHED_EVERY = timedelta(seconds=10)
"""For one person, where they do not open it anew."""
DECISIONS_SHOWN = 5
_TICK_S = 5.0
_FRESH_FOR = timedelta(minutes=1)
"""Figures of pools this old are read again when somebody opens a home."""
_CHANGED_SINCE = "hash_conflict"
_TO_DECIDE = frozenset({Standing.OFFERED, Standing.DECIDING})


class _OfTgc(msgspec.Struct, frozen=True, kw_only=True):
    """What one TGC adds to everybody's home."""

    glance: TgcGlance
    pools: tuple[PoolGlance, ...]
    unfinished: tuple[CardView, ...]


class Homes:
    """Publishes people's homes."""

    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        tgcs: Tgcs,
        slack: Slack,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._tgcs = tgcs
        self._slack = slack
        self._pace = pace
        self._clock = clock
        self.bell = Bell(clock)
        self._served: dict[str, tuple[str, str]] = {}
        """By person: hashes of what there was to show, and of what Slack shows of it. Forgotten with the process."""

    async def opened(self, actor: Actor, slack_hash: str | None) -> None:
        """Show what is known at once; then read the pools' figures, and what they change is published soon.

        `slack_hash`: of what Slack shows there; None where nothing was published yet.
        """
        refusal = await self._access.refusal_to_read(actor)
        if refusal is not None:
            await self._close(actor.user_id, refusal)
            return
        async with self._database.write() as connection:
            now = self._clock.now()
            home = await homes.opened(connection, actor.user_id, actor.team_id, now, slack_hash)
        await self._publish(home, await self._read(), is_paced=False)
        await self._read_figures()

    async def tell(self, user_id: str, sentence: str) -> None:
        """Show nothing but a sentence."""
        try:
            await self._slack.publish_home(user_id, render_closed_home(sentence), None)
        except SlackError as error:
            _log.info("a home could not be published", user=user_id, reason=str(error))

    async def keep_published(self, came_round: CameRound) -> None:
        """Publish again what has changed, for as long as this replica leads."""
        while True:
            came_round()
            async with self._database.read() as connection:
                recent = await homes.lately(connection, self._clock.now())
            if recent:
                await self._serve_all(recent, came_round)
                await self._clock.sleep(_TICK_S)
            else:
                await self.bell.wait(UNCALLED_S)

    async def _serve_all(self, recent: list[Home], came_round: CameRound) -> None:
        there_is = await self._read()
        digest = _digest(there_is)
        before, self._served = self._served, {}
        for home in recent:
            painted = home.painted
            if painted is None or before.get(home.user_id) != (digest, painted):
                came_round()
                painted = await self._serve(home, there_is)
            if painted is not None:
                self._served[home.user_id] = (digest, painted)

    async def _serve(self, home: Home, there_is: HomeView) -> str | None:
        """The hash of what Slack shows now; None where that is not known, or this person is not served any more."""
        newest = max(home.opened_at, home.published_at or home.opened_at)  # who just opened it is being served
        if abs(self._clock.now() - newest) < PUBLISHED_EVERY:
            return None
        try:
            refusal = await self._access.refusal_as_member(_actor(home))
        except SlackError:
            return None
        if refusal is not None:
            await self._close(home.user_id, refusal)
            return None
        return await self._publish(home, there_is, is_paced=True)

    async def _publish(self, home: Home, there_is: HomeView, *, is_paced: bool) -> str | None:
        """Publish what this person's home does not show yet. The hash of what it shows; None where nobody knows."""
        view = render_home(await self._of_person(home, there_is))
        painted = _digest(view)
        if painted == home.painted:
            return painted
        if is_paced:
            await self._pace.home()
        try:
            slack_hash = await self._slack.publish_home(home.user_id, view, home.slack_hash)
        except SlackError as error:
            await self._not_published(home, error)
            return None
        async with self._database.write() as connection:
            await homes.published(connection, home.user_id, painted, slack_hash, self._clock.now())
        return painted

    async def _not_published(self, home: Home, error: SlackError) -> None:
        """Whoever cannot be served for good is served no more, until they open it again."""
        if isinstance(error, SlackBusyError):
            self._pace.hold_homes(error.retry_after_s)
        if not isinstance(error, SlackRefusedError) or not self._slack.takes_token:
            _log.info("a home is not published yet", user=home.user_id, reason=str(error))
            return
        async with self._database.write() as connection:
            if error.code == _CHANGED_SINCE:
                await homes.doubt(connection, home.user_id)
                return
            await homes.forget(connection, home.user_id)
        _log.warning("a home cannot be published", user=home.user_id, reason=str(error))

    async def _close(self, user_id: str, refusal: str) -> None:
        async with self._database.write() as connection:
            await homes.forget(connection, user_id)
        await self.tell(user_id, refusal)

    async def _read_figures(self) -> None:
        await together(map(self._read_figures_of, self._tgcs))

    async def _read_figures_of(self, readings: Readings) -> None:
        async with self._database.read() as connection:
            known = await pools.of(connection, readings.tgc.key)
        now = self._clock.now()
        if known and all(abs(now - pool.read_at) < _FRESH_FOR for pool in known):
            return
        try:
            read = await readings.pools()
        except TGCError as error:
            _log.info("the pools' figures were not read", reason=str(error))
            return
        await pools.keep(self._database, readings.tgc.key, read, now)

    # What there is to show

    async def _read(self) -> HomeView:
        """The home of somebody who may do everything."""
        async with self._database.read() as connection:
            parts = [await self._read_tgc(connection, readings.tgc) for readings in self._tgcs]
            decided = await decisions.last_done(connection, DEEDS, DECISIONS_SHOWN)
        open_views = [view for part in parts for view in part.unfinished]
        return HomeView(
            tgcs=tuple(part.glance for part in parts),
            pools=tuple(pool for part in parts for pool in part.pools),
            waiting=tuple(view for view in open_views if view.standing in _TO_DECIDE and view.can_act),
            running=tuple(view for view in open_views if view.standing is Standing.RUNNING),
            decided=tuple(decided),
        )

    async def _read_tgc(self, connection: AsyncConnection, tgc: Tgc) -> _OfTgc:
        newest = await recommendations.newest(connection, tgc.key)
        unfinished = await recommendations.with_open_cards(connection, tgc.key)
        shown = {stored.row_id: stored for stored in (*newest, *unfinished)}  # most are both
        views = {row_id: await self._views.view(connection, stored) for row_id, stored in shown.items()}
        known = await pools.of(connection, tgc.key)
        outage = await tgcs.outage(connection, tgc.key)
        of_pool = {stored.key.pool_uuid: views[stored.row_id] for stored in newest}
        return _OfTgc(
            glance=TgcGlance(
                name=tgc.name,
                url=tgc.url,
                read_at=max((pool.read_at for pool in known), default=None),
                failing_since=outage.since if outage else None,
            ),
            pools=tuple(_glance(pool, of_pool.get(pool.pool_uuid)) for pool in known),
            unfinished=tuple(views[stored.row_id] for stored in unfinished),
        )

    async def _of_person(self, home: Home, there_is: HomeView) -> HomeView:
        """Without what this person may not do. Each press is judged anew."""
        names = {_named(view) for view in (*there_is.waiting, *there_is.running)}
        theirs = {name for name in names if await self._may_act(home, name)}
        return msgspec.structs.replace(
            there_is,
            waiting=tuple(view for view in there_is.waiting if _named(view) in theirs),
            running=tuple(view if _named(view) in theirs else _to_read(view) for view in there_is.running),
        )

    async def _may_act(self, home: Home, pool: PoolName) -> bool:
        try:
            return await self._access.still_may_act(_actor(home), pool)
        except SlackError:
            return False


def _named(view: CardView) -> PoolName:
    return PoolName(view.tgc_key, view.pool_name)


def _glance(pool: StoredPool, view: CardView | None) -> PoolGlance:
    return PoolGlance(pool_name=pool.name, stat=pool.stat, view=view)


def _actor(home: Home) -> Actor:
    return Actor(team_id=home.team_id, user_id=home.user_id, name=home.user_id)


def _to_read(view: CardView) -> CardView:
    return msgspec.structs.replace(view, can_act=False, can_accept=False, hindrance=None)


def _digest(shown: object) -> str:
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()
