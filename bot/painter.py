"""Painting cards: rendered without a lock, painted under the card's lease, stored with its fence (design: cards).

Whoever finds a card that does not show the truth marks it dirty, also while it is being painted: then it is painted
once more. A crash leaves the card dirty or its lease to run out, and either is found by whoever paints next.
New cards and changed ones are painted side by side, each at the pace that Slack allows, so that nobody who reads the
TGC ever waits for Slack. A card on which nothing but the progress of its moves differs waits for all others, and is
edited every ten seconds at most.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.bell import Bell
from bot.card_thread import CardThread
from bot.card_views import CardViews
from bot.clock import Clock
from bot.drawings import Drawing, card_key, draw_all
from bot.lookout import UNCALLED_S
from bot.loops import CameRound
from bot.mail_queue import MailQueue
from bot.metrics import EDITED
from bot.outbox import Delivered, Outbox
from bot.pacing import Pace
from bot.rendering.card import render_moved
from bot.rendering.following import render_ended
from bot.rendering.views import CardView, Message
from bot.routes import Routes
from bot.slack import Slack, SlackBusyError, SlackError, SlackRefusedError
from bot.storage import cards, putting_off, recommendations
from bot.storage.cards import Card
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases, is_held
from bot.storage.mails import MailKind
from bot.troubles import is_of_channel

_log = structlog.get_logger(__name__)

PROGRESS_EVERY_S = 10.0
_AGAIN_AFTER = timedelta(seconds=5)
_REFUSED_AGAIN_AFTER = timedelta(minutes=1)
_LOST_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""The message cannot be edited, now or ever."""


class _Shown(msgspec.Struct, frozen=True):
    """What this process has painted on a card whose moves run."""

    state_digest: str
    at: float
    """By the monotonic clock: the time of day may be set."""


