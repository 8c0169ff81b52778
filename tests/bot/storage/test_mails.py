"""Mails are kept once, come in their order, and wait together where their server takes nothing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.recommendations import Key
from bot.rendering.mail import Mail
from bot.storage import mails, recommendations
from bot.storage.database import Database
from bot.storage.leases import Leases
from bot.storage.mails import Failing, MailKind, Waiting
from tests.scenarios.stage import StageClock
from tgc.models import Recommendation

LIFE = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)
MAIL = Mail(subject="Production: 4 VMs to move", text="text", html="<p>text</p>")


class Box:
    """The mails of a database, by the recommendation's number and their kind."""

    def __init__(self, database: Database, clock: StageClock) -> None:
        self._database = database
        self._clock = clock
        self._leases = Leases(database, clock, life=LIFE)

    async def add(self, number: int, kind: MailKind = MailKind.AVAILABLE) -> None:
        key = Key("default", "pool", str(number))
        nothing, now = Recommendation(id=key.recommendation_id), self._clock.now()
        async with self._database.write() as connection:
            await recommendations.store(connection, key, nothing, pool_name="P", vm_names={}, read_at=now, now=now)
            stored = await recommendations.get(connection, key)
            assert stored is not None
            await mails.add(connection, recommendation=stored.row_id, kind=kind, mail=MAIL, now=now)

    async def due(self) -> list[Waiting]:
        async with self._database.read() as connection:
            return await mails.due(connection, self._clock.now(), LIFE)

    async def shown(self) -> list[tuple[int, MailKind]]:
        return [(waiting.recommendation, waiting.kind) for waiting in await self.due()]

    async def fail(self, waiting: Waiting, *, owed_to: Sequence[str] | None = None, is_servers: bool = False) -> None:
        now = self._clock.now()
        async with self._database.write() as connection:
            lease = await self._leases.take(connection, mails.LEASABLE, waiting.row_id)
            assert lease is not None
            assert await mails.put_off(connection, lease, problem="No.", now=now, pause=MINUTE, owed_to=owed_to)
            if is_servers:
                await mails.put_off_all(connection, problem="No.", now=now, pause=MINUTE)

    async def sent(self, waiting: Waiting) -> None:
        async with self._database.write() as connection:
            await mails.sent(connection, waiting, self._clock.now())

    async def failing(self) -> Failing | None:
        async with self._database.read() as connection:
            return await mails.failing(connection)


@pytest.fixture
def box(database: Database, clock: StageClock) -> Box:
    return Box(database, clock)


async def test_one_is_kept_of_a_recommendation_and_kind_whoever_comes(box: Box) -> None:
    await asyncio.gather(box.add(1), box.add(1), box.add(1))
    await box.sent((await box.due())[0])
    await box.add(1)
    assert await box.due() == []
    await box.add(1, MailKind.ENDED)
    assert await box.shown() == [(1, MailKind.ENDED)]


async def test_the_end_waits_for_the_beginning_until_somebody_took_that(box: Box, clock: StageClock) -> None:
    for kind in MailKind:
        await box.add(1, kind)
    (beginning,) = await box.due()
    assert beginning.kind is MailKind.AVAILABLE
    await box.fail(beginning)
    assert await box.due() == []
    clock.move(MINUTE)
    await box.fail(beginning, owed_to=["bob@example.com"])
    assert await box.shown() == [(1, MailKind.ENDED)]
    clock.move(MINUTE)
    beginning, _ = sorted(await box.due(), key=lambda waiting: waiting.row_id)
    assert beginning.owed_to == frozenset({"bob@example.com"})


async def test_the_least_tried_comes_first_and_one_asks_for_all(box: Box, clock: StageClock) -> None:
    for number in (1, 2, 3):
        await box.add(number)
    await box.fail((await box.due())[0], is_servers=True)
    assert await box.due() == []
    await box.add(4)
    assert [number for number, _ in await box.shown()] == [4]
    clock.move(MINUTE)
    assert [number for number, _ in await box.shown()] == [2, 3, 4, 1]


async def test_it_tells_since_when_mail_fails_until_all_has_gone(box: Box, clock: StageClock) -> None:
    await box.add(1)
    await box.add(2)
    assert await box.failing() is None
    since = clock.now()
    await box.fail((await box.due())[0])
    clock.move(MINUTE)
    await box.fail((await box.due())[-1])
    assert await box.failing() == Failing(since, "No.")
    clock.move(MINUTE)
    for waiting in await box.due():
        await box.sent(waiting)
    assert await box.failing() is None


async def test_one_that_goes_after_it_failed_brings_the_others(box: Box, clock: StageClock) -> None:
    await box.add(1)
    await box.add(2)
    await box.fail((await box.due())[0])
    clock.move(MINUTE / 2)
    await box.fail((await box.due())[0])
    clock.move(MINUTE / 2)
    (again,) = await box.due()
    await box.sent(again)
    assert [number for number, _ in await box.shown()] == [2]


async def test_a_clock_that_was_set_back_holds_nothing_up(box: Box, clock: StageClock) -> None:
    await box.add(1)
    await box.fail((await box.due())[0])
    clock.set_ahead(hours=-5)
    assert await box.shown() == [(1, MailKind.AVAILABLE)]
