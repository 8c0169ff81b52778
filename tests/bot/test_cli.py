"""`tintri-bot` as people and cron call it: what it prints where, and how it ends."""

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.manifest import manifest
from bot.storage.database import open_database, read_database
from playground.slack import Slack
from playground.tgc import SimulatedTgc
from playground.tgc_faults import Fault
from playground.world import World
from tests.scenarios.stage import free_port

pytestmark = pytest.mark.extended

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "only-for-the-playground"


schema = Draft202012Validator(
    json.loads((REPOSITORY / "docs" / "command-line.md").read_text().partition("```json\n")[2].partition("```")[0])
)


class Ran(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str


class CommandLine:
    """Runs commands in an empty folder, with the simulated TGC's settings and nothing else."""

    def __init__(self, folder: Path, tgc: SimulatedTgc) -> None:
        self.tgc = tgc
        self._folder = folder
        self.environment = {
            "TGC_URL": tgc.url,
            "TGC_USERNAME": tgc.username,
            "TGC_PASSWORD": PASSWORD,
            "RECO_TIMEZONE": "UTC",
        }

    async def on_a_terminal(self, *arguments: str, **changes: str) -> tuple[asyncio.subprocess.Process, int]:
        """Begin a command on a terminal; returns the terminal's other end."""
        ours, its = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", *arguments),
            cwd=self._folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                **self.environment,
                **changes,
            },
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        return process, ours

    async def __call__(self, *arguments: str, **changes: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "always::ResourceWarning",
            "-m",
            "bot",
            *arguments,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **self.environment, **changes},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        ran = Ran(process.returncode or 0, out.decode(), err.decode())
        assert "Traceback" not in ran.out + ran.err
        assert PASSWORD not in ran.out + ran.err
        return ran


async def read_until(terminal: int, wanted: str, times: int = 1) -> str:
    """What stands on a terminal once it holds that."""
    printed = ""
    async with asyncio.timeout(30):
        while printed.count(wanted) < times:
            printed += (await asyncio.to_thread(os.read, terminal, 10_000)).decode(errors="replace")
    return printed


async def press_ctrl_c(process: asyncio.subprocess.Process) -> int:
    """Its exit code. Again where nothing happens: Python overlooks a signal just before it begins to read."""
    while True:
        process.send_signal(signal.SIGINT)
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                return await process.wait()


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
async def tgc() -> AsyncIterator[SimulatedTgc]:
    simulated = SimulatedTgc(World.seeded(pools=3))
    async with simulated.serve():
        yield simulated


@pytest.fixture
async def tintri_bot(tmp_path: Path, tgc: SimulatedTgc) -> CommandLine:
    return CommandLine(tmp_path, tgc)


