"""One replica at a time works on its own: it reads the TGC on schedule, and posts and paints. The others stand by.

What people press and type is answered by whoever got it: that needs no leader.
"""

from collections.abc import Callable

import structlog

from bot.clock import Clock
from bot.loops import Loops
from bot.storage.leases import Leases

_log = structlog.get_logger(__name__)

_LEASE = "leader"
_TRIES_PER_LEASE = 10


class Leader:
    def __init__(self, leases: Leases, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock
        self._stands_by_since: float | None = None

    @property
    def is_led(self) -> bool:
        """Whether another replica leads, and lives: a dead one's lease would have ended by now."""
        since = self._stands_by_since
        return since is not None and self._clock.monotonic() - since > self._leases.life.total_seconds()

    async def lead(self, loops: Loops, start: Callable[[Loops], None]) -> None:
        """Start the works, and end them when another replica has taken over; wait a moment where another leads already.

        Nothing that they send leaves while another might have taken over (bot.storage.leases, `may_send`).
        """
        async with self._leases.named(_LEASE) as lease:
            if lease is None:
                await self._stand_by()
                return
            self._stands_by_since = None
            _log.info("leading: no other replica does")
            async with loops.group() as works:
                start(works)
                await lease.lost.wait()
        _log.warning("another replica has taken over, as this one hung or did not reach the database")

    async def _stand_by(self) -> None:
        if self._stands_by_since is None:
            self._stands_by_since = self._clock.monotonic()
        await self._clock.sleep(self._leases.life.total_seconds() / _TRIES_PER_LEASE)
