"""The scene of the kills: both far ends in this process, on the real clock; the bot in processes that die.

Whatever happened, `problems` must come to be empty: it says in sentences what people would see go wrong.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import aiohttp
import msgspec
from aiohttp import web
from yarl import URL

from bot.rendering import ids
from playground.estate import OPEN, Pool, Recommendation
from playground.slack import Slack
from playground.slack_workspace import Message
from playground.tgc import Call, SimulatedTgc
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.bot_process import LEASE_LIFE, BotProcess, Machine
from tests.scenarios.places import Place
from tests.scenarios.stage import PASSWORD, STORAGE, buttons, free_port

PEOPLE = ("alice", "bob")
LABELS = {"Accept": ids.ACCEPT, "Dismiss": ids.DISMISS, "Reopen": ids.REOPEN, "Cancel": ids.CANCEL}
_LOOK_EVERY_S = 0.1
_PATIENCE_S = 45.0
"""The TGC is read for 15 s after a lost answer, and a machine may be busy."""

When = Literal["arrives", "arrives in vain", "done"]
"""The process dies when its request arrives (it is still done, or never), or when it was done but not answered."""


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """A press that reached the database."""

    action: str
    user_id: str
    answer: str | None
    told: bool
    recommendation_id: str | None


class Scene:
    """Far ends that outlive every bot."""

    def __init__(self, world: World, tgc: SimulatedTgc, slack: Slack, place: Place) -> None:
        self.world = world
        self.tgc = tgc
        self.slack = slack
        self.place = place
        self.lease_life = LEASE_LIFE
        """For the processes started from now on."""
        self.bots: list[BotProcess] = []
        self.clicks: list[asyncio.Task[None]] = []
        self.schedule = "15 6,18 * * *"
        """When the processes started from now on sweep."""
        self.machine = Machine()
        """Where the processes run, unless they are given one of their own."""

    # The bots

    def start(
        self, *, http: bool = False, database_url: str | None = None, machine: Machine | None = None
    ) -> BotProcess:
        """Start one more process; `database_url` is for one that reaches the database another way."""
        environment = self._environment(http=http) | {"DATABASE_URL": database_url or self.place.database_url}
        bot = BotProcess(environment, self.place.folder / "bot.log", self.lease_life, machine or self.machine)
        if http:
            self.slack.request_url = bot.url
        self.bots.append(bot)
        return bot

    def _environment(self, *, http: bool) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            **({"SLACK_SIGNING_SECRET": self.slack.signing_secret} if http else {}),
            **({} if http else {"SLACK_APP_TOKEN": self.slack.app_token}),
            "SLACK_API_URL": self.slack.api_url,
            "TGC_URL": self.tgc.url,
            "TGC_USERNAME": self.tgc.username,
            "TGC_PASSWORD": PASSWORD,
            "RECO_CHANNEL": self.slack.channel(STORAGE).id,
            "RECO_APPROVERS": ",".join(self.slack.person(name).user.id for name in PEOPLE),
            "RECO_SCHEDULE": self.schedule,
            "RECO_TIMEZONE": "UTC",
            "RECO_REFRESH_SECONDS": "2",
            "FOLLOW_SECONDS": "1",
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
        }

    @property
    def alive(self) -> list[BotProcess]:
        return [bot for bot in self.bots if bot.is_alive]

    async def kill_all(self) -> None:
        for bot in self.alive:
            await bot.kill()

    async def dead(self) -> None:
        """Wait until a kill that was arranged has happened."""
        await self.until(lambda: not self.alive)

    async def listening(self) -> None:
        """Wait until all cards stand and presses get through."""
        await self.until(lambda: len(self.cards) >= len(self.world.pools))
        async with asyncio.timeout(_PATIENCE_S):
            while not await self._hears():  # noqa: ASYNC110 - other processes have no event here
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _hears(self) -> bool:
        if self.slack.request_url is None:
            return bool(self.slack.sockets.connections)
        async with aiohttp.ClientSession() as session:
            with suppress(aiohttp.ClientError):
                async with session.get(URL(self.slack.request_url).with_path("/readyz")) as response:
                    return response.status == web.HTTPOk.status_code
        return False

    async def stop_in_order(self) -> None:
        for bot in self.alive:
            await bot.stop()
            assert bot.exit_code == 0

    async def until(self, wanted: Callable[[], object]) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while not wanted():  # noqa: ASYNC110 - other processes have no event here
                await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def log(self) -> str:
        """What all processes wrote."""
        return (self.place.folder / "bot.log").read_text()

    # Kills that the far ends carry out

    def kill_at_slack(self, method: str, when: When, *, spare: int = 0) -> None:
        """Kill at the next use of the method, after `spare` of them went well."""
        if spare:
            self.slack.faults.hook(method, times=spare)
        kill = self._killing(when)
        if when == "done":
            self.slack.faults.hook(method, after=lambda _arguments: kill())
        else:
            self.slack.faults.hook(method, before=lambda _arguments: kill())

    def kill_at_tgc(self, method: str, path: str, when: When, *, spare: int = 0) -> None:
        if spare:
            self.tgc.fault(Fault("latency", path, method=method, times=spare))
        kind: Literal["hook_after", "hook_before"] = "hook_after" if when == "done" else "hook_before"
        self.tgc.fault(Fault(kind, path, method=method, hook=self._killing(when)))

    def _killing(self, when: When) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            await self.kill_all()
            if when == "arrives in vain":
                raise web.HTTPServiceUnavailable

        return kill

    # People

    @property
    def cards(self) -> list[Message]:
        return [message for message in self.slack.messages(STORAGE) if "recommendation" in facts(message)]

    def card(self, pool: Pool) -> Message:
        """The card of the pool's current recommendation."""
        current = self.world.current(pool)
        return next(card for card in self.cards if facts(card)["recommendation"] == current.id)

    def click(self, who: str, card: Message, label: str) -> None:
        """Press a button if it is there; whether anybody hears it is seen later."""

        async def press() -> None:
            with suppress(LookupError):
                await self.slack.person(who).click(card, LABELS[label])

        self.clicks.append(asyncio.create_task(press()))

    # What must be true in the end

    async def all_well(self) -> None:
        """Wait until nothing is wrong any more, and find it still so after an orderly end."""
        await asyncio.gather(*self.clicks)
        await self.listening()
        found: list[str] = []

        def is_well() -> bool:
            found[:] = [*self.unrest(), *self.problems()]
            return not found

        with suppress(TimeoutError):  # what is still wrong then is told below
            await self.until(is_well)
        await self.stop_in_order()
        found += self.problems()
        assert not found, f"{'; '.join(found)} (see {self.place.folder})"
        assert self.slack.refusals == []
        assert self.tgc.mistakes == []

    def unrest(self) -> list[str]:
        """What the bot itself still means to do."""
        counts = {
            "cards to paint": "cards WHERE dirty OR owner IS NOT NULL",
            "messages to post": "posts WHERE state != 'sent'",
            "claims that decide": "claims WHERE state IN ('claimed', 'sent')",
            "presses untold": "presses WHERE told_at IS NULL",
            "outages to end": "tgcs WHERE failures > 0",
        }
        found = {what: self.place.rows(f"SELECT count(*) FROM {where}")[0][0] for what, where in counts.items()}  # noqa: S608 - our own words
        return [f"{what}: {count}" for what, count in found.items() if count]

    def problems(self) -> list[str]:
        presses = self.presses()
        known = [one for pool in self.world.pools for one in pool.recommendations()]
        wrong = [problem for one in known for problem in self._wrong(one, presses)]
        return [*self._twice(), *self._unheard(presses), *wrong]

    def presses(self) -> list[Press]:
        rows = self.place.rows(
            "SELECT action, user_id, answer, told_at IS NOT NULL, recommendation_id FROM presses"
            " LEFT JOIN offers ON offers.id = presses.offer_id"
            " LEFT JOIN recommendations ON recommendations.id = offers.recommendation"
        )
        return [
            Press(action=action, user_id=user_id, answer=answer, told=bool(told), recommendation_id=recommendation_id)
            for action, user_id, answer, told, recommendation_id in rows
        ]

    def _twice(self) -> list[str]:
        """Cards and announcements that stand more than once."""
        channel = self.slack.channel(STORAGE)
        keys = Counter(str(facts(message).get("key")) for message in channel.messages)
        shown = Counter(str(facts(card)["recommendation"]) for card in self.cards)
        return [f"{name} stands {count} times" for name, count in (keys | shown).items() if count > 1]

    def _unheard(self, presses: list[Press]) -> list[str]:
        """Presses that were kept, and whose people did not get the answer."""
        unheard = Counter((press.user_id, str(press.answer)) for press in presses)
        for user_id in {press.user_id for press in presses}:
            unheard -= Counter((user_id, text) for text in self.shown_to(user_id))
        return [f"{user_id} was not told: {answer}" for user_id, answer in unheard]

    def shown_to(self, who: str) -> list[str]:
        """What only this person read."""
        return [message.text for message in (*self.slack.ephemerals(who), *self.slack.direct(who))]

    def _wrong(self, one: Recommendation, presses: list[Press]) -> list[str]:
        """What is wrong about one recommendation."""
        about = [press for press in presses if press.recommendation_id == one.id]
        card = next((card for card in self.cards if facts(card)["recommendation"] == one.id), None)
        found = [*self._wrong_decision(one, about), *_wrong_card(one, card, about)]
        return [f"{one.id}: {problem}" for problem in found]

    def _wrong_decision(self, one: Recommendation, presses: list[Press]) -> list[str]:
        asked = [call for call in self.tgc.calls if call.path.endswith(f"{one.id}/accept") and _is_let_in(call)]
        wanted = [press for press in presses if press.action == "accept"]
        accepted = [press for press in wanted if ": Accepted." in (press.answer or "")]
        done = sum(call in self.tgc.accepts for call in asked)
        found = []
        if done > 1:
            found.append(f"it was accepted {done} times")
        if len(asked) > len(wanted):
            found.append(f"the TGC was asked {len(asked)} times for {len(wanted)} presses")
        if len(accepted) != done:
            found.append(f"{len(accepted)} people heard that they accepted it, and the TGC did so {done} times")
        return found