class TestReco:
    async def test_it_prints_every_pool_and_leaves_no_session(self, tintri_bot: CommandLine) -> None:
        ran = await tintri_bot("reco")
        assert ran.code == 0
        assert ran.err == ""
        assert "3 of 3 pools have a recommendation" in ran.out
        for pool in tintri_bot.tgc.world.pools:
            assert re.search(rf"^{pool.name}: ", ran.out, re.MULTILINE)
        assert "\x1b" not in ran.out
        assert max(map(len, ran.out.splitlines())) <= 80
        assert tintri_bot.tgc.sessions == 0
        assert {call.method for call in tintri_bot.tgc.calls if "session" not in call.path} == {"GET"}

    async def test_as_json_it_prints_json_alone(self, tintri_bot: CommandLine) -> None:
        """Also at DEBUG, and while reads are tried again: only the report goes to stdout."""
        tintri_bot.tgc.fault(Fault("answer", "/vmstorePool", status=503))
        ran = await tintri_bot("reco", "--json", LOG_LEVEL="DEBUG", LOG_FORMAT="json")
        assert ran.code == 0
        pools = json.loads(ran.out)["pools"]
        assert {pool["pool"] for pool in pools} == {pool.name for pool in tintri_bot.tgc.world.pools}
        assert all(pool["standing"] == "offered" and pool["recommendation"]["actionGroups"] for pool in pools)
        schema.validate(json.loads(ran.out))
        assert all(json.loads(line)["level"] for line in ran.err.splitlines())

    async def test_it_imports_neither_slack_nor_the_database_where_it_needs_none(self, tintri_bot: CommandLine) -> None:
        ran = await tintri_bot("reco", PYTHONPROFILEIMPORTTIME="1")
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.err.splitlines()}
        assert imported >= {"aiohttp", "rich"}
        assert imported.isdisjoint({"slack_bolt", "slack_sdk", "sqlalchemy", "alembic"})

    async def test_ctrl_c_at_the_question_accepts_nothing_and_leaves_no_session(self, tintri_bot: CommandLine) -> None:
        process, terminal = await tintri_bot.on_a_terminal("reco", "--pool", "Production", "--accept")
        printed = await read_until(terminal, "[y/N]")
        assert "Accept Production: 4 VMs will move, 1 would lose replication?" in printed
        assert await press_ctrl_c(process) == 1
        os.close(terminal)
        assert not [call for call in tintri_bot.tgc.calls if call.path.endswith("/accept")]
        assert tintri_bot.tgc.sessions == 0

    async def test_ctrl_c_ends_the_watching_alone(self, tintri_bot: CommandLine) -> None:
        world = tintri_bot.tgc.world
        world.accept_in_gui(world.pools[0])
        process, terminal = await tintri_bot.on_a_terminal("reco", "--follow", FOLLOW_SECONDS="1")
        await read_until(terminal, "0 of 4 VMs moved", times=2)
        assert await press_ctrl_c(process) == 1
        await read_until(terminal, "What runs goes on")
        os.close(terminal)
        assert tintri_bot.tgc.sessions == 0

    async def test_ctrl_c_before_anything_is_shown_says_so_too(self, tintri_bot: CommandLine) -> None:
        history = Fault("hang_before", "/recommendationHistory", times=None)
        tintri_bot.tgc.fault(history)
        process, terminal = await tintri_bot.on_a_terminal("reco", "--follow")
        async with asyncio.timeout(30):
            await history.reached.wait()
        assert await press_ctrl_c(process) == 1
        await read_until(terminal, "What runs goes on")
        os.close(terminal)
        history.release()

    async def test_a_pool_that_fails_hides_no_other_and_ends_it_with_1(self, tintri_bot: CommandLine) -> None:
        lost, *others = tintri_bot.tgc.world.pools
        tintri_bot.tgc.fault(Fault("garbage", lost.uuid, times=None))
        ran = await tintri_bot("reco")
        assert ran.code == 1
        for pool in (lost, *others):
            assert f"\n{pool.name}: " in ran.out
        as_json = await tintri_bot("reco", "--json")
        assert as_json.code == 1
        schema.validate(json.loads(as_json.out))
        assert [pool["pool"] for pool in json.loads(as_json.out)["pools"] if "problem" in pool] == [lost.name]

    async def test_a_pool_is_chosen_by_how_it_begins(self, tintri_bot: CommandLine) -> None:
        ran = await tintri_bot("reco", "prod")
        assert ran.code == 0
        assert "Production: " in ran.out
        assert "VDI" not in ran.out

    async def test_an_unknown_pool_ends_it_with_2_and_close_names(self, tintri_bot: CommandLine) -> None:
        ran = await tintri_bot("reco", "Produktion")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("No pool is called “Produktion”. There is: ")
        assert "Production" in ran.err

    async def test_a_wrong_password_ends_it_with_1_and_one_sentence(self, tintri_bot: CommandLine) -> None:
        ran = await tintri_bot("reco", TGC_PASSWORD="a-wrong-one")
        assert (ran.code, ran.out) == (1, "")
        assert len(ran.err.splitlines()) == 1
        assert "refused" in ran.err
        assert "a-wrong-one" not in ran.err
        assert tintri_bot.tgc.logins == 1

    async def test_a_wrong_password_is_not_tried_again_where_the_bot_has_a_database(
        self, tintri_bot: CommandLine, tmp_path: Path
    ) -> None:
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'tintri-bot.db'}"):
            pass
        for _ in range(3):
            ran = await tintri_bot("reco", TGC_PASSWORD="a-wrong-one")
            assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert "none is tried for 15 minutes" in ran.err
        assert tintri_bot.tgc.refused_logins == 1
        assert (await tintri_bot("reco")).code == 0

    async def test_it_creates_no_database(self, tintri_bot: CommandLine, tmp_path: Path) -> None:
        assert (await tintri_bot("reco")).code == 0
        assert files_in(tmp_path) == []

    async def test_a_database_that_cannot_be_used_ends_it_before_any_login(
        self, tintri_bot: CommandLine, tmp_path: Path
    ) -> None:
        (tmp_path / "tintri-bot.db").write_text("no database" * 1000)
        ran = await tintri_bot("reco")
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert "check DATABASE_URL" in ran.err
        assert tintri_bot.tgc.logins == 0

    async def test_a_vmstore_is_refused_with_a_sentence(self, tintri_bot: CommandLine) -> None:
        tintri_bot.tgc.product_name = "Tintri VMstore"
        ran = await tintri_bot("reco")
        assert (ran.code, ran.out) == (1, "")
        assert "VMstore" in ran.err
        assert len(ran.err.splitlines()) == 1
        assert tintri_bot.tgc.logins == 0

    async def test_a_tgc_that_is_away_ends_it_with_1(self, tintri_bot: CommandLine) -> None:
        await tintri_bot.tgc.stop()
        ran = await tintri_bot("reco")
        assert (ran.code, ran.out) == (1, "")
        (sentence,) = ran.err.splitlines()
        assert "no connection to 127.0.0.1" in sentence

    async def test_whoever_looks_for_a_mistake_sees_each_try_in_one_line(self, tintri_bot: CommandLine) -> None:
        tintri_bot.tgc.fault(Fault("drop_before", "/recommendation/current", times=1))
        ran = await tintri_bot("reco", LOG_LEVEL="DEBUG")
        assert ran.code == 0
        (tried,) = [line for line in ran.err.splitlines() if "tried again" in line]
        assert "broke before the whole answer came" in tried
        assert "GET /api/v310/vmstorePool/" in tried
        assert "TGCConnectionError" not in ran.err


