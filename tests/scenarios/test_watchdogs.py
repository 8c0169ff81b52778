"""What hangs, fills up or goes deaf is noticed: /readyz and the metrics say so, and what can be mended is."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from bot.health import Readiness
from bot.readings import Readings
from bot.socket_mode import CONNECTIONS, DEAF_LOOKS, LOOK_EVERY, QUIET_LOOKS, _Client
from bot.watch import READING_AT_MOST
from playground.slack_sockets import Connection
from playground.tgc_faults import Fault
from tests.scenarios.quiet import quiet_loop
from tests.scenarios.stage import Stage, buttons, open_stage
from tgc.models import Pool

pytestmark = pytest.mark.extended

A_MINUTE = timedelta(seconds=60)


async def get(stage: Stage, path: str) -> tuple[int, bytes]:
    url = f"http://127.0.0.1:{stage.settings.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.read()


async def readiness(stage: Stage) -> Readiness:
    stage.clock.move(timedelta(seconds=2))  # the newest look at the database counts for others as well
    status, body = await get(stage, "/readyz")
    told = msgspec.json.decode(body, type=Readiness)
    assert status == (200 if told.ready else 503)
    return told


async def metric(stage: Stage, name: str) -> float:
    _, body = await get(stage, "/metrics")
    return next(float(line.split()[-1]) for line in body.decode().splitlines() if line.startswith(f"{name} "))


async def become(stage: Stage, wanted: Callable[[Readiness], bool], *, within: timedelta) -> Readiness:
    """Look at /readyz, with the clock going on, until it says so."""
    end = stage.clock.now() + within
    while not wanted(told := await readiness(stage)):
        assert stage.clock.now() < end, told
        await stage.live(seconds=1)
    return told


# ---------------------------------------------------------------- Socket Mode


@pytest.fixture
async def connected(stage: Stage) -> list[Connection]:
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.until(lambda: len(stage.slack.sockets.connections) == CONNECTIONS)
    await become(stage, lambda told: told.ready, within=A_MINUTE)
    return list(stage.slack.sockets.connections)


async def is_heard(stage: Stage, times: int = 1) -> None:
    for _ in range(times):
        stage.slack.workspace.ephemerals.clear()
        assert (await stage.slack.person("alice").command("/tintri help")).acknowledged
        await stage.answer("alice", "What you can ask for")


def new_connections(stage: Stage, before: list[Connection]) -> list[Connection]:
    return [connection for connection in stage.slack.sockets.connections if connection not in before]


async def test_connections_that_become_black_holes_are_noticed_within_a_minute_and_rebuilt(
    stage: Stage, connected: list[Connection]
) -> None:
    for connection in connected:
        connection.stall()
    told = await become(stage, lambda told: not told.ready, within=A_MINUTE)
    assert told.slack == "not connected"
    assert await metric(stage, "tintri_bot_slack_up") == 0
    assert await metric(stage, "tintri_bot_slack_connections") == 0
    for connection in connected:
        connection.cut()  # so that the stand-in forgets them; the bot has given them up
    await stage.until(lambda: len(new_connections(stage, connected)) == CONNECTIONS)
    await become(stage, lambda told: told.ready, within=A_MINUTE)
    await is_heard(stage)


async def test_pings_that_nobody_answers_are_noticed_within_a_minute(
    stage: Stage, connected: list[Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.slack.sockets.deaf = True
    began = stage.clock.now()
    await become(stage, lambda told: told.slack == "not connected", within=A_MINUTE)
    assert stage.clock.now() - began >= (DEAF_LOOKS - 1) * LOOK_EVERY  # one lost answer is not yet deafness
    assert "answers no pings" in capsys.readouterr().out
    stage.slack.sockets.deaf = False
    await stage.until(lambda: len(new_connections(stage, connected)) == CONNECTIONS)
    await become(stage, lambda told: told.ready, within=A_MINUTE)
    await is_heard(stage)


async def test_one_deaf_connection_is_rebuilt_while_the_other_goes_on(
    stage: Stage, connected: list[Connection]
) -> None:
    deaf, _ = connected
    deaf.stall()
    while len(new_connections(stage, connected)) < 1:
        assert (await readiness(stage)).ready
        await stage.live(seconds=5)
        if await metric(stage, "tintri_bot_slack_connections") == 1:
            deaf.cut()
    await stage.until(lambda: deaf not in stage.slack.sockets.connections)
    await stage.until(lambda: len(stage.slack.sockets.connections) == CONNECTIONS)
    await is_heard(stage, times=4)


async def test_a_connection_on_which_slack_never_says_hello_is_none(stage: Stage) -> None:
    stage.slack.sockets.greets = False
    await stage.start_bot()
    await stage.cards_posted(3)
    first = list(stage.slack.sockets.connections)
    assert (await readiness(stage)).slack == "not connected"
    await stage.until(lambda: not set(first) & set(stage.slack.sockets.connections))  # given up after a minute
    stage.slack.sockets.greets = True
    await become(stage, lambda told: told.ready, within=3 * A_MINUTE)
    await is_heard(stage)


async def test_a_client_that_takes_nothing_any_more_is_replaced(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """slack_sdk puts what arrives into a queue; whoever reads it may have died."""
    clients: list[_Client] = []
    connect = _Client.connect

    async def note(client: _Client) -> None:
        clients.append(client)
        await connect(client)  # type: ignore[no-untyped-call]  # slack_sdk's

    monkeypatch.setattr(_Client, "connect", note)
    await stage.start_bot()
    await stage.until(lambda: len(stage.slack.sockets.connections) == CONNECTIONS)
    await stage.cards_posted(3)
    for client in clients[:]:
        client.message_processor.cancel()
    await become(stage, lambda told: told.slack == "not connected", within=A_MINUTE)
    await become(stage, lambda told: told.ready, within=3 * A_MINUTE)
    await is_heard(stage)


async def test_a_connection_that_delivers_nothing_is_renewed_while_the_other_listens(
    stage: Stage, connected: list[Connection]
) -> None:
    """Nobody can tell it from one on which nobody has pressed anything."""
    for connection in connected:
        connection.swallows = True
    began = stage.clock.now()
    fewest = CONNECTIONS
    while set(connected) & set(stage.slack.sockets.connections):
        assert stage.clock.now() - began < QUIET_LOOKS * LOOK_EVERY * 1.5
        assert (await readiness(stage)).ready
        fewest = min(fewest, len(stage.slack.sockets.connections))
        await stage.live(seconds=4)
    assert fewest >= 1  # never both at once
    await stage.until(lambda: len(stage.slack.sockets.connections) == CONNECTIONS)
    await is_heard(stage, times=4)


# ---------------------------------------------------------------- stuck loops


async def step(stage: Stage, by: timedelta) -> None:
    """Let time pass as a watchdog sees it, look by look, and things happen in between."""
    for _ in range(by // timedelta(seconds=5)):
        await quiet_loop().quiet()
        stage.clock.move(timedelta(seconds=5))
        await asyncio.sleep(0.005)  # what hangs is given up by the machine's own time


async def test_a_loop_that_hangs_is_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither the TGC nor Slack that it waits for: those are given up in time."""

    async def hang(_: Readings) -> list[Pool]:
        await asyncio.Event().wait()
        return []

    stage.use_http()
    await stage.start_bot()
    await stage.cards_posted(3)
    monkeypatch.setattr(Readings, "pools", hang)
    await step(stage, READING_AT_MOST)
    assert (await readiness(stage)).ready
    await step(stage, timedelta(minutes=5))
    told = await readiness(stage)
    assert (told.ready, told.swept, told.loops) == (False, True, "stuck: sweeps")
    assert await metric(stage, 'tintri_bot_loop_stuck{loop="sweeps"}') == 1
    assert await metric(stage, 'tintri_bot_loop_stuck{loop="outbox"}') == 0


