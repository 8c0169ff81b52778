"""The only way a card comes into being or changes: take in the TGC's word, and have it painted where it differs.

Every trigger ends here: schedule, refresh, a press, a restart, another replica. So a crash needs no repair of its own.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.batches import AT_ONCE, Batches
from bot.card_thread import CardThread
from bot.card_views import CardViews
from bot.clock import Clock
from bot.drawings import Drawing, card_key, draw_all
from bot.due_plans import DuePlans
from bot.mail_queue import MailQueue
from bot.readings import PoolReading, read_again, view_of_reading
from bot.recommendations import Key, Plan, is_expired, is_open, plan_of
from bot.rendering.content import seen
from bot.rendering.following import render_stalled
from bot.rendering.notices import render_other_moves
from bot.rendering.views import CardView, Seen
from bot.routes import Routes
from bot.stalls import newly_stalled, watch_moves
from bot.storage import approvals, cards, offers, recommendations
from bot.storage.cards import Card
from bot.storage.database import Database
from bot.storage.mails import MailKind
from bot.storage.recommendations import Stored
from bot.tgcs import Tgcs
from bot.vm_names import VmNames


class Painting(Protocol):
    """Paints cards, or leaves that to the process that does."""

    async def order(self, card: Card) -> None: ...


class _Drawn(msgspec.Struct, frozen=True):
    """A recommendation as last read, and what each of its cards should show."""

    stored: Stored
    drawings: tuple[Drawing, ...]


class Reconciler:
    """Keeps what Slack shows equal to what the TGC and the database say."""

    def __init__(
        self,
        *,
        database: Database,
        painter: Painting,
        thread: CardThread,
        mail_queue: MailQueue,
        views: CardViews,
        tgcs: Tgcs,
        patience_s: float,
        routes: Routes,
        clock: Clock,
        due_plans: DuePlans,
        stall_after: timedelta,
    ) -> None:
        self._due_plans = due_plans
        self._database = database
        self._painter = painter
        self._thread = thread
        self._mail_queue = mail_queue
        self._views = views
        self._tgcs = tgcs
        self._vm_names = {one.tgc.key: VmNames(one.tgc.client, clock, patience_s=patience_s) for one in tgcs}
        self._routes = routes
        self._clock = clock
        self._stall_after = stall_after
        self._known = Batches(self._look_up)
        self._drawn = Batches(self._read_and_draw)

    async def observe(self, reading: PoolReading) -> None:
        """Keep a reading and bring its cards up to it."""
        stored = await self.remember(reading)
        if stored is not None:
            await self.reconcile(stored.key)

    async def remember(self, reading: PoolReading) -> Stored | None:
        """Keep a reading and make its offer; None where it names no recommendation. Nothing new, nothing written."""
        recommendation = reading.recommendation
        if recommendation is None or not recommendation.id:
            return None
        key = Key(reading.tgc_key, reading.pool.uuid, recommendation.id)
        known = await self._known.get(key)
        vm_names = await self._vm_names[reading.tgc_key].look_up(recommendation, known.vm_names if known else {})
        if known and not known.gone:
            moves_seen = watch_moves(known.moves_seen, recommendation, reading.read_at, self._stall_after)
            read = (recommendation, reading.pool_name, vm_names, moves_seen)
            if (known.recommendation, known.pool_name, known.vm_names, known.moves_seen) == read:
                return known
        async with self._database.write() as connection:
            before = await recommendations.get(connection, key)
            moves_before = before.moves_seen if before else {}
            await recommendations.store(
                connection,
                key,
                recommendation,
                pool_name=reading.pool_name,
                vm_names=vm_names,
                read_at=reading.read_at,
                now=self._clock.now(),
                moves_seen=watch_moves(moves_before, recommendation, reading.read_at, self._stall_after),
            )
            stored = await recommendations.get(connection, key)
            if stored is not None:
                await self._announce_stalled(connection, stored, newly_stalled(moves_before, stored.moves_seen))
                if before is None or _is_offered_anew(before, stored):
                    await self._make_offer(connection, stored)
        return stored

    async def _make_offer(self, connection: AsyncConnection, stored: Stored) -> None:
        """Make the offer of the moves as they are now, and end what rests on others."""
        now, (plan, shown) = self._clock.now(), _offered(stored)
        offer_id = await offers.offer_for(connection, stored.row_id, plan, shown, now)
        await approvals.end_all(connection, stored.row_id, now, but_of=offer_id)
        if is_open(stored.recommendation):
            await self._due_plans.end_changed(connection, stored.row_id, but_of=offer_id)

    async def forget(self, key: Key) -> None:
        """The TGC does not know this recommendation any more: its card says so and ends."""
        async with self._database.write() as connection:
            await recommendations.mark_gone(connection, key, self._clock.now())
        await self.reconcile(key)

    async def view_of(self, reading: PoolReading) -> CardView:
        """What a reading shows to somebody who asks; its buttons stand for the same offers as the card's."""
        stored = await self.remember(reading)
        if stored is None:
            return view_of_reading(self._tgcs.tgc(reading.tgc_key), reading, self._clock.now())
        async with self._database.read() as connection:
            return await self._views.view(connection, stored)

    async def view_of_offer(self, offer_id: str) -> CardView | None:
        """What is known of the recommendation that a button stands for; None for an unknown button."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, offer_id)
            if offer is None:
                return None
            stored = await recommendations.by_row_id(connection, offer.recommendation)
            return await self._views.view(connection, stored)

    async def fresh_view_of_offer(self, offer_id: str) -> CardView | None:
        """The same after reading the TGC again. Raises TGCError."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, offer_id)
            if offer is None:
                return None
            stored = await recommendations.by_row_id(connection, offer.recommendation)
        tgc = self._tgcs.tgc(stored.key.tgc_key)
        return await self.view_of(await read_again(tgc, self._clock, stored.pool, stored.key.recommendation_id))

    async def reconcile(self, *keys: Key) -> None:
        """Have the cards of these recommendations posted or edited where they do not show the truth.

        One after the other: new cards are posted in the order in which they are made.
        """
        for first in range(0, len(keys), AT_ONCE):
            for drawn in await self._drawn.get_all(keys[first : first + AT_ONCE]):
                if drawn is not None:
                    await self._bring_up(drawn)

    async def bring_up(self, several: Sequence[Stored]) -> None:
        """The same where all that is kept of them is at hand.

        What is kept meanwhile by somebody else is theirs to bring up; a card that is painted is drawn anew in any case.
        """
        for first in range(0, len(several), AT_ONCE):
            async with self._database.read() as connection:
                some = await self._draw(connection, several[first : first + AT_ONCE])
            for drawn in some:
                await self._bring_up(drawn)

    async def _look_up(self, keys: Collection[Key]) -> dict[Key, Stored | None]:
        async with self._database.read() as connection:
            found = await recommendations.get_several(connection, keys)
        return {key: found.get(key) for key in keys}

    async def _read_and_draw(self, keys: Collection[Key]) -> dict[Key, "_Drawn | None"]:
        """None for what was never read."""
        async with self._database.read() as connection:
            found = await recommendations.get_several(connection, keys)
            drawn = {one.stored.key: one for one in await self._draw(connection, list(found.values()))}
        return {key: drawn.get(key) for key in keys}

    async def _draw(self, connection: AsyncConnection, several: Sequence[Stored]) -> list["_Drawn"]:
        drawings = await draw_all(connection, self._views, self._routes, several, self._clock.now())
        return [_Drawn(stored, tuple(those)) for stored, those in zip(several, drawings, strict=True)]

    async def _bring_up(self, drawn: "_Drawn") -> None:
        made = await self._drawn.get(drawn.stored.key) if await self._make_cards(drawn) else None
        for drawing in (made or drawn).drawings:
            await self._bring_card_up(drawing)

    async def _bring_card_up(self, drawing: Drawing) -> None:
        await self._announce_other_moves(drawing)  # first: whoever painted the card need not have announced them
        if drawing.card.dirty or not drawing.is_painted:
            await self._painter.order(drawing.card)

    async def _announce_other_moves(self, drawing: Drawing) -> None:
        """Say it loudly, once: an edit of the card notifies nobody."""
        act = drawing.view.act
        is_shown = drawing.card.ts is not None and drawing.moved_to is None
        if act is None or not act.other_moves or not is_shown:
            return
        key, message = f"other-moves/{drawing.key}", render_other_moves(drawing.view, act.user_id)
        async with self._database.write() as connection:
            await self._thread.reply_under(
                connection, drawing.card, key=key, kind="other_moves", message=message, calls=drawing.is_first
            )

    async def _announce_stalled(self, connection: AsyncConnection, stored: Stored, vms: Collection[str]) -> None:
        """In the transaction that keeps that they are called stalled, so once."""
        if not vms:
            return
        which = hashlib.sha256(msgspec.json.encode(sorted(vms))).hexdigest()[:16]
        await self._thread.reply(
            connection,
            stored.row_id,
            key=f"stalled/{card_key(stored.key, self._routes.main, 0)}/{which}",
            kind="stalled",
            message=render_stalled(await self._views.view(connection, stored), vms),
        )

    async def _make_cards(self, drawn: "_Drawn") -> bool:
        """Make those that its route lacks, for what can still be decided only; whether any was lacking.

        One that was let go when the route left its channel comes back with the route.
        """
        stored, recommendation = drawn.stored, drawn.stored.recommendation
        if stored.gone or not is_open(recommendation) or is_expired(recommendation, self._clock.now()):
            return False
        route = self._routes.of(stored.key.tgc_key, stored.pool_name, recommendation)
        there = {drawing.card.channel_id for drawing in drawn.drawings if not drawing.card.can_come_back}
        lacking = [channel_id for channel_id in route.channels if channel_id not in there]
        if not lacking:
            return False
        async with self._database.write() as connection:
            made = [await cards.make(connection, stored.row_id, channel_id) for channel_id in lacking]
            for channel_id in lacking:
                await cards.reopen(connection, stored.row_id, channel_id)
            if any(made) and self._mail_queue.is_on:
                view = await self._views.view(connection, stored)
                await self._mail_queue.add(connection, stored.row_id, MailKind.AVAILABLE, view)
        return True


def _is_offered_anew(before: Stored, stored: Stored) -> bool:
    """Whether something else can be accepted than before, or the same by other names, or again."""
    was_open, is_open_now = is_open(before.recommendation), is_open(stored.recommendation)
    return _offered(before) != _offered(stored) or was_open != is_open_now


def _offered(stored: Stored) -> tuple[Plan, Seen]:
    return plan_of(stored.recommendation), seen(stored.recommendation, stored.vm_names)
