"""A refused login is tried twice more, each time after 15 minutes, and then no more until something changed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.login_guard import HOLD, RememberedLogin
from bot.settings import Secret, Settings
from bot.storage.database import Database, open_database
from tests.scenarios.stage import START, StageClock
from tgc.errors import TGCLoginError


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as opened:
        yield opened


@pytest.fixture
def clock() -> StageClock:
    return StageClock(START)


def guard(database: Database, clock: StageClock, **changed: str) -> RememberedLogin:
    account = {"user_name": "bot", "password": "wrong", **changed}
    [tgc] = Settings(
        tgc_url="https://tgc.example.com",
        tgc_username=account["user_name"],
        tgc_password=Secret(account["password"]),
        reco_timezone=ZoneInfo("UTC"),
    ).tgcs
    return RememberedLogin(database, clock, tgc)


async def refused(database: Database, clock: StageClock, times: int) -> None:
    for _ in range(times):
        await guard(database, clock).check()
        await guard(database, clock).refused()
        with pytest.raises(TGCLoginError):
            await guard(database, clock).check()
        clock.move(HOLD)


async def test_three_refusals_in_a_row_are_the_last(database: Database, clock: StageClock) -> None:
    await refused(database, clock, 3)
    clock.move(timedelta(days=365))
    with pytest.raises(TGCLoginError, match="refused this user name and password three times"):
        await guard(database, clock).check()


@pytest.mark.parametrize("changed", [{"user_name": "robot"}, {"password": "right"}])
async def test_another_user_name_or_password_may_be_tried(
    database: Database, clock: StageClock, changed: dict[str, str]
) -> None:
    await refused(database, clock, 3)
    await guard(database, clock, **changed).check()
    await guard(database, clock, **changed).refused()
    clock.move(HOLD)
    await guard(database, clock, **changed).check()  # its own first refusal, not the fourth


async def test_a_login_that_succeeds_ends_the_row(database: Database, clock: StageClock) -> None:
    await refused(database, clock, 2)
    await guard(database, clock).accepted()
    await refused(database, clock, 2)
    await guard(database, clock).check()


@pytest.mark.parametrize(("minutes", "is_held"), [(14, True), (16, False), (-14, True), (-16, False), (-600, False)])
async def test_a_refusal_holds_for_no_longer_where_the_clock_is_set(
    database: Database, clock: StageClock, minutes: float, is_held: bool
) -> None:
    await guard(database, clock).refused()
    clock.set_ahead(minutes=minutes)
    if not is_held:
        await guard(database, clock).check()
        return
    with pytest.raises(TGCLoginError):
        await guard(database, clock).check()
