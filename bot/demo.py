"""`tintri-bot demo`: the real bot between a simulated TGC and a local stand-in for Slack, in the browser.

With `--script` a tour on the terminal instead. Nothing is played back: people press what stands in the stand-in's
channel, and what is shown is what the bot made of it. This is the only module of the bot that knows the playground.
"""

import asyncio
import math
import os
import shutil
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from bot.demo_blocks import Block, Line, Painter, buttons, dialog, label
from bot.demo_process import LOG_NAME, BotProcess, bot_process, last_lines
from bot.demo_screen import ReaderGoneError, Screen, Terminal
from bot.rendering import ids
from bot.rendering.answers import COMMANDS
from playground.page import Example, Page
from playground.slack import Delivery, Message, Slack
from playground.tgc import SimulatedTgc
from playground.world import World

CHANNEL = "storage"
APPROVERS = ("alice", "bob")
ABOUT = {
    "alice": "approver",
    "bob": "approver",
    "carol": "no approver",
    "gina": "guest",
    "frank": "from another workspace",
}
"""Whom one can be on the page."""
POOLS_TO_DECIDE = 3
PATIENCE_S = 60.0
"""How long the bot may take for what the tour waits for."""
_END = "It has ended. Nothing of the demo is left on this machine."


class Tempo(msgspec.Struct, frozen=True, kw_only=True):
    pause_s: float
    """For the reader, after each thing shown."""
    move_minutes: float
    """How long the simulated TGC takes to move a VM; a real one takes hours."""
    follow_s: int
    refresh_s: int = 120
    schedule: str = "15 6,18 * * *"


FOR_READERS = Tempo(pause_s=1.5, move_minutes=0.12, follow_s=3)
FOR_PIPES = Tempo(pause_s=0.0, move_minutes=0.02, follow_s=1)
FOR_PAGE = Tempo(pause_s=0.0, move_minutes=0.5, follow_s=2, refresh_s=5, schedule="* * * * *")
NOTE = (
    "Here the bot reads pools with an open card every 5 seconds, running moves every 2, and all pools every minute. "
    "On your own TGC it takes its time."
)


class DemoError(Exception):
    """The demo cannot go on; `str()` is one sentence."""


class Stage(msgspec.Struct, frozen=True):
    """The bot as it runs, and its two far ends."""

    tgc: SimulatedTgc
    slack: Slack
    process: BotProcess
    port: int
    log: Path


async def run_demo(*, on_terminal: bool) -> int:
    """Serve the page until Ctrl-C, or show the tour on the terminal. Returns the exit code."""
    terminal = Terminal()
    screen = Screen(terminal)
    folder = Path(tempfile.mkdtemp(prefix="tintri-bot-demo-"))
    try:
        if on_terminal:
            await _show_tour(screen, FOR_READERS if terminal.is_terminal else FOR_PIPES, folder)
        else:
            await _serve_page(screen, folder, open_browser=terminal.is_terminal and _has_display())
    except DemoError as error:
        log = folder / LOG_NAME
        screen.problem(str(error), log, last_lines(log))
        return 1
    except ReaderGoneError:
        pass  # such as `head`, which has seen enough
    shutil.rmtree(folder)
    return 0


@asynccontextmanager
async def stage(tempo: Tempo, folder: Path) -> AsyncIterator[Stage]:
    """Run all three; leaving the block stops them."""
    tgc, slack, port = SimulatedTgc(_world(tempo)), Slack(), _free_port()
    async with (
        tgc.serve(),
        slack.serve(),
        bot_process(folder, _settings(tgc, slack, port, tempo)) as process,
    ):
        yield Stage(tgc, slack, process, port, folder / LOG_NAME)


def page_of(running: Stage) -> Page:
    examples = [Example(words, meaning) for words, meaning in COMMANDS]
    return Page(running.slack, running.tgc, about=ABOUT, examples=examples, note=NOTE)


async def _show_tour(screen: Screen, tempo: Tempo, folder: Path) -> None:
    told_to_stop = _told_to_stop()
    async with stage(tempo, folder) as running:
        _introduce(screen, running)
        feed = Feed(running.slack, screen, tempo.pause_s)
        tour = Tour(running.slack, screen, feed).run()
        await _until_one_ends(tour, feed.run(), told_to_stop.wait(), _report_end(running.process))
        screen.say("\nStopping the bot …")
    screen.say(_END)


