"""A refused login is remembered for a quarter of an hour, whatever is done to the clock."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.login_guard import RememberedLogin
from bot.storage.database import open_database
from tests.scenarios.stage import StageClock
from tgc.errors import TGCLoginError


@pytest.mark.parametrize(
    ("minutes", "is_held"), [(0, True), (14, True), (16, False), (-14, True), (-16, False), (-600, False)]
)
async def test_a_refused_login_is_remembered_for_a_quarter_of_an_hour(
    tmp_path: Path, minutes: float, is_held: bool
) -> None:
    clock = StageClock(datetime(2026, 3, 10, 6, 15, tzinfo=UTC))
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as database:
        guard = RememberedLogin(database, clock, tgc_key="default", user_name="bot", password="wrong")
        await guard.refused()
        clock.set_ahead(minutes=minutes)
        if not is_held:
            await guard.check()
            return
        with pytest.raises(TGCLoginError):
            await guard.check()
