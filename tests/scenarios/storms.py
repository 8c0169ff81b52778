"""Storms: everything that can go wrong, at once, while people press. What is played is a pure function of its seed.

Picks are numbers from 0 to 1 until the moment they are used: what there is to pick from is the processes' affair.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any, Literal, TypeVar

import msgspec

from bot.recommendations import plan_of
from playground.estate import OPEN, Pool
from playground.slack import Delivery, Forgery, Message
from playground.slack_courier import COMMAND, EVENT
from playground.tgc_faults import Fault, FaultKind
from playground.tgc_json import TgcJson
from tests.scenarios.bot_process import BotProcess, Machine
from tests.scenarios.killing import LABELS, PEOPLE, Scene, When, open_scene
from tests.scenarios.places import Place
from tests.scenarios.stage import STORAGE, buttons
from tgc.models import Recommendation

T = TypeVar("T")

STRANGERS = ("carol", "gina", "frank")
"""No approvers: a colleague, a guest, somebody of another workspace."""
POOLS = 3
LEASE_LIFE = timedelta(seconds=2)
"""Short, as there is much to take over; and long enough to get something done in it where the machine is busy."""
_HEARD_WITHIN_S = 3.0
_KILLED_WITHIN_S = 1.0
"""By then a kill is over that a far end has begun."""
_ANNOUNCED_WITHIN_S = 4.0
_RESUMED_WITHIN_S = 60.0
_MOST_AHEAD_S = 6 * 3600
"""Twice as much is still less than the 12 hours a recommendation lives."""

SlackTrouble = Literal["not reached", "answer lost", "failed, yet done", "failed", "storm of 429"]
SLACK_METHODS = (
    "chat.postMessage",
    "chat.update",
    "response_url",
    "chat.postEphemeral",
    "users.info",
    "conversations.history",
    r"(chat|users|conversations)\..*|response_url",
)
TGC_PATHS = ("/accept$", "/acknowledge$", "/cancel$", r"/recommendation/[0-9A-F-]+$", "/current$", "/vmstorePool$", "")
TGC_TROUBLES: tuple[FaultKind, ...] = (
    "drop_before",
    "drop_after",
    "truncated",
    "garbage",
    "latency",
    "expired_session",
    "answer",
)
Change = Literal["new recommendation", "other moves", "expired", "invalidated"]


class Moves(msgspec.Struct, frozen=True):
    """What a recommendation would move, from a request to the TGC on."""

    recommendation_id: str
    since_call: int
    fingerprint: str


class Paused(msgspec.Struct, frozen=True):
    """A pause, in seconds of the far ends' clock; whatever resumes meanwhile ends it."""

    ordered: float
    announced: float


