"""`tintri-bot demo` as a person meets it: started, read, and stopped with Ctrl-C."""

import asyncio
import os
import re
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from bot.demo import run_demo

pytestmark = pytest.mark.extended

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40.0

SETTINGS_OF_THE_USER = {
    "SLACK_BOT_TOKEN": "xoxb-of-the-user",
    "SLACK_API_URL": "https://slack.invalid/api/",
    "TGC_URL": "https://tgc.invalid",
    "TGC_PASSWORD_FILE": "/nowhere",
    "RECO_APPROVERS": "not an id",
    "DATABASE_URL": "nonsense://",
    "HTTP_PROXY": "http://proxy.invalid:1",
}


class Demo:
    """A demo that runs, in a process group of its own as under a shell."""

    def __init__(self, process: asyncio.subprocess.Process, folders: Path) -> None:
        self.process = process
        self.folders = folders
        self.output = ""

    async def until(self, phrase: str) -> None:
        """Read on until something is shown."""
        while phrase not in self.output:
            line = await self._lines.readline()
            assert line, f"it ended without {phrase!r}:\n{self.output}"
            self.output += line.decode()

    async def end(self) -> int:
        self.output += (await self._lines.read()).decode()
        return await self.process.wait()

    def press_ctrl_c(self) -> None:
        """The terminal sends it to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    @property
    def _lines(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None
        return self.process.stdout

    async def is_bot_up(self) -> bool:
        found = re.search(r"Bot  http://127\.0\.0\.1:(\d+)", self.output)
        assert found
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        except ConnectionRefusedError:
            return False
        writer.close()
        return True

    def shows_in_order(self, *phrases: str) -> None:
        """Each phrase is there after the one before, wherever lines were wrapped."""
        text = re.sub(r"\s*\n\s*[┃┊]?\s*", " ", self.output)
        position = 0
        for phrase in phrases:
            found = text.find(phrase, position)
            assert found >= 0, f"{phrase!r} is not shown, or not there:\n{self.output}"
            position = found + len(phrase)

    def left_nothing(self) -> bool:
        return not list(self.folders.iterdir()) and "Traceback" not in self.output


Start = Callable[..., Awaitable[Demo]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the demo where a user's own settings lie around, all of them wrong for it."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".env").write_text("SLACK_APP_TOKEN=xapp-of-the-user\nthis line is wrong\n", encoding="utf-8")
    started: list[asyncio.subprocess.Process] = []

    async def start(*arguments: str, stdout: int = asyncio.subprocess.PIPE, **environment: str) -> Demo:
        folders = Path(tempfile.mkdtemp(dir=tmp_path))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "demo", *arguments),
            cwd=folder,
            env={**os.environ, **SETTINGS_OF_THE_USER, "TMPDIR": str(folders), "PYTHONPATH": str(ROOT), **environment},
            stdout=stdout,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(process)
        return Demo(process, folders)

    async with asyncio.timeout(PATIENCE_S):
        yield start
    for process in started:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert [path.name for path in folder.iterdir()] == [".env"]


async def test_the_tour_shows_each_step_and_ends(start: Start) -> None:
    demo = await start("--script")
    assert await demo.end() == 0
    demo.shows_in_order(
        "tintri in #storage Production 4 VMs to move, vmstore01 is likely to fill up within 7 days",
        "1 VM would lose replication: erp-db-01",
        "Expected",
        "Made today at",
        "[Accept] [Dismiss] [Details]",
        "alice types /tintri reco",
        "tintri only visible to alice 3 of 4 pools have a recommendation.",
        "Databases: balanced, nothing to move",
        "bob presses [Dismiss] on the card of Test",
        "tintri edits its card of Test Test: dismissed by @bob today at",
        "[Reopen] [Say why] [Details]",
        "carol presses [Accept] on the card of Production",
        "Slack asks carol Accept for Production? 4 VMs in Production will move.",
        "A move cannot be undone. [Accept] [Back]",
        "tintri only visible to carol You are not an approver",
        "alice presses [Accept] on the card of Production",
        "tintri edits its card of Production",
        "Accepted by @alice today at",
        "0 of 4 VMs moved",
        "[Cancel] [Details]",
        "Production: 4 of 4 VMs moved, today at",
        "accepted by @alice [Details]",
        "It has ended. Nothing of the demo is left on this machine.",
    )
    assert "tintri only visible to bob\n  ┊ Test: Dismissed." in demo.output
    assert "\x1b" not in demo.output
    assert all(len(line) <= 80 for line in demo.output.splitlines() if not line.startswith("Log  "))
    assert demo.left_nothing()
    assert not await demo.is_bot_up()


async def test_it_serves_the_page_until_ctrl_c(start: Start) -> None:
    demo = await start()
    await demo.until("Press Ctrl-C to stop.")
    address = re.search(r"Page (http://127\.0\.0\.1:\d+/)\n", demo.output)
    assert address
    assert f"Open {address[1]} in a browser." in " ".join(demo.output.split())
    async with aiohttp.ClientSession() as session:
        async with session.get(address[1]) as page:
            assert page.status == 200
            assert "/page.js" in await page.text()
        async with session.get(f"{address[1]}api/events?who=alice") as events:
            cards = re.compile(rb"Production: .*Test: .*VDI: ")
            state = b""
            while not cards.search(state):
                state = await events.content.readline()
            demo.press_ctrl_c()
            assert await demo.end() == 0
    demo.shows_in_order("Stopping the bot", "It has ended.")
    assert demo.left_nothing()
    assert not await demo.is_bot_up()


async def test_it_opens_the_page_where_there_is_a_display(start: Start, tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 >{opened}\n", encoding="utf-8")
    browser.chmod(stat.S_IRWXU)
    os.mkfifo(opened)
    reading, writing = os.openpty()
    demo = await start(stdout=writing, DISPLAY=":0", BROWSER=str(browser))
    os.close(writing)
    output = b""
    while b"Press Ctrl-C to stop." not in output:
        output += await asyncio.to_thread(os.read, reading, 4096)
    address = await asyncio.to_thread(opened.read_bytes)  # waits until it is written
    demo.press_ctrl_c()
    assert await demo.process.wait() == 0
    os.close(reading)
    assert b"Open %s in a browser" % address.strip() in b" ".join(output.split())


@pytest.mark.long
async def test_two_demos_get_along(start: Start) -> None:
    demos = [await start(), await start()]
    for demo in demos:
        await demo.until("Press Ctrl-C to stop.")
    assert len({re.findall(r"http://\S+", demo.output)[0] for demo in demos}) == 2
    for demo in demos:
        demo.press_ctrl_c()
        assert await demo.end() == 0


@pytest.mark.long
async def test_ctrl_c_stops_it_at_any_time(start: Start) -> None:
    async def interrupt_after(phrase: str, *arguments: str, is_up: bool) -> Demo:
        demo = await start(*arguments)
        await demo.until(phrase)
        assert await demo.is_bot_up() or not is_up
        demo.press_ctrl_c()
        assert await demo.end() == 0
        return demo

    demos = await asyncio.gather(
        interrupt_after("Log  ", is_up=False),
        interrupt_after("Log  ", "--script", is_up=False),
        interrupt_after("only visible to alice", "--script", is_up=True),
        interrupt_after("Press Ctrl-C to stop.", is_up=True),
    )
    for demo in demos:
        demo.shows_in_order("Stopping the bot", "It has ended.")
        assert demo.left_nothing()
        assert not await demo.is_bot_up()


@pytest.mark.long
@pytest.mark.parametrize("arguments", [(), ("--script",)])
@pytest.mark.parametrize("output", [os.pipe, os.openpty])
async def test_it_ends_when_its_reader_goes(
    output: Callable[[], tuple[int, int]], arguments: tuple[str, ...], start: Start
) -> None:
    """As after `tintri-bot demo | head -1`, or when the terminal is closed."""
    reading, writing = output()
    demo = await start(*arguments, stdout=writing)
    os.close(writing)
    assert await asyncio.to_thread(os.read, reading, 1)
    os.close(reading)
    await demo.process.wait()
    assert not list(demo.folders.iterdir())


@pytest.mark.parametrize("on_terminal", [True, False])
async def test_a_bot_that_does_not_start_is_told_with_the_end_of_its_log(
    on_terminal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho The disk is full. >&2\nexit 3\n", encoding="utf-8")
    broken.chmod(stat.S_IRWXU)
    monkeypatch.setattr(sys, "executable", str(broken))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert await run_demo(on_terminal=on_terminal) == 1
    (log,) = await asyncio.to_thread(lambda: list(tmp_path.glob("tintri-bot-demo-*/bot.log")))
    _, _, told = capsys.readouterr().out.partition("The bot ended by itself")
    assert told == f" (exit code 3).\nThe end of its log, {log}:\nThe disk is full.\n\n"
