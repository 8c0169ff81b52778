"""The demo's bot: `tintri-bot run` as a process of its own, as it runs anywhere else."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import bot

LOG_NAME = "bot.log"
STOP_WITHIN_S = 10.0
LOG_LINES_SHOWN = 8

_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""What a process needs to find its libraries, clock and language. No setting of the bot, no proxy, no token."""


class BotProcess:
    """A running bot."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ended(self) -> int:
        """Wait for its end, which nobody asked for; returns the exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Have it stop in order; one that does not within 10 s is killed."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def bot_process(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[BotProcess]:
    """Run the bot in `folder` with these settings and no others; leaving the block stops it."""
    with (folder / LOG_NAME).open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            cwd=folder,
            env=_environment(settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the bot in order
        )
    running = BotProcess(process)
    try:
        yield running
    finally:
        await running.stop()


def last_lines(log: Path) -> list[str]:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return text.splitlines()[-LOG_LINES_SHOWN:]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # The very bot that shows the demo, installed or not.
    return {**inherited, "PYTHONPATH": str(Path(bot.__file__).parents[1]), **settings}
