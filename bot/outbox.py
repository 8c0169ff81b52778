"""Every post, exactly once as far as Slack lets us: written down first, looked for before it is sent again.

slack/README 4.6: posting has no idempotency key. A post whose answer was lost is looked for in the channel's history
by our key in its metadata; only where it is not there does it go out once more.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.bell import Bell
from bot.clock import Clock
from bot.lookout import UNCALLED_S
from bot.loops import CameRound
from bot.metrics import POSTED, UNPOSTED
from bot.pacing import Pace
from bot.rendering.uncalled import calling_nobody
from bot.rendering.views import Message
from bot.slack import Slack, SlackBusyError, SlackError, SlackRefusedError, SlackUnsureError
from bot.storage import posts
from bot.storage.database import Database
from bot.storage.leases import Lease, Leases
from bot.storage.posts import Post, PostState
from bot.troubles import Troubles

_log = structlog.get_logger(__name__)

SETTLING = timedelta(seconds=5)
"""How long a post whose answer was lost may take to show up in the history."""
_CLOCKS_APART = timedelta(hours=1)
"""How far back in the history to look, for clocks that disagree. Only our key makes a message ours."""
_REFUSED_PAUSE = timedelta(minutes=1)
_NO_THREAD_CODES = frozenset({"cannot_reply_to_message", "thread_not_found"})
"""What it answers is gone: somebody deleted the card. So it goes to the channel, as nobody would be told otherwise."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    ts: str
    fresh: bool
    """Whether the message was posted just now, as given; else it stands since earlier and may show something older."""


class BusyError(SlackError):
    """It is not this process's turn to post the message."""


