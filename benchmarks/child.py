"""Processes that are started, asked and stopped: so that no far end's work counts as the bot's."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[1]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_LINE_LIMIT = 1 << 24

Answers = Mapping[str, Callable[[Any], Awaitable[Any]]]


class Child:
    """A process of Python. One that serves with `answer_questions` prints a line when it is ready."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> "Child":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **(environment or {})},
            cwd=folder or ROOT,
            limit=_LINE_LIMIT,
        )
        return cls(process)

    async def line(self) -> Any:
        """Its next line, which is JSON."""
        if self._process.stdout is None:
            raise RuntimeError("The process has no output.")
        return msgspec.json.decode(await self._process.stdout.readline())

    async def ask(self, question: str, about: Any = None) -> Any:
        if self._process.stdin is None:
            raise RuntimeError("The process takes no questions.")
        self._process.stdin.write(msgspec.json.encode([question, about]) + b"\n")
        return await self.line()

    async def output(self) -> bytes:
        """All it prints until it ends. Raises RuntimeError where it fails."""
        printed, _ = await self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"A process ended with {self._process.returncode}.")
        return printed

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    @property
    def cpu_s(self) -> float:
        """What it has used of the processor so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    @property
    def resident_mib(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


async def answer_questions(ready: Any, answers: Answers) -> None:
    """Say that this process is ready, then answer what its parent asks, until it asks no more."""
    reader = asyncio.StreamReader(limit=_LINE_LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _print(ready)
    while line := await reader.readline():
        question, about = msgspec.json.decode(line)
        _print(await answers[question](about))


def _print(value: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()