async def _serve_page(screen: Screen, folder: Path, *, open_browser: bool) -> None:
    told_to_stop = _told_to_stop()
    async with stage(FOR_PAGE, folder) as running, page_of(running).serve() as address:
        _introduce(screen, running, address)

        async def show() -> None:
            await _connected(running.slack)
            screen.say(f"The bot is connected. Open {address} in a browser.", "Press Ctrl-C to stop.")
            if open_browser:
                await asyncio.to_thread(webbrowser.open, address)
            await told_to_stop.wait()

        await _until_one_ends(show(), told_to_stop.wait(), _report_end(running.process))
        screen.say("\nStopping the bot …")
    screen.say(_END)


async def _connected(slack: Slack) -> None:
    try:
        await slack.until(lambda: slack.sockets.connections, PATIENCE_S)
    except TimeoutError as error:
        raise DemoError(f"The bot did not connect to Slack within {PATIENCE_S:.0f} s.") from error


def _told_to_stop() -> asyncio.Event:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    return told_to_stop


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _world(tempo: Tempo) -> World:
    """Three pools with something to decide, and one that is balanced."""
    world = World()
    world.move_minutes = tempo.move_minutes
    production, test, vdi, databases = world.add_pool(vmstores=4), world.add_pool(), world.add_pool(), world.add_pool()
    world.new_recommendation(production, moves=4, waves=2, lose_replication=1)
    world.new_recommendation(test, moves=2, waves=1, issues=["SPACE"])
    world.new_recommendation(vdi, moves=3, waves=1, issues=["IOPS"])
    world.balanced(databases)
    return world


def _settings(tgc: SimulatedTgc, slack: Slack, port: int, tempo: Tempo) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "TGC_URL": tgc.url,
        "TGC_USERNAME": tgc.username,
        "TGC_PASSWORD": tgc.password,
        "RECO_CHANNEL": slack.channel(CHANNEL).id,
        "RECO_APPROVERS": ",".join(slack.person(name).user.id for name in APPROVERS),
        "RECO_REFRESH_SECONDS": str(tempo.refresh_s),
        "RECO_SCHEDULE": tempo.schedule,
        "FOLLOW_SECONDS": str(tempo.follow_s),
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _introduce(screen: Screen, running: Stage, address: str | None = None) -> None:
    screen.chapter("tintri-bot demo")
    screen.say(
        "The real bot runs between a simulated Tintri Global Center and a local stand-in for Slack. "
        "Nothing leaves this machine, and none of your settings is read.",
    )
    screen.facts(
        *([] if address is None else [f"Page {address}"]),
        f"TGC  {running.tgc.url}, with {len(running.tgc.world.pools)} pools",
        f"Bot  http://127.0.0.1:{running.port}, with the approvers {' and '.join(APPROVERS)}",
        f"Log  {running.log}",
    )


async def _report_end(process: BotProcess) -> None:
    exit_code = await process.ended()
    raise DemoError(f"The bot ended by itself (exit code {exit_code}).")


async def _until_one_ends(*works: Coroutine[Any, Any, object]) -> None:
    """Do all at once until one of them ends; the others are cancelled, and what it raised is raised here."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class Shown(msgspec.Struct, frozen=True):
    """A message as it was shown last."""

    edits: int
    lines: frozenset[str]


class Feed:
    """Shows what appears in Slack: each message once, and of each edit what it changed."""

    def __init__(self, slack: Slack, screen: Screen, pause_s: float) -> None:
        self._slack = slack
        self._screen = screen
        self._pause_s = pause_s
        self._shown: dict[str, Shown] = {}
        self._turn = asyncio.Lock()
        self._names = {user.id: user.name for user in slack.workspace.users.values()}
        self._names |= {channel.id: channel.name for channel in slack.workspace.channels.values()}

    async def run(self) -> None:
        while True:
            await self._slack.until(self._news, math.inf)
            await self.catch_up()

    async def catch_up(self) -> None:
        """Show all that is new, in order, with a pause for the reader after each."""
        async with self._turn:
            while (message := self._news()) is not None:
                self._show(message)
                await self.pause()

    async def pause(self) -> None:
        await asyncio.sleep(self._pause_s)

    def lines(self, blocks: Iterable[Block], text: str = "") -> list[Line]:
        return Painter(self._names, datetime.now(UTC)).lines(blocks, text)

    def _news(self) -> Message | None:
        """What changed first of all that is not shown as it is now."""
        workspace = self._slack.workspace
        messages = [*workspace.ephemerals, *chain(*(channel.messages for channel in workspace.channels.values()))]
        news = [message for message in messages if not self._is_shown(message)]
        return min(news, key=lambda message: message.edited_ts or message.ts, default=None)

    def _is_shown(self, message: Message) -> bool:
        shown = self._shown.get(message.ts)
        return shown is not None and shown.edits == len(message.versions)

    def _show(self, message: Message) -> None:
        lines = self.lines(message.blocks, message.text)
        before = self._shown.get(message.ts)
        self._shown[message.ts] = Shown(len(message.versions), frozenset(line.text.plain for line in lines))
        is_private = message.visible_to is not None
        if before is None:
            self._screen.message("tintri", self._where(message), lines, is_private=is_private)
        elif changed := [line for line in lines if line.text.plain not in before.lines]:
            self._screen.message("tintri", _edits(message), changed, is_private=is_private)

    def _where(self, message: Message) -> str:
        channel = self._slack.channel(message.channel_id)
        if message.visible_to is not None:
            return f"only visible to {self._names[message.visible_to]}"
        if channel.is_im:
            return "in a direct message"
        return f"in a thread of #{channel.name}" if message.is_reply else f"in #{channel.name}"


def _edits(message: Message) -> str:
    """A card's text begins with the name of its pool."""
    return f"edits its card of {message.text.partition(':')[0]}"


