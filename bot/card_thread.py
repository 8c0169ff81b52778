"""Replies in a card's thread: for what people must notice, as an edit of the card notifies nobody."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.outbox import Outbox
from bot.rendering.views import Message
from bot.storage import cards


class CardThread:
    """Writes replies to the cards of one channel."""

    def __init__(self, outbox: Outbox, channel_id: str) -> None:
        self._outbox = outbox
        self._channel_id = channel_id

    async def reply(
        self, connection: AsyncConnection, recommendation: int, *, key: str, kind: str, message: Message
    ) -> None:
        """Write a reply down within the caller's transaction; a known key, or a card never posted, changes nothing."""
        card = await cards.get(connection, recommendation, self._channel_id)
        if card is None or card.ts is None:
            return
        await self._outbox.add(
            connection,
            key=key,
            kind=kind,
            channel_id=self._channel_id,
            thread_ts=card.ts,
            recommendation=recommendation,
            message=message,
        )
