"""The stage of every scenario: the whole bot, in this process, between the simulated TGC and the stand-in for Slack.

One clock rules all three. Nothing sleeps: `until` moves the clock on while it waits for what is to come.
"""

import asyncio
import heapq
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from bot.app import bot
from bot.pool_rules import Approvers
from bot.reload import Reload
from bot.settings import Secret, Settings
from bot.tgc_link import PATIENCE_S
from playground.slack import Slack
from playground.slack_workspace import Message
from playground.tgc import SimulatedTgc
from playground.world import World
from tests.scenarios.places import Place, in_file
from tests.scenarios.quiet import quiet_loop

T = TypeVar("T")

PASSWORD = "only-for-the-playground"
STORAGE = "storage"
START = datetime(2026, 3, 10, 6, 15, 30, tzinfo=UTC)
_STEP = timedelta(seconds=1)
_SHORT_STEP = timedelta(milliseconds=400)
_LONG_STEP = timedelta(seconds=10)
_SOON = timedelta(seconds=20)
"""What is worth waiting for in short steps; hours of moves are not."""
_REST = timedelta(seconds=3.2)
_PATIENCE_S = 30.0


class StageClock:
    """A clock that moves only when told; who sleeps wakes when it gets there."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._ahead = timedelta(0)
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._now + self._ahead

    def true_now(self) -> datetime:
        """What the far ends' clocks show, whatever is done to the bot's."""
        return self._now

    def set_ahead(self, **by: float) -> None:
        """Set the bot's time of day to this much more, or less, than the true one."""
        self._ahead = timedelta(**by)

    def timestamp(self) -> float:
        return self._now.timestamp()

    def monotonic(self) -> float:
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        until = self._now + timedelta(seconds=max(seconds, 0))
        heapq.heappush(self._sleepers, (until, next(self._numbers), woken))
        await woken

    def move(self, by: timedelta) -> None:
        self._now += by
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