def _is_let_in(call: Call) -> bool:
    """A request whose session has ended is turned away unread, and comes again with a new one."""
    return call.done != web.HTTPUnauthorized.status_code


def _wrong_card(one: Recommendation, card: Message | None, presses: list[Press]) -> list[str]:
    if card is None:
        return ["it has no card"] if one.state in OPEN else []
    labels = set(buttons(card))
    if one.state not in OPEN:
        dead = labels & {"Accept", "Dismiss", "Reopen"}
        return [f"it is {one.state}, and its card has {dead}"] if dead else []
    if "Reopen" in labels:
        dismissed = any(press.action == "dismiss" and ": Dismissed." in (press.answer or "") for press in presses)
        return [] if dismissed and "Accept" not in labels else ["its card says that it was dismissed"]
    return [] if {"Accept", "Dismiss"} <= labels else [f"it is open, and its card has only {labels}"]


def facts(message: Message) -> dict[str, Any]:
    """What the metadata says that the bot gave a message."""
    found: dict[str, Any] = (message.metadata or {}).get("event_payload", {})
    return found


@asynccontextmanager
async def open_scene(place: Place, *, pools: int, seed: int = 1) -> AsyncIterator[Scene]:
    """Far ends with this many open recommendations; every process that is left at the end is killed."""
    world = World.seeded(seed=seed, pools=pools)
    world.move_minutes = 100_000  # no progress to paint: what is waited for is rest
    tgc = SimulatedTgc(world, max_sessions=1000)  # who is killed does not log out
    slack = Slack()
    async with tgc.serve(), slack.serve():
        scene = Scene(world, tgc, slack, place)
        try:
            yield scene
        finally:
            await scene.kill_all()
            for click in scene.clicks:
                click.cancel()