class Tour:
    """People ask and decide; all else is the bot's."""

    def __init__(self, slack: Slack, screen: Screen, feed: Feed) -> None:
        self._slack = slack
        self._screen = screen
        self._feed = feed

    async def run(self) -> None:
        self._screen.chapter("1  The bot starts: it reads every pool and posts what can be decided")
        await self._until("connect to Slack", lambda: self._slack.sockets.connections)
        await self._until("post the cards", lambda: len(self._slack.messages(CHANNEL)) == POOLS_TO_DECIDE)
        self._screen.chapter("2  Somebody asks")
        await self._type("alice", "/tintri reco")
        self._screen.chapter("3  An approver says: not now")
        await self._press("bob", ids.DISMISS, "Test")
        await self._until("fold the card", lambda: ids.REOPEN in self._buttons("Test"))
        self._screen.chapter("4  Somebody who is no approver tries")
        await self._press("carol", ids.ACCEPT, "Production")
        self._screen.chapter("5  An approver accepts, and the moves run")
        self._screen.say(
            "The bot first reads the recommendation again: it must be what alice sees. "
            "Moves that take hours take seconds here."
        )
        await self._press("alice", ids.ACCEPT, "Production")
        await self._until("show that the moves run", lambda: ids.CANCEL in self._buttons("Production"))
        await self._until("show that the moves are done", lambda: ids.CANCEL not in self._buttons("Production"))

    async def _type(self, name: str, words: str) -> None:
        self._screen.act(name, "types ", Text(words, "bold"))
        await self._answered(name, self._slack.person(name).command(words, CHANNEL))

    async def _press(self, name: str, action_id: str, pool: str) -> None:
        pressed = self._buttons(pool)[action_id]
        self._screen.act(name, "presses ", label(pressed), f" on the card of {pool}")
        if "confirm" in pressed:
            await self._feed.pause()
            self._screen.message("Slack", f"asks {name}", self._feed.lines(dialog(pressed)), is_private=True)
            await self._feed.pause()
            self._screen.act(name, "presses ", label(pressed), " there")
        await self._answered(name, self._slack.person(name).click(self._card(pool), action_id))

    async def _answered(self, name: str, doing: Coroutine[Any, Any, Delivery]) -> None:
        before = len(self._slack.ephemerals(name))
        delivery = await doing
        if not delivery.acknowledged:
            raise DemoError(f"The bot left {name} without an acknowledgement ({delivery.error}).")
        await self._until(f"answer {name}", lambda: len(self._slack.ephemerals(name)) > before)

    async def _until(self, what: str, is_done: Callable[[], object]) -> None:
        """Wait until it is done, and until the reader has seen it."""
        try:
            await self._slack.until(is_done, PATIENCE_S)
        except TimeoutError as error:
            raise DemoError(f"The bot did not {what} within {PATIENCE_S:.0f} s.") from error
        await self._feed.catch_up()

    def _buttons(self, pool: str) -> Mapping[str, Block]:
        return buttons(self._card(pool).blocks)

    def _card(self, pool: str) -> Message:
        return next(message for message in self._slack.messages(CHANNEL) if message.text.startswith(f"{pool}:"))
