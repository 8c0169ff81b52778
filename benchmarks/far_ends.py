"""The simulated TGC and the stand-in for Slack in a process of their own: `python -m benchmarks.far_ends WANTED`."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.child import Child, answer_questions
from benchmarks.distance import far_away
from benchmarks.fast_clock import FastClock
from playground.slack import Slack
from playground.slack_workspace import User, Workspace
from playground.tgc import SimulatedTgc
from playground.world import World

PASSWORD = "only-for-the-playground"  # noqa: S105 - made up
CHANNEL = "C0STORAGE"
_LOOK_EVERY_S = 0.05


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    pools: int = 3
    """Of each TGC."""
    tgcs: int = 1
    moves: int = 4
    round_trip_s: float = 0.0
    """To the first TGC."""
    people: int = 0
    """Full members beside the stand-in's own: person1, person2, …"""
    speed: float = 1.0
    since: float = msgspec.field(default_factory=time.time)


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    tgc_url: str
    more_tgc_urls: tuple[str, ...]
    slack_api_url: str
    slack_bot_token: str
    slack_signing_secret: str


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived since the start, at any TGC."""

    tgc_calls: int
    lists: int
    """Of pools, one a sweep."""
    current: int
    accepts: dict[str, int]
    """How often the TGC obeyed an accept, by recommendation."""
    slack_calls: int
    posts: int
    edits: int


class Presses(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody of `people` presses `action_id` on every card at once."""

    action_id: str
    people: int
    request_url: str


class FarEnds:
    """As their user sees them."""

    def __init__(self, child: Child, addresses: Addresses) -> None:
        self.child = child
        self.addresses = addresses

    async def counts(self) -> Counts:
        return msgspec.convert(await self.child.ask("counts"), Counts)

    async def until(self, wanted: Callable[[Counts], bool], *, within_s: float = 120.0) -> Counts:
        async with asyncio.timeout(within_s):
            while not wanted(counts := await self.counts()):  # noqa: ASYNC110 - they are in another process
                await asyncio.sleep(_LOOK_EVERY_S)
        return counts

    async def renew(self) -> None:
        """Let the TGC make a new recommendation in each pool."""
        await self.child.ask("renew")

    async def press(self, presses: Presses) -> int:
        """How many were acknowledged."""
        return int(await self.child.ask("press", presses))

    def configure(self, folder: Path) -> str:
        """A CONFIG_FILE that names the TGCs beside the first."""
        sections = (
            f'[[tgc]]\nname = "tgc{number}"\nurl = "{url}"\nuser = "bot"\npassword_env = "TGC_PASSWORD"\n'
            for number, url in enumerate(self.addresses.more_tgc_urls, start=2)
        )
        (path := folder / "tintri-bot.toml").write_text("\n".join(sections), encoding="utf-8")
        return str(path)

    def environment(self, *, port: int, **more: str) -> dict[str, str]:
        """A bot's between them, in HTTP mode."""
        return {
            "SLACK_BOT_TOKEN": self.addresses.slack_bot_token,
            "SLACK_SIGNING_SECRET": self.addresses.slack_signing_secret,
            "SLACK_API_URL": self.addresses.slack_api_url,
            "TGC_URL": self.addresses.tgc_url,
            "TGC_USERNAME": "bot",
            "TGC_PASSWORD": PASSWORD,
            "RECO_CHANNEL": CHANNEL,
            "RECO_APPROVERS": "*",
            "RECO_TIMEZONE": "UTC",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
            **more,
        }


@asynccontextmanager
async def far_ends(wanted: Wanted) -> AsyncIterator[FarEnds]:
    child = await Child.start(["-m", "benchmarks.far_ends", msgspec.json.encode(wanted).decode()])
    try:
        yield FarEnds(child, msgspec.convert(await child.line(), Addresses))
    finally:
        await child.stop()


# In that process


async def _serve(wanted: Wanted) -> None:
    clock = FastClock(wanted.speed, wanted.since)
    worlds = [
        World.seeded(seed=seed, pools=wanted.pools, moves=wanted.moves, now=clock.now)
        for seed in range(1, wanted.tgcs + 1)
    ]
    tgcs = [SimulatedTgc(world) for world in worlds]
    workspace = Workspace.default()
    for number in range(1, wanted.people + 1):
        user = User(f"U0PERSON{number}", f"person{number}")
        workspace.users[user.id] = user
        workspace.channel(CHANNEL).members.add(user.id)
    slack = Slack(workspace, clock=clock.timestamp, ack_timeout_s=60)

    async def counts(_: Any) -> Counts:
        slack_calls = Counter(call.method for call in slack.calls)
        calls = [call for tgc in tgcs for call in tgc.calls]
        return Counts(
            tgc_calls=len(calls),
            lists=sum(call.path.endswith("/vmstorePool") for call in calls),
            current=sum(call.path.endswith("/recommendation/current") for call in calls),
            accepts=dict(Counter(call.recommendation or "" for tgc in tgcs for call in tgc.accepts)),
            slack_calls=len(slack.calls),
            posts=slack_calls["chat.postMessage"],
            edits=slack_calls["chat.update"],
        )

    async def renew(_: Any) -> None:
        for world in worlds:
            for pool in world.pools:
                world.new_recommendation(pool, moves=wanted.moves)
                pool.past.clear()  # else this process grows, and each look at a pool takes longer

    async def press(about: Any) -> int:
        presses = msgspec.convert(about, Presses)
        slack.request_url = presses.request_url
        done = await asyncio.gather(
            *(
                slack.person(f"person{number}").click(card, presses.action_id)
                for card in slack.messages(CHANNEL)
                for number in range(1, presses.people + 1)
            )
        )
        return sum(delivery.acknowledged for delivery in done)

    async with AsyncExitStack() as stack:
        tgc_url, *more_tgc_urls = [await stack.enter_async_context(tgc.serve()) for tgc in tgcs]
        await stack.enter_async_context(slack.serve())
        tgc_port = int(tgc_url.rpartition(":")[2])
        async with far_away(tgc_port, wanted.round_trip_s) as far_port:
            addresses = Addresses(
                tgc_url=f"http://127.0.0.1:{far_port if wanted.round_trip_s else tgc_port}",
                more_tgc_urls=tuple(more_tgc_urls),
                slack_api_url=slack.api_url,
                slack_bot_token=slack.bot_token,
                slack_signing_secret=slack.signing_secret,
            )
            await answer_questions(addresses, {"counts": counts, "renew": renew, "press": press})


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.json.decode(sys.argv[1], type=Wanted)))
