"""The real bot as a process of its own, to be killed.

All are forked from one process that has imported the bot already: a start takes a tenth of the two seconds of a new
interpreter, and there are many.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from ctypes import c_double
from datetime import datetime, timedelta
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

from bot.app import run
from bot.clock import SystemClock
from bot.logs import configure
from bot.settings import read_settings

LEASE_LIFE = timedelta(seconds=1)
"""Short, so that what a dead process held is soon taken over."""
_LOOK_EVERY_S = 0.02

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


class Machine:
    """What the processes on it share: a time of day that somebody sets."""

    def __init__(self) -> None:
        self._ahead_s = RawValue(c_double, 0.0)  # without a lock: whoever holds one may be killed

    @property
    def ahead_s(self) -> float:
        """By how much its time of day is ahead of the true one."""
        return self._ahead_s.value

    def set_ahead(self, seconds: float) -> None:
        self._ahead_s.value = seconds


class MachineClock(SystemClock):
    """Only its time of day can be set: nobody sets what counts the seconds."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._machine.ahead_s)


class BotProcess:
    """One life of the bot, as `tintri-bot run` begins it with these environment variables."""

    def __init__(self, environment: Mapping[str, str], log: Path, lease_life: timedelta, machine: Machine) -> None:
        self.url = f"http://{environment['HOST']}:{environment['PORT']}/slack/events"
        """Where it listens in HTTP mode."""
        arguments = (dict(environment), log, lease_life, machine)
        self._process = _FORKS.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    async def kill(self) -> None:
        """As `kill -9` does: at once, with nothing put in order."""
        self._process.kill()
        await self.ended()

    def hang(self) -> None:
        """Stand still in the middle of whatever it does, as a machine that is being moved."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.pid is not None:
            os.kill(self._process.pid, number)

    async def stop(self) -> None:
        """As a platform does at a deployment."""
        self._process.terminate()
        await self.ended()

    async def ended(self) -> None:
        while self.is_alive:  # noqa: ASYNC110 - a thread that joins it would race with whoever asks for `is_alive`
            await asyncio.sleep(_LOOK_EVERY_S)


def _serve(environment: dict[str, str], log: Path, lease_life: timedelta, machine: Machine) -> None:
    with log.open("a") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    settings = read_settings(environment, need_slack=True)
    configure(settings.log_level, settings.log_format, settings.secrets())
    asyncio.run(run(settings, lambda: settings, clock=MachineClock(machine), lease_life=lease_life))