class Stage:
    """The far ends, the clock, and the bot that a test starts, stops and starts again."""

    def __init__(self, *, world: World, tgc: SimulatedTgc, slack: Slack, clock: StageClock, place: Place) -> None:
        self.world = world
        self.tgc = tgc
        self.slack = slack
        self.clock = clock
        self.place = place
        self.folder = place.folder
        self.tgc_timeout_s = 30.0
        """How long, in real time, a bot started from now on waits for an answer of the TGC."""
        self.patience_s = PATIENCE_S
        """How long, in real time, a slow part of the TGC holds up the rest, for the bots started from now on."""
        self.lease_life = timedelta(hours=1)
        """For the bots started from now on. Long, as the clock runs faster than renewals where real time passes."""
        self._bots = AsyncExitStack()
        self.settings = Settings(
            slack_bot_token=Secret(slack.bot_token),
            slack_app_token=Secret(slack.app_token),
            slack_signing_secret=Secret(slack.signing_secret),
            slack_api_url=slack.api_url,
            tgc_url=tgc.url,
            tgc_username="bot",
            tgc_password=Secret(PASSWORD),
            reco_channel=slack.channel(STORAGE).id,
            reco_approvers=Approvers(user_ids=frozenset({slack.person(name).user.id for name in ("alice", "bob")})),
            reco_timezone=ZoneInfo("UTC"),
            database_url=Secret(place.database_url),
            host="127.0.0.1",
            port=free_port(),
        )

    def set(self, **changes: Any) -> None:
        """Change settings for the bots started from now on."""
        self.settings = msgspec.structs.replace(self.settings, **changes)

    def use_http(self) -> None:
        """HTTP mode instead of Socket Mode."""
        self.set(slack_app_token=None)
        self.slack.request_url = f"http://127.0.0.1:{self.settings.port}/slack/events"

    async def start_bot(self) -> None:
        self._reload = Reload(self.settings, lambda: self.settings)
        await self._bots.enter_async_context(
            bot(
                self.settings,
                reload=self._reload,
                clock=self.clock,
                tgc_timeout_s=self.tgc_timeout_s,
                patience_s=self.patience_s,
                lease_life=self.lease_life,
            )
        )
        if self.settings.slack_app_token is not None:
            await self.until(lambda: self.slack.sockets.connections)

    async def stop_bot(self) -> None:
        """Stop whatever runs, in order."""
        await self._bots.aclose()
        self._bots = AsyncExitStack()

    async def reload(self) -> None:
        """As SIGHUP does: the bot started last reads the settings as they are now."""
        self._reload.ask()
        await self.settle()

    async def restart_bot(self) -> None:
        await self.stop_bot()
        await self.start_bot()

    async def until(self, wanted: Callable[[], T | None]) -> T:
        """Wait for something to come true, moving the clock on; returns what `wanted` gave."""
        async with asyncio.timeout(_PATIENCE_S):
            begun = self.clock.now()
            while not (given := wanted()):
                await self._move(_STEP if self.clock.now() < begun + _SOON else _LONG_STEP)
        return given

    async def _move(self, by: timedelta) -> None:
        """Move the clock on once all is quiet: it never outruns the work, however busy the machine is."""
        await quiet_loop().quiet()
        self.clock.move(by)

    async def pass_time(self, **by: float) -> None:
        """Let that much time pass, in long steps, and all that is due be done."""
        end = self.clock.now() + timedelta(**by)
        while self.clock.now() < end:
            await self._move(min(_LONG_STEP, end - self.clock.now()))
        await self.settle()

    async def live(self, **by: float) -> None:
        """Let that much time pass no faster than work gets done, so that everything due happens in its turn."""
        end = self.clock.now() + timedelta(**by)
        async with asyncio.timeout(_PATIENCE_S):
            while self.clock.now() < end:
                await self._move(_STEP)

    async def jump(self, **by: float) -> None:
        """Let much time pass at once, with nothing under way, and all that is due be done."""
        await self.settle()
        self.clock.move(timedelta(**by))
        await self.settle()

    async def settle(self) -> None:
        """Let what is under way come to rest: no request in either direction for longer than any loop rests."""
        async with asyncio.timeout(_PATIENCE_S):
            await quiet_loop().quiet()
            rested = timedelta()
            while rested < _REST:
                before = (len(self.tgc.calls), len(self.slack.calls))
                self.clock.move(_SHORT_STEP)
                await quiet_loop().quiet()
                rested = rested + _SHORT_STEP if before == (len(self.tgc.calls), len(self.slack.calls)) else timedelta()

    @property
    def cards(self) -> list[Message]:
        """The messages in the channel, oldest first."""
        return self.slack.messages(STORAGE)

    def card(self, pool: str) -> Message:
        """The newest message that speaks of the pool."""
        return [message for message in self.cards if message.text.startswith(f"{pool}:")][-1]

    async def cards_posted(self, count: int) -> list[Message]:
        await self.until(lambda: len(self.cards) >= count)
        return self.cards

    def shown_to(self, who: str) -> list[Message]:
        """What this person alone sees: answers in channels, and direct messages."""
        return [*self.slack.ephemerals(who), *self.slack.direct(who)]

    async def answer(self, who: str, said: str) -> Message:
        """Wait for something shown to this person only, and return it."""
        return await self.until(
            lambda: next((shown for shown in self.shown_to(who) if said.casefold() in shown.text.casefold()), None)
        )


def buttons(message: Message) -> list[str]:
    """Labels of the buttons that a message has now."""
    return [
        element["text"]["text"]
        for block in message.blocks
        for element in [*block.get("elements", ()), block.get("accessory", {})]
        if element.get("type") == "button"
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def open_stage(
    where: Path | Place,
    *,
    pools: int = 3,
    moves: int = 4,
    seed: int = 1,
    hostile: bool = False,
    start: datetime = START,
) -> AsyncIterator[Stage]:
    """A stage with its far ends up and no bot yet; at the end nothing may have been refused or mistaken."""
    clock = StageClock(start)
    world = World.seeded(seed=seed, pools=pools, moves=moves, hostile=hostile, now=clock.true_now)
    tgc = SimulatedTgc(world)
    slack = Slack(clock=clock.timestamp)
    async with tgc.serve(), slack.serve():
        place = where if isinstance(where, Place) else in_file(where)
        stage = Stage(world=world, tgc=tgc, slack=slack, clock=clock, place=place)
        try:
            yield stage
        finally:
            await stage.stop_bot()
        assert slack.refusals == []
        assert tgc.mistakes == []