class Play:
    """A storm under way, and what its judge needs to know of it."""

    def __init__(self, scene: Scene, machines: Sequence[Machine], *, http: bool) -> None:
        self.scene = scene
        self.done: list[str] = []
        self.moves: list[Moves] = []
        self.paused: list[Paused] = []
        self.resumed: list[float] = []
        """When somebody's order to resume was brought to the bot, for the first time or again."""
        self.disturbances = 0
        """Each may cost somebody a second telling of the same answer."""
        self._http = http
        self._replicas: list[tuple[Machine, BotProcess]] = []
        self._machines = machines
        self._later: list[asyncio.Task[None]] = []
        for pool in scene.world.pools:
            self.note_moves(pool)

    # The replicas

    def start_all(self) -> None:
        self._replicas = [(machine, self._start(machine)) for machine in self._machines]

    def start_the_dead(self) -> None:
        self._replicas = [(machine, bot if bot.is_alive else self._start(machine)) for machine, bot in self._replicas]

    def _start(self, machine: Machine) -> BotProcess:
        return self.scene.start(http=self._http, machine=machine)

    def alive(self, pick: float) -> BotProcess | None:
        return picked([bot for _, bot in self._replicas if bot.is_alive], pick)

    def machine(self, pick: float) -> Machine:
        return self._machines[int(pick * len(self._machines))]

    def let_all_sweep(self) -> None:
        """Set every clock to shortly before a full minute: pools that came to rest are read by schedule only."""
        for machine in self._machines:  # on one machine, the second time changes nothing
            machine.set_ahead(machine.ahead_s + 58 - (time.time() + machine.ahead_s) % 60)

    async def heard(self) -> None:
        """Wait a while for the dead to be replaced."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_WITHIN_S):
                await self.scene.listening()

    # Slack

    def route(self, pick: float) -> None:
        """In HTTP mode: have a balancer give what comes next to this replica."""
        bot = self.alive(pick)
        if self._http and bot is not None:
            self.scene.slack.request_url = bot.url

    def deliver(self, sending: Coroutine[Any, Any, Delivery]) -> None:
        """Let somebody press or type; what is not acknowledged in time is delivered once more."""

        async def send() -> None:
            with suppress(LookupError):  # the button is gone by now
                delivery = await sending
                if not delivery.acknowledged:
                    await self.redeliver(delivery)

        self.scene.clicks.append(asyncio.create_task(send()))

    async def resume(self, who: str) -> None:
        self.resumed.append(time.time())
        await self.scene.slack.person(who).command("/tintri resume")

    async def redeliver(self, delivery: Delivery) -> None:
        if delivery.kind == COMMAND:
            self.resumed.append(time.time())
        if not self._http or delivery.kind == EVENT:
            await self.scene.slack.redeliver(delivery)
            return
        retried = Forgery(headers={"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"})
        await self.scene.slack.forge(delivery, retried)

    @property
    def deliveries(self) -> list[Delivery]:
        return self.scene.slack.courier.delivered

    # The TGC

    def note_moves(self, pool: Pool) -> None:
        """Remember what the pool's current recommendation would move from now on."""
        one = self.scene.world.current(pool)
        sent = TgcJson(self.scene.world.zone).recommendation(
            one, pool.uuid, self.scene.world.execution(one), self.scene.world.now()
        )
        plan = plan_of(msgspec.convert(sent, Recommendation))
        self.moves.append(Moves(str(one.id), len(self.scene.tgc.calls), plan.fingerprint))

    # Time

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        self._later.append(asyncio.create_task(work))

    async def calm(self) -> None:
        """The storm is over: nothing goes wrong any more, and what was begun is brought to its end."""
        self.scene.slack.faults.clear()
        self.scene.tgc.clear_faults()
        await asyncio.gather(*self._later)
        await asyncio.sleep(_KILLED_WITHIN_S)
        self.start_the_dead()
        await self.scene.listening()
        self.let_all_sweep()
        async with asyncio.timeout(_RESUMED_WITHIN_S):
            while self.scene.place.rows("SELECT user_id FROM pauses"):
                await self.resume("alice")
                await asyncio.sleep(1)

    async def give_up(self) -> None:
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)


def picked(choices: Sequence[T], pick: float) -> T | None:
    return choices[int(pick * len(choices))] if choices else None


# What is done


class Deed(msgspec.Struct, frozen=True):
    async def do(self, play: Play) -> None:
        raise NotImplementedError


class Press(Deed, frozen=True):
    """Somebody presses a button that a card has now."""

    who: str
    label: str
    pick: float
    replica: float

    async def do(self, play: Play) -> None:
        play.route(self.replica)
        card = picked([card for card in play.scene.cards if self.label in buttons(card)], self.pick)
        if card is not None:
            play.deliver(play.scene.slack.person(self.who).click(card, LABELS[self.label]))


class PressOutdated(Deed, frozen=True):
    """Somebody presses a button that a card had earlier, as a client does that has not caught up."""

    who: str
    pick: float
    replica: float

    async def do(self, play: Play) -> None:
        play.route(self.replica)
        found = picked([(button, card) for card in play.scene.cards for button in outdated(card)], self.pick)
        if found is not None:
            play.deliver(play.scene.slack.person(self.who).click_old(*found))


def outdated(card: Message) -> list[dict[str, Any]]:
    elements = [element for blocks in card.versions for block in blocks for element in block.get("elements", ())]
    return [element for element in elements if element.get("action_id") in LABELS.values()]


class Redeliver(Deed, frozen=True):
    """Slack delivers something once more, to any replica."""

    pick: float
    replica: float

    async def do(self, play: Play) -> None:
        play.route(self.replica)
        delivery = picked(play.deliveries, self.pick)
        if delivery is not None:
            play.later(play.redeliver(delivery))


class OpenHome(Deed, frozen=True):
    """An event, and its retry."""

    who: str

    async def do(self, play: Play) -> None:
        async def open_home() -> None:
            await play.redeliver(await play.scene.slack.person(self.who).open_home())

        play.later(open_home())


class CutSockets(Deed, frozen=True):
    """Slack's end of Socket Mode goes away: broken off, or with a word of warning."""

    is_warned: bool

    async def do(self, play: Play) -> None:
        sockets = play.scene.slack.sockets
        if self.is_warned:
            with suppress(ConnectionError):
                await sockets.disconnect("refresh_requested")
        elif sockets.connections:
            sockets.connections[0].cut()


class Kill(Deed, frozen=True):
    pick: float

    async def do(self, play: Play) -> None:
        bot = play.alive(self.pick)
        if bot is not None:
            play.disturbances += 1
            await bot.kill()


