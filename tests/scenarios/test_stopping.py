"""The bot as a process of its own: how it starts, what it says when it cannot, and how it stops."""

import asyncio
import os
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text

from bot.rendering import ids
from bot.storage.database import open_database
from playground.slack import Slack
from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.stage import PASSWORD, STORAGE, Stage, free_port

pytestmark = pytest.mark.extended

REPOSITORY = Path(__file__).parents[2]
MUST_STOP_WITHIN_S = 10.0


class Process:
    """`tintri-bot run`, started by a test."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._port = port
        self._written = ""

    async def readiness(self) -> tuple[int, str]:
        """What /readyz answers; 0 where nobody listens yet."""
        url = f"http://127.0.0.1:{self._port}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return response.status, await response.text()
        except aiohttp.ClientError:
            return 0, ""

    async def until_ready(self, status: int = 200) -> str:
        async with asyncio.timeout(20):
            while True:
                now, body = await self.readiness()
                if now == status:
                    return body
                assert self._process.returncode is None, await self.ended()
                await asyncio.sleep(0.05)  # another process: nothing to wait for

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> tuple[int, str]:
        """Its exit code and all it wrote."""
        async with asyncio.timeout(20):
            written, _ = await self._process.communicate()
        return self._process.returncode or 0, self._written + written.decode()

    async def until_written(self, text: str) -> None:
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            while text not in self._written:
                self._written += (await self._process.stdout.read(10_000)).decode()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


class Ends:
    """Both far ends in real time, as a process cannot share a test's clock."""

    def __init__(self, tgc: SimulatedTgc, slack: Slack, folder: Path) -> None:
        self.tgc = tgc
        self.slack = slack
        self.folder = folder
        self.port = free_port()

    def environment(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "TGC_URL": self.tgc.url,
            "TGC_USERNAME": self.tgc.username,
            "TGC_PASSWORD": PASSWORD,
            "RECO_CHANNEL": self.slack.channel(STORAGE).id,
            "RECO_APPROVERS": "*",
            "RECO_TIMEZONE": "UTC",
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.folder / 'bot.db'}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    @asynccontextmanager
    async def bot(self, changes: Mapping[str, str | None] | None = None) -> AsyncIterator[Process]:
        wanted = {**self.environment(), **(changes or {})}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "always::ResourceWarning",
            "-m",
            "bot",
            "run",
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **_given(wanted)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        running = Process(process, self.port)
        try:
            yield running
        finally:
            running.kill()
            await process.wait()


def _given(environment: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if value is not None}


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    tgc = SimulatedTgc(World.seeded(pools=3))
    slack = Slack()
    async with tgc.serve(), slack.serve():
        yield Ends(tgc, slack, tmp_path)


async def stops(process: Process, number: signal.Signals = signal.SIGTERM) -> str:
    """Send the signal; give what the process wrote, if it ended with 0 and soon."""
    started = time.monotonic()
    process.signal(number)
    code, written = await process.ended()
    assert code == 0, written
    assert time.monotonic() - started < MUST_STOP_WITHIN_S
    for trouble in ("Traceback", "Unclosed", "never retrieved", "was destroyed", "ResourceWarning", "never awaited"):
        assert trouble not in written, written
    return written


class TestStopping:
    @pytest.mark.parametrize(("number", "mode"), [(signal.SIGTERM, "socket"), (signal.SIGINT, "http")])
    async def test_it_drains_logs_out_of_the_tgc_and_exits_with_0(
        self, ends: Ends, number: signal.Signals, mode: str
    ) -> None:
        changes: dict[str, str | None] = {}
        if mode == "http":
            changes = {"SLACK_APP_TOKEN": None, "SLACK_SIGNING_SECRET": ends.slack.signing_secret}
            ends.slack.request_url = f"http://127.0.0.1:{ends.port}/slack/events"
        async with ends.bot(changes) as process:
            await process.until_ready()
            card = await ends.slack.until(lambda: ends.slack.messages(STORAGE))
            assert ends.tgc.sessions == 1
            ends.tgc.fault(Fault("latency", "/accept", seconds=1.0))
            await ends.slack.person("alice").click(card[0], ids.ACCEPT)
            await stops(process, number)
        assert ends.tgc.sessions == 0
        assert len(ends.tgc.accepts) == 1
        assert any("Accepted" in told.text for told in ends.slack.ephemerals("alice")), "the press was cut off"

    async def test_in_a_sweep_between_two_ends_that_hang(self, ends: Ends) -> None:
        async with ends.bot() as process:
            await process.until_ready()
            await wait_for(lambda: bool(ends.slack.messages(STORAGE)))
            ends.tgc.fault(Fault("hang_before", "", times=None))
            ends.slack.faults.hang(".*", times=None)
            alice = ends.slack.person("alice")
            card = ends.slack.messages(STORAGE)[0]
            for _ in range(3):
                assert (await alice.click(card, ids.ACCEPT)).acknowledged
                assert (await alice.command("/tintri reco")).acknowledged
            written = await stops(process)
        assert "stopped" in written
        ends.tgc.clear_faults()

    async def test_in_a_slow_first_sweep_no_session_stays_behind(self, ends: Ends) -> None:
        for _ in range(30):
            ends.tgc.world.new_recommendation(ends.tgc.world.add_pool(), moves=2)
        ends.tgc.fault(Fault("latency", "/recommendation/current", times=None, seconds=1.0))
        async with ends.bot({"TGC_CONCURRENCY": "2"}) as process:
            await process.until_ready(503)
            await wait_for(lambda: any("current" in call.path for call in ends.tgc.calls))
            await stops(process)
        await asyncio.sleep(0.1)
        assert ends.tgc.sessions == 0

    async def test_a_second_signal_cuts_nothing_short(self, ends: Ends) -> None:
        async with ends.bot() as process:
            await process.until_ready()
            (card, *_) = await ends.slack.until(lambda: ends.slack.messages(STORAGE))
            slow = ends.tgc.fault(Fault("latency", "/accept", seconds=1.0))
            await ends.slack.person("alice").click(card, ids.ACCEPT)
            await slow.reached.wait()
            process.signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            process.signal(signal.SIGINT)
            code, written = await process.ended()
        assert (code, ends.tgc.sessions) == (0, 0), written
        assert any("Accepted" in told.text for told in ends.slack.ephemerals("alice")), written