class TestDoctor:
    async def test_what_is_missing_ends_it_with_1_and_hides_no_other_check(
        self, tintri_bot: CommandLine, tmp_path: Path
    ) -> None:
        ran = await tintri_bot("doctor")
        assert (ran.code, ran.err) == (1, "")
        assert "✗ settings     SLACK_BOT_TOKEN is missing: give " in ran.out
        assert "✓ login        The TGC takes the account bot." in ran.out
        assert "! Slack        Not checked, as SLACK_BOT_TOKEN is missing." in ran.out
        assert max(map(len, ran.out.splitlines())) <= 80
        assert "\x1b" not in ran.out
        assert tintri_bot.tgc.sessions == 0
        assert files_in(tmp_path) == []

    async def test_where_nothing_is_wrong_it_ends_with_0_and_programs_get_json(self, tintri_bot: CommandLine) -> None:
        slack = Slack()
        async with slack.serve():
            ran = await tintri_bot(
                "doctor",
                "--json",
                SLACK_BOT_TOKEN=slack.bot_token,
                SLACK_APP_TOKEN=slack.app_token,
                SLACK_API_URL=slack.api_url,
                RECO_CHANNEL=slack.channel("storage").id,
                RECO_APPROVERS="*",
            )
        assert (ran.code, ran.err) == (0, "")
        document = json.loads(ran.out)
        assert document["ok"] is True
        assert {(found["name"], found["mark"]) for found in document["findings"]} >= {
            ("login", "ok"),
            ("channel", "ok"),
        }
        assert slack.bot_token not in ran.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--yes",), "--yes answers the questions of --accept, which is not given."),
        (("--json", "--follow"), "--json prints what is recommended and no more: leave out --accept and --follow."),
        (
            ("--mail-to", "alice@example.com", "--accept", "--yes"),
            "--mail-to mails what is recommended and no more: leave out --accept and --follow.",
        ),
        (
            ("--mail-to", "Alice <alice@example.com>"),
            "--mail-to is no address: give mail addresses such as storage@example.com, without names and in ASCII.",
        ),
        (("--accept",), "There is no terminal to ask on: give --yes to accept without a question."),
    ],
)
def test_what_does_not_go_together_ends_reco_with_2(options: tuple[str, ...], said: str) -> None:
    ran = CliRunner().invoke(cli, ["reco", *options])
    assert (ran.exit_code, ran.stdout, ran.stderr) == (2, "", f"{said}\n")


async def test_run_names_all_that_is_missing_at_once(tintri_bot: CommandLine) -> None:
    tintri_bot.environment = {"TGC_URL": "ftp://x", "RECO_CHANNEL": "#storage"}
    ran = await tintri_bot("run")
    assert (ran.code, ran.out) == (2, "")
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TGC_URL", "TGC_USERNAME", "TGC_PASSWORD", "RECO_CHANNEL"):
        assert name in ran.err


async def test_run_says_why_its_database_cannot_be_used(tintri_bot: CommandLine, tmp_path: Path) -> None:
    ran = await tintri_bot(
        "run",
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
        RECO_CHANNEL="C0STORAGE",
        DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'bot.db'}",
        HOST="127.0.0.1",
        PORT=str(free_port()),
    )
    assert (ran.code, ran.out) == (1, "")
    assert "check DATABASE_URL" in ran.err
    assert len(ran.err.splitlines()) == 1


async def test_migrate_makes_a_database_that_run_can_use_at_once(tintri_bot: CommandLine, tmp_path: Path) -> None:
    tintri_bot.environment = {}
    assert await tintri_bot("migrate") == Ran(0, "", "")
    async with read_database(f"sqlite+aiosqlite:///{tmp_path / 'tintri-bot.db'}"):
        pass  # refuses what is not of this version
    ran = await tintri_bot("migrate", DATABASE_URL="sqlite+aiosqlite:////nowhere/bot.db")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "check DATABASE_URL" in ran.err


async def test_the_manifest_is_printed_for_either_way(tintri_bot: CommandLine) -> None:
    tintri_bot.environment = {}
    assert (await tintri_bot("manifest")) == Ran(0, manifest(request_url=None), "")
    url = "https://bot.example.com"
    assert (await tintri_bot("manifest", "--request-url", url)) == Ran(0, manifest(request_url=url), "")
    ran = await tintri_bot("manifest", "--request-url", "nonsense")
    assert (ran.code, ran.out) == (2, "")


async def test_without_a_command_it_shows_what_there_is(tintri_bot: CommandLine) -> None:
    ran = await tintri_bot()
    assert ran.code == 2
    for command in ("run", "reco", "demo", "manifest"):
        assert command in ran.out + ran.err
