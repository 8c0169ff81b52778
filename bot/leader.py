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


class Leader:
    def __init__(self, leases: Leases, clock: Clock) -> None:
        self._leases = leases
        self._clock = clock

    async def lead(self, start: Callable[[Loops], None]) -> bool:
        """Start the works, and end them when another replica has taken over; False where another leads already.

        Nothing that they send leaves while another might have taken over (bot.storage.leases, `may_send`).
        """
        async with self._leases.named(_LEASE) as lease:
            if lease is None:
                return False
            _log.info("leading: no other replica does")
            async with Loops(self._clock) as loops:
                start(loops)
                await lease.lost.wait()
        _log.warning("another replica has taken over, as this one hung or did not reach the database")
        return True