class KillAllAtSlack(Deed, frozen=True):
    method: str
    when: When

    async def do(self, play: Play) -> None:
        play.disturbances += 1
        play.scene.kill_at_slack(self.method, self.when)


class KillAllAtTgc(Deed, frozen=True):
    path: str
    when: When

    async def do(self, play: Play) -> None:
        play.disturbances += 1
        play.scene.kill_at_tgc("POST", self.path, self.when)


class Hang(Deed, frozen=True):
    pick: float
    seconds: float

    async def do(self, play: Play) -> None:
        bot = play.alive(self.pick)
        if bot is None:
            return
        play.disturbances += 1
        bot.hang()

        async def wake() -> None:
            await asyncio.sleep(self.seconds)
            if bot.is_alive:
                bot.wake()

        play.later(wake())


class SetClock(Deed, frozen=True):
    """Somebody sets the time of day of a replica's machine, forward or back."""

    pick: float
    ahead_s: float

    async def do(self, play: Play) -> None:
        play.disturbances += 1
        play.machine(self.pick).set_ahead(self.ahead_s)


class TroubleAtSlack(Deed, frozen=True):
    method: str
    trouble: SlackTrouble
    times: int

    async def do(self, play: Play) -> None:
        faults = play.scene.slack.faults
        play.disturbances += self.times
        match self.trouble:
            case "not reached":
                faults.drop_before(self.method, times=self.times)
            case "answer lost":
                faults.drop_after(self.method, times=self.times)
            case "failed, yet done":
                faults.fail(self.method, "internal_error", done=True, times=self.times)
            case "failed":
                faults.fail(self.method, status=503, times=self.times)
            case "storm of 429":
                faults.fail(self.method, retry_after_s=1 + self.times % 3, times=3 * self.times)


class TroubleAtTgc(Deed, frozen=True):
    path: str
    kind: FaultKind
    status: int
    times: int

    async def do(self, play: Play) -> None:
        play.scene.tgc.fault(Fault(self.kind, self.path, status=self.status, seconds=1.5, times=self.times))


class TgcAway(Deed, frozen=True):
    seconds: float

    async def do(self, play: Play) -> None:
        tgc = play.scene.tgc
        await tgc.stop()

        async def come_back() -> None:
            await asyncio.sleep(self.seconds)
            with suppress(RuntimeError):  # it was away twice, and is back
                await tgc.start()

        play.later(come_back())


class ChangeAtTgc(Deed, frozen=True):
    change: Change
    pick: float

    async def do(self, play: Play) -> None:
        world = play.scene.world
        pool = world.pools[int(self.pick * len(world.pools))]
        is_open = world.current(pool).state in OPEN
        match self.change:
            case "new recommendation":
                world.new_recommendation(pool)
                play.note_moves(pool)
            case "other moves" if is_open:
                world.change_moves(pool)
                play.note_moves(pool)
            case "expired" if is_open:
                world.expire(pool)
            case "invalidated" if is_open:
                world.invalidate(pool, "INVALID_VMS_CHANGED")


class Pause(Deed, frozen=True):
    """Somebody pauses all accepting, and resumes it some time after the channel was told."""

    who: str
    seconds: float

    async def do(self, play: Play) -> None:
        play.later(self._pause(play))

    async def _pause(self, play: Play) -> None:
        ordered, before = time.time(), _pauses_announced(play)
        await play.scene.slack.person(self.who).command("/tintri pause")
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANNOUNCED_WITHIN_S):
                await play.scene.until(lambda: _pauses_announced(play) > before)
            play.paused.append(Paused(ordered, time.time()))
            await asyncio.sleep(self.seconds)
        await play.resume(self.who)


def _pauses_announced(play: Play) -> int:
    return sum("paused accepting" in message.text for message in play.scene.slack.messages(STORAGE))


# Drawing a plan


class Turn(msgspec.Struct, frozen=True):
    """Deeds done at once, and what passes before the next ones."""

    deeds: tuple[Deed, ...]
    seconds: float


class Plan(msgspec.Struct, frozen=True):
    seed: int
    replicas: int
    on_server: bool
    http: bool
    turns: tuple[Turn, ...]


def plan(seed: int, *, turns: int) -> Plan:
    chance = Random(seed)  # noqa: S311 - it shall be the same again
    return Plan(
        seed=seed,
        replicas=1 + seed % 3,
        on_server=seed // 3 % 2 == 1,
        http=seed // 6 % 3 == 2,
        turns=tuple(_turn(chance) for _ in range(turns)),
    )


def _turn(chance: Random) -> Turn:
    deeds = tuple(_deed(chance) for _ in range(chance.randint(2, 5)))
    return Turn(deeds, round(chance.uniform(0, 1.5), 2))


