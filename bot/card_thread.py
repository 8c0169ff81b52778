"""Replies in a card's thread: for what people must notice, as an edit of the card notifies nobody."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.live_cards import live_cards
from bot.rendering.uncalled import calling_nobody
from bot.rendering.views import Message
from bot.routes import Routes
from bot.storage import cards, decisions, posts, recommendations
from bot.storage.cards import Card


class CardThread:
    """Writes replies to cards; the leading replica's outbox sends them."""

    def __init__(self, clock: Clock, routes: Routes) -> None:
        self._clock = clock
        self._routes = routes

    async def reply(
        self, connection: AsyncConnection, recommendation: int, *, key: str, kind: str, message: Message
    ) -> None:
        """Write a reply down under each of its cards, within the caller's transaction.

        A known key, or a card never posted, changes nothing. Whom it names is notified by the first of them alone.
        """
        stored = await recommendations.by_row_id(connection, recommendation)
        shown = [card for card in await live_cards(connection, self._routes, stored) if card.ts]
        for number, card in enumerate(shown):
            its_key = f"{key}/{card.channel_id}" if number else key
            await self.reply_under(connection, card, key=its_key, kind=kind, message=message, calls=number == 0)

    async def reply_under(
        self, connection: AsyncConnection, card: Card, *, key: str, kind: str, message: Message, calls: bool
    ) -> None:
        """The same under one card. `calls`: whether whom it names is notified."""
        card = await cards.by_row_id(connection, card.row_id)
        if card.ts is None:
            return
        if not calls:
            message = calling_nobody(message, await decisions.names(connection, card.recommendation))
        await posts.add(
            connection,
            key=key,
            kind=kind,
            channel_id=card.channel_id,
            now=self._clock.now(),
            thread_ts=card.ts,
            recommendation=card.recommendation,
            message=message,
        )