class Painter:
    """Posts and edits the cards that are dirty."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Leases,
        outbox: Outbox,
        thread: CardThread,
        mail_queue: MailQueue,
        slack: Slack,
        pace: Pace,
        views: CardViews,
        routes: Routes,
        clock: Clock,
    ) -> None:
        self._database = database
        self._leases = leases
        self._outbox = outbox
        self._thread = thread
        self._mail_queue = mail_queue
        self._slack = slack
        self._pace = pace
        self._views = views
        self._routes = routes
        self._clock = clock
        self.posting = Bell(clock)
        self.editing = Bell(clock)
        self._shown: dict[int, _Shown] = {}
        """By row. Forgotten with the process: then progress is painted once too early."""

    async def post_new(self, came_round: CameRound) -> None:
        """Post the cards that no message shows yet, in the order in which they were made, as long as the bot runs."""
        while True:
            if not await self._post_round(came_round):
                await self.posting.wait(UNCALLED_S)

    async def _post_round(self, came_round: CameRound) -> bool:
        """Post the first one of each channel, so that none waits for another's; True where others are waiting.

        A channel where Slack asks to wait waits alone.
        """
        waiting = [card for card in await self._waiting(cards.to_post) if not self._pace.holds_posts(card.channel_id)]
        first: dict[str, Card] = {}
        for card in waiting:
            first.setdefault(card.channel_id, card)
        for card in first.values():
            came_round()
            await self._paint(card)
        came_round()
        return len(waiting) > len(first)

    async def edit_changed(self, came_round: CameRound) -> None:
        """Edit the messages that show something older, each in its turn, as long as the bot runs."""
        while True:
            if not await self._edit_round(came_round):
                await self.editing.wait(UNCALLED_S)

    async def _edit_round(self, came_round: CameRound) -> bool:
        """Paint what changed, then one card on which mere progress did; True where others of these are due."""
        progressed: list[Card] = []
        for card in await self._waiting(cards.to_edit):
            came_round()
            if await self._has_merely_progressed(card):
                progressed.append(card)
            else:
                await self._paint(card)
        came_round()
        last = self._clock.monotonic() - PROGRESS_EVERY_S
        due = [card for card in progressed if self._shown[card.row_id].at <= last]
        if due:
            await self._paint(min(due, key=lambda card: self._shown[card.row_id].at))
            came_round()
        return len(due) > 1

    async def order(self, card: Card) -> None:
        """Have the card painted soon."""
        if not card.dirty:
            async with self._database.write() as connection:
                await cards.mark_dirty(connection, card.row_id)
        (self.posting if card.ts is None else self.editing).ring()

    async def _draw(self, card: Card) -> Drawing:
        async with self._database.read() as connection:
            stored = await recommendations.by_row_id(connection, card.recommendation)
            [drawings] = await draw_all(connection, self._views, self._routes, [stored], self._clock.now())
        [drawing] = [one for one in drawings if one.card.row_id == card.row_id]
        return drawing

    async def _waiting(
        self, which: Callable[[AsyncConnection, datetime, timedelta], Awaitable[list[Card]]]
    ) -> list[Card]:
        async with self._database.read() as connection:
            return await which(connection, self._clock.now(), self._leases.life)

    async def _has_merely_progressed(self, card: Card) -> bool:
        """Whether the message shows all that is true but for how far the moves are."""
        shown = self._shown.get(card.row_id)
        if shown is None or card.painted is None:
            return False
        drawing = await self._draw(card)
        return drawing.state_digest == shown.state_digest and not drawing.is_painted

    async def _paint(self, card: Card) -> None:
        """Paint the card, and once more for whatever changes meanwhile; nothing where somebody else is at it."""
        lease = await self._take(card)
        if lease is None:
            return
        async with self._leases.kept(lease):
            while await self._paint_once(card, lease) and await self._goes_on(card, lease):
                pass

    async def _take(self, card: Card) -> Lease | None:
        """Begin to paint it; None where it is not due any more, or somebody else is at it."""
        async with self._database.write() as connection:
            if not await cards.is_due(connection, card.row_id, self._clock.now()):
                return None
            lease = await self._leases.take(connection, cards.LEASABLE, card.row_id)
            if lease is not None:
                await cards.begin_painting(connection, lease)
            return lease

    async def _goes_on(self, card: Card, lease: Lease) -> bool:
        """Begin to paint what changed meanwhile; False where that is mere progress, which has a turn of its own."""
        async with self._database.read() as connection:
            painted = await cards.by_row_id(connection, card.row_id)
        has_merely_progressed = await self._has_merely_progressed(painted)
        async with self._database.write() as connection:
            if has_merely_progressed:
                await self._leases.release(connection, lease)
            else:
                await cards.begin_painting(connection, lease)
        return not has_merely_progressed

    async def _paint_once(self, card: Card, lease: Lease) -> bool:
        """Paint what is true now, and let go of the card; True where it is kept, as something changed meanwhile."""
        try:
            drawing = await self._draw(card)
            if not drawing.is_painted:
                return await (self._edit(drawing, lease) if drawing.card.ts else self._post(drawing, lease))
        except SlackError as error:
            await self._postpone(card, lease, error)
            return False
        async with self._database.write() as connection:
            return await _is_to_repaint(connection, lease)

    async def _post(self, drawing: Drawing, lease: Lease) -> bool:
        delivered = await self._deliver(drawing)
        if delivered is None:
            async with self._database.write() as connection:
                await cards.forget(connection, lease)
                return await _is_to_repaint(connection, lease)
        return await self._store(drawing, lease, delivered.ts, fresh=delivered.fresh)

    async def _deliver(self, drawing: Drawing) -> Delivered | None:
        """Post the card. None where it came to its end, or went elsewhere, before it was ever posted."""
        if drawing.is_routed and not drawing.view.standing.is_end:
            return await self._outbox.post_card(
                drawing.key, drawing.card.channel_id, drawing.message, drawing.facts, drawing.stored.row_id
            )
        ts = await self._outbox.withdraw_card(drawing.key)
        return None if ts is None else Delivered(ts=ts, fresh=False)

    async def _edit(self, drawing: Drawing, lease: Lease) -> bool:
        await self._pace.edit()
        async with self._database.write() as connection:
            if not await cards.begin_editing(connection, lease):
                return False  # another process took the card over while we waited: it paints
        drawing = await self._draw(drawing.card)  # waiting for the turn took time: show what is true now
        card = drawing.card
        if card.ts is None or drawing.is_painted:
            async with self._database.write() as connection:
                return await _is_to_repaint(connection, lease)
        await self._announce_end(drawing)
        message = drawing.message if drawing.moved_to is None else await self._pointer(drawing.view, drawing.moved_to)
        try:
            await self._slack.update(card.channel_id, card.ts, message, key=drawing.key, facts=drawing.facts)
        except SlackBusyError as error:
            self._pace.hold_edits(error.retry_after_s)
            raise
        except SlackRefusedError as error:
            if error.code not in _LOST_CODES:
                raise
            return await self._message_lost(drawing, lease)
        EDITED.inc()
        return await self._store(drawing, lease, card.ts, fresh=True)

    async def _pointer(self, view: CardView, to: Card) -> Message:
        """With a link to the card where Slack gives one."""
        try:
            return render_moved(view, to.channel_id, await self._slack.permalink(to.channel_id, to.ts or ""))
        except SlackError as error:
            _log.info("a card points to a channel, as Slack gives no link to the card there", reason=str(error))
            return render_moved(view, to.channel_id)

    async def _announce_end(self, drawing: Drawing) -> None:
        """Say once how moves have ended; before the card shows it, for at its end nobody looks at it again."""
        if not drawing.final or not drawing.has_run or drawing.moved_to is not None:
            return
        card = card_key(drawing.stored.key, drawing.card.channel_id, 0)
        async with self._database.write() as connection:
            await self._thread.reply_under(
                connection,
                drawing.card,
                key=f"ended/{card}/{drawing.view.standing}",
                kind="ended",
                message=render_ended(drawing.view),
                calls=drawing.is_first,
            )
            await self._mail_queue.add(connection, drawing.stored.row_id, MailKind.ENDED, drawing.view)

    async def _store(self, drawing: Drawing, lease: Lease, ts: str, *, fresh: bool) -> bool:
        """Keep what the message shows, and let go. Refused, or not knowing what it shows: it is painted again."""
        async with self._database.write() as connection:
            kept = await cards.store_painting(
                connection,
                lease,
                ts=ts,
                painted=drawing.digest if fresh else None,
                final=fresh and drawing.final,
            )
            if kept and fresh:
                self._note(drawing)
            for card in drawing.left_behind:
                await cards.mark_dirty(connection, card.row_id)
            if not kept:
                await cards.doubt(connection, drawing.card.row_id)
            elif not fresh:
                await cards.mark_dirty(connection, drawing.card.row_id)
            return await _is_to_repaint(connection, lease)

    def _note(self, drawing: Drawing) -> None:
        state_digest = drawing.state_digest
        if state_digest is None:
            self._shown.pop(drawing.card.row_id, None)
        else:
            self._shown[drawing.card.row_id] = _Shown(state_digest, self._clock.monotonic())

    async def _message_lost(self, drawing: Drawing, lease: Lease) -> bool:
        """Somebody deleted the message: an open card is posted anew once, a final one forgotten.

        Any other is let go: counted as standing it would have cards elsewhere point to it.
        """
        is_last = drawing.card.generation >= cards.LAST_GENERATION
        post_anew = drawing.moved_to is None and not drawing.final and not is_last
        _log.warning("a card's message is gone from Slack", pool=drawing.stored.pool_name, post_anew=post_anew)
        async with self._database.write() as connection:
            if post_anew:
                await cards.lose_message(connection, lease)
            elif drawing.final:
                await cards.forget(connection, lease)
            else:
                await cards.let_go(connection, lease)
            return await _is_to_repaint(connection, lease)

    async def _postpone(self, card: Card, lease: Lease, error: SlackError) -> None:
        _log.warning("a card is not painted yet", channel=card.channel_id, reason=str(error))
        pause = _REFUSED_AGAIN_AFTER if isinstance(error, SlackRefusedError) else _AGAIN_AFTER
        if isinstance(error, SlackBusyError):
            pause = timedelta(seconds=error.retry_after_s)
        until = putting_off.after(self._clock.now(), pause)
        is_over = is_of_channel(error) and (await self._draw(card)).moved_to is not None
        async with self._database.write() as connection:
            if is_over:  # nobody corrects a channel that nothing goes to any more
                await cards.let_go(connection, lease)
                await self._leases.release(connection, lease)
                return
            await cards.postpone(connection, lease, until)
            if is_of_channel(error):
                await cards.postpone_channel(connection, card.channel_id, until)


async def _is_to_repaint(connection: AsyncConnection, lease: Lease) -> bool:
    """Let go of the card, unless it became dirty meanwhile: then it is kept, and painted once more."""
    return not await cards.release_if_clean(connection, lease) and await is_held(connection, lease)
