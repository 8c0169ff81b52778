"""What is said in the thread of a recommendation's card, as an edit of the card notifies nobody."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.outbox import Outbox
from bot.rendering.views import Message
from bot.storage import cards


class CardThread:
    def __init__(self, outbox: Outbox, channel_id: str) -> None:
        self._outbox = outbox
        self._channel_id = channel_id

    async def say(self, connection: AsyncConnection, row_id: int, key: str, kind: str, message: Message) -> None:
        """Write it down within the caller's transaction. Where there is no card, nobody is told."""
        card = await cards.get(connection, row_id, self._channel_id)
        if card is None or card.ts is None:
            return
        await self._outbox.add(
            connection,
            key=key,
            kind=kind,
            channel_id=self._channel_id,
            thread_ts=card.ts,
            recommendation=row_id,
            message=message,
        )
