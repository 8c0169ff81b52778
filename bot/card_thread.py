"""Replies in a card's thread: for what people must notice, as an edit of the card notifies nobody."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.rendering.views import Message
from bot.storage import cards, posts


class CardThread:
    """Writes replies to the cards of one channel; the leading replica's outbox sends them."""

    def __init__(self, clock: Clock, channel_id: str) -> None:
        self._clock = clock
        self._channel_id = channel_id

    async def reply(
        self, connection: AsyncConnection, recommendation: int, *, key: str, kind: str, message: Message
    ) -> None:
        """Write a reply down within the caller's transaction; a known key, or a card never posted, changes nothing."""
        card = await cards.get(connection, recommendation, self._channel_id)
        if card is None or card.ts is None:
            return
        await posts.add(
            connection,
            key=key,
            kind=kind,
            channel_id=self._channel_id,
            now=self._clock.now(),
            thread_ts=card.ts,
            recommendation=recommendation,
            message=message,
        )
