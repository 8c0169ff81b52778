"""Messages that stand in a channel although this database does not know it: it is new, was lost, or restored."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from bot.clock import Clock
from bot.loops import CameRound
from bot.recommendations import Key
from bot.routes import Routes
from bot.slack import Found, Slack, SlackError, SlackRefusedError
from bot.storage import cards, posts, recommendations
from bot.storage.database import Database
from tgc.models import Recommendation

_log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=3)
"""Recommendations live for 12 hours and run for hours; a card older than this has no live buttons."""
_AGAIN_AFTER_S = 10.0


class CardFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata of a card says of it."""

    tgc: str
    pool: str
    recommendation: str
    final: bool = False


class Adoption:
    """Runs once at start, before anything is posted."""

    def __init__(
        self, database: Database, slack: Slack, tgc_keys: Collection[str], clock: Clock, routes: Routes
    ) -> None:
        self._database = database
        self._slack = slack
        self._tgc_keys = tgc_keys
        self._clock = clock
        self._routes = routes

    async def run(self, came_round: CameRound) -> None:
        """Look into each channel that cards may go to."""
        async with self._database.write() as connection:
            await posts.doubt_replies(connection)
        for channel_id in self._routes.channels:
            await self._look_into(channel_id, came_round)

    async def _look_into(self, channel_id: str, came_round: CameRound) -> None:
        """Look until Slack shows the history, or says that it will not."""
        while True:
            came_round()
            try:
                await self._adopt_all(channel_id)
            except SlackRefusedError as error:
                _log.warning(
                    "the channel's history cannot be read, so cards of a lost database would be posted again",
                    channel=channel_id,
                    reason=str(error),
                )
            except SlackError as error:
                _log.warning("the channel's history could not be read yet", reason=str(error))
                await self._clock.sleep(max(_AGAIN_AFTER_S, error.retry_after_s))
                continue
            return

    async def _adopt_all(self, channel_id: str) -> None:
        async with self._database.read() as connection:
            unsent = await posts.unsent_keys(connection)
        async for found in self._slack.own_messages(channel_id, since=self._clock.now() - LOOK_BACK):
            key = found.metadata.get("key")
            if key in unsent:
                async with self._database.write() as connection:
                    await posts.sent(connection, key, found.ts)
            try:
                facts = msgspec.convert(found.metadata, CardFacts)
            except msgspec.ValidationError:
                continue  # another kind of message of ours
            if facts.tgc in self._tgc_keys and not facts.final:
                await self._adopt(channel_id, found, facts)

    async def _adopt(self, channel_id: str, found: Found, facts: CardFacts) -> None:
        key = Key(facts.tgc, facts.pool, facts.recommendation)
        async with self._database.read() as connection:
            stored = await recommendations.get(connection, key)
            card = stored and await cards.get(connection, stored.row_id, channel_id)
        if card and card.ts:
            return
        _log.info("adopting a card found in the channel", ts=found.ts)
        async with self._database.write() as connection:
            # Nothing is known of it yet but its name: any reading is newer than the beginning of time.
            nothing = Recommendation(id=facts.recommendation)
            beginning = datetime.min.replace(tzinfo=UTC)
            now = self._clock.now()
            await recommendations.store(connection, key, nothing, pool_name="", vm_names={}, read_at=beginning, now=now)
            stored = await recommendations.get(connection, key)
            if stored:
                await cards.adopt(connection, stored.row_id, channel_id, found.ts)
