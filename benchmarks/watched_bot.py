"""The bot with somebody in its event loop who notes for how long it was held up: `python -m benchmarks.watched_bot`.

Its settings come from the environment. With SPEED and SINCE its time passes faster, see `fast_clock`.
"""

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Any

from benchmarks.child import answer_questions
from benchmarks.fast_clock import FastClock
from bot.app import LEASE_LIFE, bot
from bot.clock import Clock, SystemClock
from bot.logs import configure
from bot.settings import Settings, read_settings

_TICK_S = 0.005
_LONG = timedelta(hours=1)
"""Of a lease where time passes faster than it can be renewed."""


class Watch:
    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(_TICK_S)
            self.longest_s = max(self.longest_s, loop.time() - begun - _TICK_S)

    async def ask(self, _: Any) -> float:
        """For how long nothing else could run, at most, since this was last asked."""
        longest_s, self.longest_s = self.longest_s, 0.0
        return longest_s


async def _run(options: list[str]) -> None:
    settings = read_settings(dict(os.environ), need_slack=True)
    configure(settings.log_level, settings.log_format, settings.secrets())
    clock = FastClock(float(options[0]), float(options[1])) if options else SystemClock()
    watch = Watch()
    running = asyncio.create_task(_answer(settings, clock, watch, _LONG if options else LEASE_LIFE))
    # In order, as the leader's lease is released then: the next to start would wait until that has run out.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


async def _answer(settings: Settings, clock: Clock, watch: Watch, lease_life: timedelta) -> None:
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch.run())
        async with bot(settings, clock=clock, lease_life=lease_life):
            await answer_questions("running", {"held up": watch.ask})
        watching.cancel()


if __name__ == "__main__":
    gc.freeze()  # as `tintri-bot run` does
    asyncio.run(_run(sys.argv[1:]))
