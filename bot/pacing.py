"""How fast the bot writes to Slack: one post a second and channel, all edits within one budget (slack/README 4.2)."""

import asyncio
from collections import defaultdict
from datetime import timedelta

from bot.clock import Clock

POST_EVERY = timedelta(seconds=1)
EDITS_PER_MINUTE = 45
"""Below Slack's 50 a minute for chat.update (tier 3)."""
EDIT_BURST = 10


class _Bucket:
    """Lets `burst` turns through at once, then one per `every`, in the order they were asked for."""

    def __init__(self, clock: Clock, *, every: timedelta, burst: int) -> None:
        self._clock = clock
        self._every = every
        self._allowance = every * (burst - 1)
        self._full_at = clock.now()
        """When the bucket would be full again: the "theoretical arrival time" of the GCRA."""
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        async with self._turn:
            now = self._clock.now()
            full_at = max(self._full_at, now)
            self._full_at = full_at + self._every
            wait = full_at - self._allowance - now
            if wait > timedelta(0):
                await self._clock.sleep(wait.total_seconds())

    def hold(self, seconds: float) -> None:
        """Slack asked to wait: no turn before then."""
        until = self._clock.now() + timedelta(seconds=seconds)
        self._full_at = max(self._full_at, until + self._allowance)


class Pace:
    """The turns to post and to edit."""

    def __init__(self, clock: Clock) -> None:
        self._edits = _Bucket(clock, every=timedelta(minutes=1) / EDITS_PER_MINUTE, burst=EDIT_BURST)
        self._posts: defaultdict[str, _Bucket] = defaultdict(lambda: _Bucket(clock, every=POST_EVERY, burst=1))

    async def post(self, channel_id: str) -> None:
        """Wait for this channel's next turn."""
        await self._posts[channel_id].turn()

    async def edit(self) -> None:
        """Wait for the next turn of the budget that all edits share."""
        await self._edits.turn()

    def hold_posts(self, channel_id: str, seconds: float) -> None:
        self._posts[channel_id].hold(seconds)

    def hold_edits(self, seconds: float) -> None:
        self._edits.hold(seconds)
