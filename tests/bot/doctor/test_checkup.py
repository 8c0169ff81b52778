"""The checks that need no far end, and what holds for all of them."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.doctor import checks
from bot.doctor.checks import NotMadeError, in_turn, made, ok, warning
from bot.doctor.checkup import next_runs
from bot.doctor.database_check import check_database
from bot.doctor.settings_check import check_settings
from bot.rendering.views import Finding, Mark
from bot.settings import Secret, Settings
from bot.slack import SlackAwayError, SlackRefusedError
from bot.storage.database import open_database
from tests.bot.storage.older import database_as_of
from tests.bot.test_cli import files_in
from tgc.errors import TGCConnectionError, TGCForbiddenError

BERLIN = ZoneInfo("Europe/Berlin")


def marks(findings: list[Finding]) -> list[tuple[str, Mark]]:
    return [(finding.name, finding.mark) for finding in findings]


class TestACheck:
    @pytest.mark.parametrize(
        ("failure", "mark"),
        [
            (TGCForbiddenError("Forbidden.", status=403), Mark.ERROR),
            (TGCConnectionError("Away."), Mark.WARNING),
            (SlackRefusedError("Refused.", code="no"), Mark.ERROR),
            (SlackAwayError("Away."), Mark.WARNING),
            (NotMadeError("it rains"), Mark.WARNING),
            (RuntimeError("a surprise"), Mark.WARNING),
        ],
    )
    async def test_what_answers_no_is_wrong_and_what_cannot_be_known_is_not(
        self, failure: Exception, mark: Mark
    ) -> None:
        async def fail() -> Finding:
            raise failure

        finding = await made("pools", fail)
        assert (finding.name, finding.mark) == ("pools", mark)
        assert "a surprise" not in finding.sentence

    async def test_one_that_does_not_end_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "WITHIN_S", 0.01)

        async def hang() -> Finding:
            await asyncio.Event().wait()
            return ok("never")

        assert (await made("pools", hang)).mark is Mark.WARNING

    async def test_those_that_rest_on_one_that_failed_are_not_made(self) -> None:
        async def good() -> Finding:
            return ok("Well.")

        async def doubtful() -> Finding:
            return warning("Hm.")

        async def bad() -> Finding:
            return checks.error("No.")

        findings = await in_turn((("a", good), ("b", doubtful), ("c", good), ("d", bad), ("e", good)))
        assert marks(findings) == [
            ("a", Mark.OK),
            ("b", Mark.WARNING),
            ("c", Mark.OK),
            ("d", Mark.ERROR),
            ("e", Mark.WARNING),
        ]
        assert findings[-1].sentence == "Not checked, as “d” above is not settled."


class TestTheDatabase:
    @pytest.fixture
    def url(self, tmp_path: Path) -> Secret:
        return Secret(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")

    async def test_a_file_that_is_not_there_yet_is_no_failure_and_is_not_made(
        self, url: Secret, tmp_path: Path
    ) -> None:
        finding = await check_database(url)
        assert finding.mark is Mark.WARNING
        assert "the first start makes it" in finding.sentence
        assert files_in(tmp_path) == []

    async def test_a_place_where_none_can_be_is(self, tmp_path: Path) -> None:
        for place in (tmp_path / "nowhere" / "bot.db", tmp_path):
            finding = await check_database(Secret(f"sqlite+aiosqlite:///{place}"))
            assert (finding.mark, finding.fix) == (Mark.ERROR, "Create its folder, or correct DATABASE_URL.")

    async def test_an_older_one_is_left_to_the_next_start(self, url: Secret) -> None:
        async with database_as_of(url.reveal(), "0001") as database:
            finding = await check_database(url)
            assert (finding.mark, "the next start" in finding.sentence) == (Mark.WARNING, True)
            async with database.read() as connection:
                revision = await connection.execute(text("SELECT version_num FROM alembic_version"))
            assert revision.scalar_one() == "0001"

    async def test_one_of_this_version_is_well_a_newer_is_not_and_one_without_tables_is_filled_later(
        self, url: Secret
    ) -> None:
        async with open_database(url.reveal()) as database:
            assert (await check_database(url)).mark is Mark.OK
            for statement, mark, said in (
                ("UPDATE alembic_version SET version_num = '9999'", Mark.ERROR, "comes from a newer tintri-bot"),
                ("DROP TABLE alembic_version", Mark.WARNING, "the first start makes them"),
            ):
                async with database.write() as connection:
                    await connection.execute(text(statement))
                finding = await check_database(url)
                assert (finding.mark, said in finding.sentence) == (mark, True)

    async def test_what_is_no_database_is_told(self, url: Secret, tmp_path: Path) -> None:
        (tmp_path / "bot.db").write_text("This is no database.\n" * 100)
        finding = await check_database(url)
        assert finding.mark is Mark.ERROR
        assert "cannot be used" in finding.sentence

    async def test_a_server_that_is_not_there_is_told_without_its_password(self) -> None:
        finding = await check_database(Secret("postgresql+asyncpg://bot:geheim-1@127.0.0.1:1/bot"))
        assert finding.mark is Mark.ERROR
        assert "geheim-1" not in finding.sentence


class TestTheSettings:
    @pytest.fixture
    def dotenv(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        for name in ("TGC_URL", "TGC_USERNAME", "TGC_PASSWORD"):
            monkeypatch.delenv(name, raising=False)
        return tmp_path / ".env"

    def test_where_only_slacks_are_missing_the_rest_can_be_checked(self, dotenv: Path) -> None:
        dotenv.write_text("TGC_URL=https://tgc.example.com\nTGC_USERNAME=bot\nTGC_PASSWORD=secret-1\n")
        settings, findings = check_settings(dotenv)
        assert settings is not None
        assert marks(findings) == [("settings", Mark.ERROR)] * 3
        assert "SLACK_BOT_TOKEN is missing" in findings[0].sentence

    def test_where_one_is_wrong_all_mistakes_are_told_at_once(self, dotenv: Path) -> None:
        dotenv.write_text("TGC_URL=tgc\nTGC_USERNAME=bot\nRECO_CHANNEL=#storage\n")
        settings, findings = check_settings(dotenv)
        assert settings is None
        told = " ".join(finding.sentence for finding in findings)
        assert all(name in told for name in ("TGC_URL", "TGC_PASSWORD", "RECO_CHANNEL"))

    def test_a_risk_is_to_look_at(self, dotenv: Path) -> None:
        dotenv.write_text(
            "TGC_URL=http://tgc.example.com\nTGC_USERNAME=bot\nTGC_PASSWORD=secret-1\n"
            "SLACK_BOT_TOKEN=xoxb-1\nSLACK_APP_TOKEN=xapp-1\nRECO_CHANNEL=C0STORAGE\n"
        )
        settings, findings = check_settings(dotenv)
        assert settings is not None
        assert marks(findings) == [("settings", Mark.WARNING)]
        assert "TGC_URL is http" in findings[0].sentence

    def test_a_file_that_is_not_understood_is_told(self, dotenv: Path) -> None:
        dotenv.write_text("TGC_URL\n")
        settings, findings = check_settings(dotenv)
        assert settings is None
        assert [finding.sentence for finding in findings] == [
            ".env line 1 is not understood: write NAME=value, and close every quote."
        ]


def test_the_next_runs_are_told_by_both_clocks() -> None:
    now = datetime(2026, 3, 28, 20, tzinfo=UTC)  # the night after it, Berlin's clocks go forward
    [tgc] = Settings(
        tgc_url="https://tgc.example.com", tgc_username="bot", tgc_password=Secret("it"), reco_timezone=BERLIN
    ).tgcs
    assert next_runs(tgc, ZoneInfo("UTC"), now).sentence == (
        "All pools are read next at 2026-03-29 06:15, 2026-03-29 18:15, 2026-03-30 06:15 in RECO_TIMEZONE "
        "(Europe/Berlin); here (UTC) that is 2026-03-29 04:15, 2026-03-29 16:15, 2026-03-30 04:15."
    )
    assert next_runs(tgc, BERLIN, now).sentence.endswith("(Europe/Berlin).")
