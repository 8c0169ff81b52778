"""Which of a recommendation's cards show it, where its route has several channels or is another one than it was."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.routes import Routes
from bot.storage import cards
from bot.storage.cards import Card
from bot.storage.recommendations import Stored


async def live_cards(connection: AsyncConnection, routes: Routes, stored: Stored) -> list[Card]:
    """In the order of the route's channels."""
    route = routes.of(stored.key.tgc_key, stored.pool_name, stored.recommendation)
    return live(await cards.of(connection, stored.row_id), route.channels)


def live(found: Sequence[Card], channels: Sequence[str]) -> list[Card]:
    """Those in `channels`; until one of them stands in Slack those elsewhere still show it, and then point there."""
    routed = [card for card in found if card.channel_id in channels]
    if any(card.ts for card in routed):
        return sorted(routed, key=lambda card: channels.index(card.channel_id))
    return list(found)