class TestStarting:
    async def test_it_waits_for_a_slack_that_is_away(self, ends: Ends) -> None:
        await ends.slack.stop()
        async with ends.bot() as process:
            assert '"slack":"not connected"' in await process.until_ready(503)
            await asyncio.sleep(1)  # it opens its database first, then looks for Slack
            await ends.slack.start()
            await process.until_ready()
            written = await stops(process)
        assert "Slack is not reached yet" in written

    async def test_a_refused_token_ends_it_with_one_sentence(self, ends: Ends) -> None:
        async with ends.bot({"SLACK_BOT_TOKEN": "xoxb-revoked"}) as process:
            code, written = await process.ended()
        assert code == 1
        assert written.splitlines() == ["Slack refuses the bot's token (invalid_auth): check SLACK_BOT_TOKEN."]

    async def test_a_taken_port_ends_it_with_one_sentence(self, ends: Ends) -> None:
        taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", ends.port)
        async with taken, ends.bot() as process:
            code, written = await process.ended()
        assert code == 1
        assert "Traceback" not in written
        assert written.splitlines()[-1].startswith(f"The bot cannot listen on 127.0.0.1:{ends.port} (")

    async def test_with_the_tgc_away_it_runs_and_says_so(self, ends: Ends) -> None:
        await ends.tgc.stop()
        async with ends.bot() as process:
            body = await process.until_ready()
            assert '"tgc":"not readable since ' in body
            await stops(process)

    async def test_slacks_oauth_variables_change_nothing(self, ends: Ends) -> None:
        async with ends.bot({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "3"}) as process:
            await process.until_ready()
            assert (await ends.slack.person("alice").command("/tintri help")).acknowledged
            await ends.slack.until(lambda: ends.slack.ephemerals("alice"))
            await stops(process)


async def wait_for(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 (the far ends have no event for it)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("grace_s", [0.0, 10.0], ids=["cut off", "run to its end"])
async def test_a_cancelled_transaction_gives_the_write_lock_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grace_s: float
) -> None:
    """Else the bot would stop only when SQLite is tired of waiting for the lock, 15 s later."""
    monkeypatch.setattr("bot.storage.database._GRACE_S", grace_s)
    loop, is_running, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold() -> int:
        loop.call_soon_threadsafe(is_running.set)
        go_on.wait()
        return 1

    async def write(value: str) -> None:
        async with database.write() as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.create_function("hold", 0, hold)
            await connection.execute(text(f"UPDATE leases SET fence = {value} RETURNING name"))  # noqa: S608 (ours)

    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as database:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO leases (name, fence) VALUES ('a', 0), ('b', 0)"))
        writing = asyncio.create_task(write("hold()"))
        await is_running.wait()
        writing.cancel()
        loop.call_later(0.1, go_on.set)
        await asyncio.wait({writing})
        assert writing.cancelled()
        async with asyncio.timeout(5):
            await write("fence + 1")
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT sum(fence) FROM leases"))).scalar_one() == 2


async def test_the_bot_stops_at_any_moment(stage: Stage) -> None:
    chance = random.Random(2)  # noqa: S311 (repeatable)
    for _ in range(10):
        await stage.start_bot()
        for _ in range(chance.randrange(30)):
            await asyncio.sleep(chance.random() * 0.01)
            stage.clock.move(timedelta(seconds=chance.random() * 8))
        async with asyncio.timeout(5):
            await stage.stop_bot()
        assert stage.tgc.sessions == 0