async def test_a_tgc_that_hangs_makes_no_loop_stuck(stage: Stage) -> None:
    """Each reading is given up in time, so there is a next one, and the loop comes round."""
    stage.use_http()
    stage.tgc_timeout_s = 0.1
    await stage.start_bot()
    await stage.cards_posted(3)
    stage.tgc.fault(Fault("hang_before", "/vmstorePool", times=None))
    await step(stage, READING_AT_MOST + timedelta(minutes=10))
    told = await readiness(stage)
    assert (told.ready, told.loops) == (True, "ok")
    assert told.tgc.startswith("not readable since")


# ---------------------------------------------------------------- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(  # noqa: S603 - no input from outside
        ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mount.returncode != 0:
        pytest.skip("only root may make a file system")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)  # noqa: S603 - no input from outside


@pytest.fixture
async def on_small_disk(small_disk: Path) -> AsyncIterator[Stage]:
    async with open_stage(small_disk) as opened:
        opened.use_http()
        yield opened


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 512, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break
    assert os.statvfs(folder).f_bavail == 0
    return filler


async def test_a_full_disk_is_told_and_when_there_is_room_again_nothing_was_lost_or_repeated(
    on_small_disk: Stage,
) -> None:
    stage = on_small_disk
    await stage.start_bot()
    await stage.cards_posted(3)
    await stage.settle()
    assert (await readiness(stage)).ready
    before = len(stage.slack.calls_of("chat.postMessage"))

    filler = fill(stage.folder)
    new = stage.world.new_recommendation(stage.world.pools[0])
    await stage.live(seconds=30)
    assert await metric(stage, "tintri_bot_database_up") == 0  # although nobody asked
    told = await readiness(stage)
    assert (told.ready, told.database) == (False, "cannot be written to")
    await stage.live(minutes=2)
    pressed = await stage.slack.person("alice").command("/tintri help")
    assert pressed.acknowledged  # what needs no database goes on

    filler.unlink()
    await become(stage, lambda told: told.ready, within=A_MINUTE)
    await stage.until(lambda: len(stage.cards) == 4 and buttons(stage.cards[-1]) == ["Accept", "Dismiss", "Details"])
    await stage.live(minutes=2)
    assert len(stage.cards) == 4
    assert len(stage.slack.calls_of("chat.postMessage")) == before + 1
    assert stage.world.current(stage.world.pools[0]) is new
    await become(stage, lambda told: told.loops == "ok", within=A_MINUTE)
