"""One reminder before an undecided recommendation expires, and one more where an approver put it off."""

from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.card_thread import CardThread
from bot.card_views import CardViews, moment
from bot.clock import Clock
from bot.drawings import card_key
from bot.readings import Tgc, read_again
from bot.recommendations import is_expired, is_open
from bot.reconcile import Reconciler
from bot.rendering.notices import render_reminder
from bot.rendering.views import Standing
from bot.routes import Routes
from bot.storage import cards, decisions, offers, posts, recommendations, snoozes
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.offers import Offer
from bot.storage.recommendations import Stored
from bot.storage.snoozes import Snooze
from bot.tasks import together
from tgc.errors import TGCError

SNOOZE = "snooze"
_UNKNOWN = "I do not know this button any more: type /tintri reco for what there is now."
_DECIDED = "There is nothing left to be reminded of."


class SnoozePress(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody pressed Snooze."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    offer_id: str


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    can_be_put_off: bool


class Reminders:
    """Says in a card's thread that its time is nearly over."""

    def __init__(
        self,
        *,
        database: Database,
        access: Access,
        views: CardViews,
        reconciler: Reconciler,
        thread: CardThread,
        clock: Clock,
        zone: ZoneInfo,
        routes: Routes,
        before: timedelta,
    ) -> None:
        self._database = database
        self._access = access
        self._views = views
        self._reconciler = reconciler
        self._thread = thread
        self._clock = clock
        self._zone = zone
        self._routes = routes
        self._before = before

    async def run(self, tgc: Tgc) -> None:
        """Remind of all that is due at one TGC."""
        async with self._database.read() as connection:
            known = await recommendations.with_open_cards(connection, tgc.key)
            put_off = await snoozes.by_recommendation(connection)
            due = [stored for stored in known if await self._due(connection, stored, put_off.get(stored.row_id))]
        await together(self._remind(tgc, stored) for stored in due)

    async def snooze(self, press: SnoozePress) -> str:
        """Put the reminder off by half of the time that is left, and say what was done."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, press.offer_id)
            if offer is None:
                return _UNKNOWN
            stored = await recommendations.by_row_id(connection, offer.recommendation)
        refusal = await self._access.refusal_to_act(press.actor, stored.named)
        async with self._database.write() as connection:
            if refusal is not None:
                refused = self._decision(press, offer, stored, Outcome.NOT_ALLOWED, refusal)
                await decisions.add_refusal(connection, refused)
                return refusal
            return await self._put_off(connection, press, offer, stored)

    async def _put_off(self, connection: AsyncConnection, press: SnoozePress, offer: Offer, stored: Stored) -> str:
        now, expires = self._clock.now(), stored.recommendation.expiration_time
        if expires is None or not await self._is_undecided(connection, stored):
            return f"{stored.pool_name}: {_DECIDED}"
        until = now + (expires - now) / 2
        snooze = Snooze(recommendation=stored.row_id, user_id=press.actor.user_id, until=until)
        is_first = await snoozes.add(connection, snooze)
        kept = snooze if is_first else await snoozes.get(connection, stored.row_id) or snooze
        told = f"{stored.pool_name}: {self._told(kept, now)}"
        if is_first:
            await decisions.add(connection, self._decision(press, offer, stored, Outcome.DONE, told))
        return told

    def _told(self, snooze: Snooze, now: datetime) -> str:
        at = moment(snooze.until, self._zone)
        return f"I remind of it once more at {at}." if now < snooze.until else f"I reminded of it once more at {at}."

    async def _remind(self, tgc: Tgc, stored: Stored) -> None:
        """Look first: it may have been decided in the TGC's own GUI a moment ago."""
        with suppress(TGCError):
            reading = await read_again(tgc, self._clock, stored.pool, stored.key.recommendation_id)
            await self._reconciler.observe(reading)
        async with self._database.write() as connection:
            stored = await recommendations.by_row_id(connection, stored.row_id)
            reminder = await self._due(connection, stored, await snoozes.get(connection, stored.row_id))
            if reminder is None or not await self._is_undecided(connection, stored):
                return
            view = await self._views.view(connection, stored)
            message = render_reminder(view, can_be_put_off=reminder.can_be_put_off)
            await self._thread.reply(connection, stored.row_id, key=reminder.key, kind="reminder", message=message)

    async def _is_undecided(self, connection: AsyncConnection, stored: Stored) -> bool:
        return (await self._views.view(connection, stored)).standing is Standing.OFFERED

    async def _due(self, connection: AsyncConnection, stored: Stored, snooze: Snooze | None) -> Reminder | None:
        """The reminder that is due and not written down yet."""
        now, expires = self._clock.now(), stored.recommendation.expiration_time
        is_over = stored.gone or not is_open(stored.recommendation) or is_expired(stored.recommendation, now)
        if is_over or expires is None:
            return None
        first, second = (f"reminder/{card_key(stored.key, self._routes.main, 0)}/{number}" for number in (1, 2))
        due_at = expires - self._before
        if now < due_at and snooze is None:
            return None
        if await posts.find(connection, first) is None:
            is_due = due_at <= now and await self._was_posted_by(connection, stored, due_at)
            return Reminder(key=first, can_be_put_off=True) if is_due else None
        if snooze is None or now < snooze.until or await posts.find(connection, second) is not None:
            return None
        return Reminder(key=second, can_be_put_off=False)

    async def _was_posted_by(self, connection: AsyncConnection, stored: Stored, due_at: datetime) -> bool:
        """Whether a card stood in time: one that came later needs no reminder, for it is one."""
        for card in await cards.of(connection, stored.row_id):
            post = await posts.find(connection, card_key(stored.key, card.channel_id, 0))
            if card.ts is not None and (post is None or post.created_at <= due_at):
                return True
        return False

    def _decision(self, press: SnoozePress, offer: Offer, stored: Stored, outcome: Outcome, told: str) -> Decision:
        """About the recommendation in name only: it decides nothing of what its card shows."""
        return Decision(
            recommendation=None,
            tgc_key=stored.key.tgc_key,
            pool_uuid=stored.key.pool_uuid,
            pool_name=stored.pool_name,
            recommendation_id=stored.key.recommendation_id,
            action=SNOOZE,
            offer_id=press.offer_id,
            seen=offer.shown,
            team_id=press.actor.team_id,
            user_id=press.actor.user_id,
            user_name=press.actor.name,
            channel_id=press.channel_id,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=told,
            command_id=press.id,
        )
