"""A channel that does not take the bot's posts: the log, /readyz and each approver that is named hear of it, once."""

import structlog

from bot.access import Access
from bot.clock import Clock
from bot.rendering.escape import is_channel_id
from bot.rendering.notices import render_cannot_post
from bot.routes import Routes
from bot.slack import SlackError, SlackRefusedError
from bot.storage import cards, posts
from bot.storage.database import Database

_log = structlog.get_logger(__name__)

KIND = "cannot_post"

_CODES = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "channel_is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "no_permission",
        "missing_scope",
    }
)


def is_of_channel(error: SlackError) -> bool:
    """Whether Slack refused a message for its channel's sake, so that it would refuse any other there."""
    return isinstance(error, SlackRefusedError) and error.code in _CODES


class Troubles:
    """Tells approvers of a channel that refuses posts, and forgets it when one gets through."""

    def __init__(self, database: Database, access: Access, routes: Routes, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._routes = routes
        self._clock = clock
        self._refusing: set[str] = set()

    @property
    def is_refused(self) -> bool:
        """By a channel that cards may go to now: nobody mends one that was taken out of the routes."""
        return not self._refusing.isdisjoint(self._routes.channels)

    @property
    def state(self) -> str:
        """For /readyz: names no channel."""
        return "refuses the bot's messages; the log says what to do" if self.is_refused else "ok"

    async def refused(self, channel_id: str, error: SlackRefusedError) -> None:
        """A person who cannot be written to is nobody else's trouble."""
        if not is_of_channel(error) or not is_channel_id(channel_id):
            return
        if channel_id not in self._refusing:
            _log.error(
                "the channel refuses the bot's messages: "
                "type /invite @tintri in it, or correct RECO_CHANNEL or its route",
                channel=channel_id,
                reason=str(error),
            )
        self._refusing.add(channel_id)
        approver_ids = await self._access.approver_ids()
        async with self._database.write() as connection:
            waiting = await cards.count_unposted(connection, channel_id)
            for user_id in sorted(approver_ids):
                await posts.add(
                    connection,
                    key=_key(channel_id, user_id),
                    kind=KIND,
                    channel_id=user_id,
                    now=self._clock.now(),
                    message=render_cannot_post(channel_id, str(error), waiting),
                )

    async def posted(self, channel_id: str) -> None:
        self._refusing.discard(channel_id)
        async with self._database.read() as connection:
            told = await posts.any_with_prefix(connection, _key(channel_id, ""))
        if told:
            async with self._database.write() as connection:
                await posts.delete_prefix(connection, _key(channel_id, ""))


def _key(channel_id: str, user_id: str) -> str:
    return f"{KIND}/{channel_id}/{user_id}"
