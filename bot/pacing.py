"""How fast the bot writes to Slack: a post a second and channel, a home a second, all edits within one budget.

The limits: slack/README 4.2.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta

from bot.clock import Clock, uptime

POST_EVERY = timedelta(seconds=1)
EDITS_PER_MINUTE = 45
"""In any minute, below Slack's 50 for chat.update (tier 3)."""
EDIT_BURST = 5
"""So many of them at once; the others come evenly."""
HOME_EVERY = timedelta(seconds=1)
"""Below Slack's 100 a minute for views.publish (tier 4), with room for those that people open."""
_MINUTE = timedelta(minutes=1)


class _Bucket:
    """Lets `burst` turns through at once, then one per `every`, in the order they were asked for."""

    def __init__(self, clock: Clock, *, every: timedelta, burst: int, used_up_at: timedelta | None = None) -> None:
        self._clock = clock
        self._every = every
        self._allowance = every * (burst - 1)
        self._full_at = uptime(clock) if used_up_at is None else used_up_at + every * burst
        """When the bucket would be full again: the "theoretical arrival time" of the GCRA."""
        self._turn = asyncio.Lock()

    @property
    def wait(self) -> timedelta:
        """Until the next turn, if that is not taken by another."""
        return self._full_at - self._allowance - uptime(self._clock)

    async def turn(self) -> None:
        async with self._turn:
            # Once more after each wait: Slack may have asked for a longer one meanwhile.
            while (wait := self.wait) > timedelta(0):
                await self._clock.sleep(wait.total_seconds())
            self._full_at = max(self._full_at, uptime(self._clock)) + self._every

    def hold(self, seconds: float) -> None:
        """Slack asked to wait: no turn before then."""
        until = uptime(self._clock) + timedelta(seconds=seconds)
        self._full_at = max(self._full_at, until + self._allowance)


class Pace:
    """The turns to post, to edit and to publish homes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._edits, self._posts = self._buckets(used_up_at=None)
        self._homes = _Bucket(clock, every=HOME_EVERY, burst=1)

    def begin_anew(self) -> None:
        """Begin as if every turn until now were used: another process may have used them."""
        self._edits, self._posts = self._buckets(used_up_at=uptime(self._clock))

    def _buckets(self, used_up_at: timedelta | None) -> tuple[_Bucket, defaultdict[str, _Bucket]]:
        every = _MINUTE / (EDITS_PER_MINUTE - EDIT_BURST)
        edits = _Bucket(self._clock, every=every, burst=EDIT_BURST, used_up_at=used_up_at)
        return edits, defaultdict(lambda: _Bucket(self._clock, every=POST_EVERY, burst=1, used_up_at=used_up_at))

    async def post(self, channel_id: str) -> None:
        """Wait for this channel's next turn."""
        await self._posts[channel_id].turn()

    async def edit(self) -> None:
        """Wait for the next turn of the budget that all edits share."""
        await self._edits.turn()

    async def home(self) -> None:
        """Wait for the next turn to publish somebody's home."""
        await self._homes.turn()

    def holds_posts(self, channel_id: str) -> bool:
        """Whether the next turn is further away than the pace alone makes it."""
        return self._posts[channel_id].wait > POST_EVERY

    def hold_homes(self, seconds: float) -> None:
        self._homes.hold(seconds)

    def hold_posts(self, channel_id: str, seconds: float) -> None:
        self._posts[channel_id].hold(seconds)

    def hold_edits(self, seconds: float) -> None:
        self._edits.hold(seconds)