def _deed(chance: Random) -> Deed:
    draw: Callable[[Random], Deed]
    [draw] = chance.choices(list(_DRAWN), list(_DRAWN.values()))
    return draw(chance)


def _pick(chance: Random) -> float:
    return chance.randrange(1000) / 1000


def _somebody(chance: Random) -> str:
    return chance.choice(STRANGERS if chance.random() < 0.2 else PEOPLE)


def _press(chance: Random) -> Press:
    [label] = chance.choices(("Accept", "Dismiss", "Reopen", "Cancel"), (6, 2, 2, 1))
    return Press(_somebody(chance), label, _pick(chance), _pick(chance))


def _kill_at_slack(chance: Random) -> KillAllAtSlack:
    method = chance.choice(("chat.postMessage", "chat.update", "response_url"))
    return KillAllAtSlack(method, _when(chance))


def _when(chance: Random) -> When:
    return chance.choice(("arrives", "arrives in vain", "done"))


def _trouble_at_slack(chance: Random) -> TroubleAtSlack:
    trouble: SlackTrouble = chance.choice(
        ("not reached", "answer lost", "failed, yet done", "failed", "storm of 429", "storm of 429")
    )
    return TroubleAtSlack(chance.choice(SLACK_METHODS), trouble, chance.randint(1, 2))


def _trouble_at_tgc(chance: Random) -> TroubleAtTgc:
    status = chance.choice((503, 503, 429, 500))
    return TroubleAtTgc(chance.choice(TGC_PATHS), chance.choice(TGC_TROUBLES), status, chance.randint(1, 3))


def _set_clock(chance: Random) -> SetClock:
    far = chance.choice((60.0, 600.0, _MOST_AHEAD_S))
    return SetClock(_pick(chance), chance.choice((0, round(chance.uniform(-far, far)))))


def _change(chance: Random) -> ChangeAtTgc:
    changes: tuple[Change, ...] = ("new recommendation", "new recommendation", "other moves", "other moves")
    return ChangeAtTgc(chance.choice((*changes, "expired", "invalidated")), _pick(chance))


_DRAWN: dict[Callable[[Random], Deed], float] = {
    _press: 10,
    lambda chance: PressOutdated(_somebody(chance), _pick(chance), _pick(chance)): 2,
    lambda chance: Redeliver(_pick(chance), _pick(chance)): 3,
    lambda chance: OpenHome(_somebody(chance)): 0.5,
    lambda chance: CutSockets(chance.random() < 0.5): 0.5,
    lambda chance: Kill(_pick(chance)): 2,
    _kill_at_slack: 1,
    lambda chance: KillAllAtTgc("/accept$", _when(chance)): 1,
    lambda chance: Hang(_pick(chance), round(chance.uniform(0.2, 4), 1)): 2,
    _set_clock: 2,
    _trouble_at_slack: 4,
    _trouble_at_tgc: 3,
    lambda chance: TgcAway(round(chance.uniform(1, 7), 1)): 0.5,
    _change: 3,
    lambda chance: Pause(chance.choice(PEOPLE), round(chance.uniform(2, 5), 1)): 1,
}
"""How to draw a deed, and how often each kind is drawn."""


# Playing it


@asynccontextmanager
async def played(storm: Plan, place: Place) -> AsyncIterator[Play]:
    """The play after its storm; a failure in the block or before tells the seed and all that was done."""
    async with open_scene(place, pools=POOLS, seed=storm.seed) as scene:
        scene.schedule, scene.lease_life = "* * * * *", LEASE_LIFE
        shared = [scene.machine] * storm.replicas
        machines = [Machine() for _ in shared] if storm.on_server else shared
        play = Play(scene, machines, http=storm.http)
        try:
            await _play(storm, play)
            yield play
        except BaseException as error:
            error.add_note(_story(storm, play))
            raise
        finally:
            await play.give_up()


async def _play(storm: Plan, play: Play) -> None:
    play.start_all()
    await play.scene.listening()
    for turn in storm.turns:
        play.start_the_dead()
        await play.heard()
        for deed in turn.deeds:
            play.done.append(repr(deed))
            await deed.do(play)
        await asyncio.sleep(turn.seconds)
        play.done.append(f"{turn.seconds} s pass")
    await play.calm()


def _story(storm: Plan, play: Play) -> str:
    where = "a PostgreSQL" if storm.on_server else "an SQLite"
    how = "HTTP" if storm.http else "Socket Mode"
    head = f"storm {storm.seed}, replicas: {storm.replicas}, on {where}, by {how}. What it did:"
    return "\n  ".join((head, *play.done))