class Outbox:
    """Posts what is written down, once it was opened."""

    def __init__(
        self, *, database: Database, leases: Leases, slack: Slack, pace: Pace, troubles: Troubles, clock: Clock
    ) -> None:
        self._database = database
        self._leases = leases
        self._slack = slack
        self._pace = pace
        self._troubles = troubles
        self._clock = clock
        self.bell = Bell(clock)
        self._opened = asyncio.Event()

    def open(self) -> None:
        """Let messages out: what stands in the channel already is known now."""
        self._opened.set()
        self.bell.ring()

    async def add(
        self,
        connection: AsyncConnection,
        *,
        key: str,
        kind: str,
        channel_id: str,
        message: Message,
        thread_ts: str | None = None,
        recommendation: int | None = None,
    ) -> None:
        """Write a message down within the caller's transaction; it goes out soon after. A known key changes nothing."""
        await posts.add(
            connection,
            key=key,
            kind=kind,
            channel_id=channel_id,
            now=self._clock.now(),
            message=message,
            thread_ts=thread_ts,
            recommendation=recommendation,
        )

    async def announce(
        self,
        connection: AsyncConnection,
        *,
        key: str,
        kind: str,
        channel_ids: Iterable[str],
        message: Message,
        people: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """The same in several channels; in the first by `key` itself, and only there it notifies people.

        `people`: their names by Slack's ids.
        """
        for number, channel_id in enumerate(channel_ids):
            its_key, its_message = (
                (f"{key}/{channel_id}", calling_nobody(message, people)) if number else (key, message)
            )
            await self.add(connection, key=its_key, kind=kind, channel_id=channel_id, message=its_message)

    async def post_card(
        self, key: str, channel_id: str, message: Message, facts: Mapping[str, str | bool], recommendation: int
    ) -> Delivered:
        """Post a card now. Raises SlackError where it does not stand yet; what to do next is written down."""
        async with self._database.write() as connection:
            await posts.add(
                connection,
                key=key,
                kind=posts.CARD,
                channel_id=channel_id,
                now=self._clock.now(),
                recommendation=recommendation,
            )
        return await self._deliver(key, message, facts)

    async def withdraw_card(self, key: str) -> str | None:
        """See that a card is not posted any more: None, or the ts of one that was already. Raises SlackError."""
        async with self._database.read() as connection:
            post = await posts.find(connection, key)
        if post is None or post.state is PostState.SENT:
            return None if post is None else post.ts
        ts = None if post.state is PostState.PENDING else await self._look(post)
        if ts is None:
            async with self._database.write() as connection:
                if not await posts.withdraw(connection, post):
                    raise BusyError("Another process is posting this card.")
        return ts

    async def run(self, came_round: CameRound) -> None:
        """Send what is due, for as long as the bot runs."""
        while True:
            if self._opened.is_set():
                await self.send_due(came_round)
            came_round()
            await self.bell.wait(UNCALLED_S)

    async def send_due(self, came_round: CameRound = lambda: None) -> None:
        async with self._database.read() as connection:
            due = await posts.due(connection, self._clock.now(), self._leases.life)
        UNPOSTED.set(len(due))
        for post in due:
            # Where Slack asks to wait, others do not wait along.
            if post.message is not None and not self._pace.holds_posts(post.channel_id):
                with suppress(SlackError):  # said in the log, and kept in the row for the next turn
                    await self._deliver(post.key, post.message, {})
            came_round()

    async def _deliver(self, key: str, message: Message, facts: Mapping[str, str | bool]) -> Delivered:
        if not self._opened.is_set():
            raise BusyError("What stands in the channel already is looked at first.")
        async with self._database.write() as connection:
            lease = await self._leases.take(connection, posts.LEASABLE, key)
            post = await posts.find(connection, key)
        if lease is None or post is None:
            raise BusyError("Another process is posting this message, or needs it no more.")
        async with self._leases.kept(lease):
            if post.state is PostState.SENT and post.ts is not None:
                async with self._database.write() as connection:
                    await self._leases.release(connection, lease)
                return Delivered(ts=post.ts, fresh=False)
            return await self._send(post, lease, message, facts)

    async def _send(self, post: Post, lease: Lease, message: Message, facts: Mapping[str, str | bool]) -> Delivered:
        asked = False
        try:
            if post.state is PostState.SENDING:
                ts = await self._look(post)
                if ts is not None:
                    await self._sent(post, ts)
                    return Delivered(ts=ts, fresh=False)
            await self._pace.post(post.channel_id)
            await self._commit_to_sending(lease)
            asked = True
            ts = await self._slack.post(post.channel_id, message, key=post.key, facts=facts, thread_ts=post.thread_ts)
        except BusyError:
            raise
        except SlackUnsureError as error:
            await self._put_off(post, lease, PostState.SENDING if asked else post.state, error)
            raise
        except SlackError as error:
            await self._put_off(post, lease, PostState.PENDING if asked else post.state, error)
            raise
        await self._sent(post, ts)
        await self._troubles.posted(post.channel_id)
        POSTED.labels(kind=post.kind).inc()
        return Delivered(ts=ts, fresh=True)

    async def _commit_to_sending(self, lease: Lease) -> None:
        async with self._database.write() as connection:
            if not await posts.sending(connection, lease, self._clock.now()):
                raise BusyError("Another process took over this message.")

    async def _sent(self, post: Post, ts: str) -> None:
        async with self._database.write() as connection:
            await posts.sent(connection, post.key, ts)

    async def _look(self, post: Post) -> str | None:
        """Look for a post whose answer was lost; None where it is certainly not there. Raises SlackError."""
        if post.sending_at is not None and self._clock.now() < post.sending_at + SETTLING:
            raise SlackUnsureError("The answer to a post was lost a moment ago; it is looked for soon.")
        try:
            since = await self._slack_time(post.sending_at or post.created_at) - _CLOCKS_APART
            async for found in self._slack.own_messages(post.channel_id, since=since, thread_ts=post.thread_ts):
                if found.metadata.get("key") == post.key:
                    return found.ts
        except SlackRefusedError as error:
            _log.warning(
                "the channel's history cannot be read, so a post whose answer was lost goes out again",
                channel=post.channel_id,
                reason=str(error),
            )
        return None

    async def _slack_time(self, moment: datetime) -> datetime:
        """What Slack's clock showed then: ours may be wrong by hours, and the history goes by Slack's."""
        told, now = await self._slack.time(), self._clock.now()
        return moment if told is None else told - (now - moment)

    async def _put_off(self, post: Post, lease: Lease, state: PostState, error: SlackError) -> None:
        _log.warning("a message is not posted yet", kind=post.kind, channel=post.channel_id, reason=str(error))
        pause = SETTLING
        if isinstance(error, SlackBusyError):
            pause = timedelta(seconds=error.retry_after_s)
            self._pace.hold_posts(post.channel_id, error.retry_after_s)
        elif isinstance(error, SlackRefusedError):
            pause = _REFUSED_PAUSE
            await self._troubles.refused(post.channel_id, error)
        is_loose = (
            post.thread_ts is not None and isinstance(error, SlackRefusedError) and error.code in _NO_THREAD_CODES
        )
        async with self._database.write() as connection:
            now = self._clock.now()
            if is_loose:
                await posts.leave_thread(connection, lease)
            await posts.put_off(connection, lease, state=state, problem=str(error), now=now, pause=pause)
