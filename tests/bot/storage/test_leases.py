"""One holder at a time; only what expired is taken over; whoever lost a lease stores nothing any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Row, select
from sqlalchemy.exc import OperationalError

from bot.storage.database import Database, open_database
from bot.storage.leases import NAMED, Lease, Leases, Term, ensure_row, is_held, store
from bot.storage.tables import leases
from tests.bot.patience import until
from tests.bot.storage.conftest import PassTime
from tests.postgresql import Server
from tests.scenarios.stage import StageClock

LIFE = timedelta(seconds=20)
ROW = leases.c.name == "work"


@pytest.fixture
async def ours(database: Database, clock: StageClock) -> Leases:
    async with database.write() as connection:
        await ensure_row(connection, leases, ROW, name="work")
    return Leases(database, clock, life=LIFE)


@pytest.fixture
def theirs(other: Database, clock: StageClock) -> Leases:
    return Leases(other, clock, life=LIFE)


async def taken(database: Database, holder: Leases) -> Lease | None:
    async with database.write() as connection:
        return await holder.take(connection, NAMED, "work")


async def row(database: Database) -> Row[tuple[object, ...]]:
    async with database.read() as connection:
        return (await connection.execute(select(leases).where(ROW))).one()


async def can_store(database: Database, lease: Lease) -> bool:
    async with database.write() as connection:
        return await store(connection, lease, name="work")


async def renewed(database: Database, pass_time: PassTime, by: timedelta) -> None:
    """Let time pass in small steps, and the renewals that are due reach the database."""
    for _ in range(int(by / timedelta(seconds=5))):
        before = (await row(database)).expires_at
        await pass_time(timedelta(seconds=5))
        async with asyncio.timeout(5):
            while (await row(database)).expires_at <= before:  # noqa: ASYNC110 - the database has no event
                await asyncio.sleep(0.001)


async def test_a_held_row_is_not_taken_again_by_nobody(database: Database, ours: Leases, theirs: Leases) -> None:
    assert await taken(database, ours) is not None
    assert await taken(database, theirs) is None
    assert await taken(database, ours) is None


async def test_a_row_is_taken_from_the_moment_it_is_inserted(
    database: Database, other: Database, ours: Leases, theirs: Leases, pass_time: PassTime
) -> None:
    async def added(to: Database, leases_of: Leases) -> Lease | None:
        async with to.write() as connection:
            return await leases_of.add(connection, NAMED, "new", {"name": "new"})

    lease = await added(database, ours)
    assert lease is not None
    assert await added(other, theirs) is None
    async with other.write() as connection:
        assert await theirs.take(connection, NAMED, "new") is None
        assert await is_held(connection, lease)
    await pass_time(LIFE)
    async with other.write() as connection:
        later = await theirs.take(connection, NAMED, "new")
        assert later is not None
        assert later.fence > lease.fence
        assert not await is_held(connection, lease)


async def test_an_expired_lease_is_taken_over_with_a_higher_fence(
    database: Database, ours: Leases, theirs: Leases, pass_time: PassTime, either: str
) -> None:
    # A server's time goes on by itself.
    nearly = LIFE - (timedelta(milliseconds=1) if either == "sqlite" else timedelta(seconds=5))
    first = await taken(database, ours)
    await pass_time(nearly)
    assert await taken(database, theirs) is None
    await pass_time(LIFE - nearly)
    second = await taken(database, theirs)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1


async def test_an_outdated_holder_stores_nothing_and_releases_nothing(
    database: Database, ours: Leases, theirs: Leases, pass_time: PassTime
) -> None:
    first = await taken(database, ours)
    await pass_time(LIFE)
    second = await taken(database, theirs)
    assert first is not None
    assert second is not None
    assert not await can_store(database, first)
    async with database.write() as connection:
        await ours.release(connection, first)
    assert await can_store(database, second)
    assert await taken(database, ours) is None


async def test_the_fence_tells_two_takings_of_the_same_process_apart(
    database: Database, ours: Leases, pass_time: PassTime
) -> None:
    first = await taken(database, ours)
    await pass_time(LIFE)
    second = await taken(database, ours)
    assert first is not None
    assert second is not None
    assert not await can_store(database, first)
    assert await can_store(database, second)


async def test_a_released_row_is_free_at_once(database: Database, ours: Leases, theirs: Leases) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    async with database.write() as connection:
        await ours.release(connection, lease)
    assert not await can_store(database, lease)
    assert await taken(database, theirs) is not None


async def test_a_lease_is_renewed_while_the_work_goes_on_and_no_longer(
    database: Database, ours: Leases, theirs: Leases, pass_time: PassTime
) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    async with ours.kept(lease):
        await asyncio.sleep(0)
        await renewed(database, pass_time, 3 * LIFE)
        assert await taken(database, theirs) is None
    await pass_time(LIFE)
    assert await taken(database, theirs) is not None


async def test_a_renewal_does_not_take_back_what_was_lost(
    database: Database, ours: Leases, theirs: Leases, clock: StageClock, pass_time: PassTime
) -> None:
    first = await taken(database, ours)
    await pass_time(LIFE)
    second = await taken(database, theirs)
    assert first is not None
    assert second is not None
    expires_at = (await row(database)).expires_at
    async with ours.kept(first):
        await asyncio.sleep(0)
        clock.move(LIFE / 4)
        await asyncio.sleep(0.05)  # there is nothing to wait for: the renewal must change nothing
    assert (await row(database)).expires_at == expires_at
    assert await can_store(database, second)


async def test_a_renewal_that_fails_is_made_up_for_by_the_next(
    database: Database, ours: Leases, clock: StageClock, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    failures = 0
    write = Database.write

    def failing(_database: Database) -> object:
        nonlocal failures
        failures += 1
        raise OperationalError("UPDATE", None, Exception("database is locked"))

    async with ours.kept(lease):
        await asyncio.sleep(0)
        monkeypatch.setattr(Database, "write", failing)
        clock.move(LIFE / 4)
        await until(lambda: failures)
        monkeypatch.setattr(Database, "write", write)
        await renewed(database, pass_time, LIFE)


async def test_a_cancellation_is_not_lost_while_the_last_renewal_ends(
    ours: Leases, database: Database, clock: StageClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    renewing, ending, went_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow(_database: Database) -> AsyncIterator[None]:
        renewing.set()
        try:
            await asyncio.Event().wait()
            yield
        finally:
            ending.set()
            await asyncio.sleep(0.05)

    async def work() -> None:
        async with ours.kept(lease):
            await renewing.wait()
        went_on.set()

    monkeypatch.setattr(Database, "write", slow)
    working = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    clock.move(LIFE / 4)
    await ending.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert not went_on.is_set()


async def test_of_two_connections_that_race_one_takes_the_row(
    database: Database, other: Database, ours: Leases, theirs: Leases, pass_time: PassTime
) -> None:
    for _ in range(20):
        both = await asyncio.gather(taken(database, ours), taken(other, theirs))
        assert [lease is None for lease in both].count(True) == 1
        await pass_time(LIFE)


async def test_a_named_lease_lets_one_process_work_and_is_free_afterwards(ours: Leases, theirs: Leases) -> None:
    async with ours.named("sweep") as our_lease, theirs.named("sweep") as their_lease:
        assert our_lease is not None
        assert their_lease is None
    async with theirs.named("sweep") as their_lease:
        assert their_lease is not None


async def test_a_named_lease_is_free_after_its_work_failed(ours: Leases, theirs: Leases) -> None:
    with pytest.raises(RuntimeError):
        async with ours.named("sweep"):
            raise RuntimeError
    async with theirs.named("sweep") as their_lease:
        assert their_lease is not None


async def test_a_row_is_inserted_once_however_many_ask_for_it(database: Database, other: Database) -> None:
    async def ensure(where: Database) -> bool:
        async with where.write() as connection:
            return await ensure_row(connection, leases, leases.c.name == "new", name="new")

    inserted = await asyncio.gather(*(ensure(where) for where in (database, other) * 5))
    assert inserted.count(True) == 1


async def test_a_clock_that_is_wrong_takes_over_nothing_from_a_server(
    postgresql: Server, empty: str, clock: StageClock
) -> None:
    """Nor is it taken from one whose own clock is behind."""
    fast, slow = (StageClock(clock.now() + timedelta(days=days)) for days in (1, -1))
    async with open_database(postgresql.url(empty)) as database:
        async with database.write() as connection:
            await ensure_row(connection, leases, ROW, name="work")
        held = await taken(database, Leases(database, slow, life=LIFE))
        assert held is not None
        assert await taken(database, Leases(database, fast, life=LIFE)) is None
        assert await taken(database, Leases(database, clock, life=LIFE)) is None


async def test_nothing_is_sent_under_a_lease_that_may_be_taken_over_soon(
    database: Database, ours: Leases, clock: StageClock
) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    async with ours.kept(lease):
        assert ours.may_send()
        clock._sleepers.clear()  # the renewal does not come about
        clock.move(LIFE * 3 / 4 - timedelta(milliseconds=1))
        assert ours.may_send()
        clock.move(timedelta(milliseconds=1))
        assert not ours.may_send()
    assert ours.may_send()


def has_new_term(lease: Lease, before: Term) -> bool:
    return lease.term != before


async def test_a_renewal_prolongs_what_may_be_sent(database: Database, ours: Leases, pass_time: PassTime) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    async with ours.kept(lease):
        await asyncio.sleep(0)
        for _ in range(12):
            before = lease.term
            await renewed(database, pass_time, LIFE / 4)
            await until(partial(has_new_term, lease, before))
            assert ours.may_send()


async def test_a_clock_that_is_set_back_prolongs_nothing(database: Database, ours: Leases, clock: StageClock) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    seconds = clock.monotonic()
    clock.monotonic = lambda: seconds + LIFE.total_seconds()  # type: ignore[method-assign]
    clock._now -= timedelta(hours=1)
    assert not ours.is_alive(lease)


async def test_what_a_dead_process_held_is_free_soon_although_the_clock_was_set_back(
    database: Database, ours: Leases, theirs: Leases, pass_time: PassTime
) -> None:
    assert await taken(database, ours) is not None
    await pass_time(timedelta(hours=-3))
    assert await taken(database, theirs) is not None


@pytest.mark.parametrize("seconds", [-1000, -41, -20.1, -20, -19.9, -5, 0, 5, 14.9, 15.1, 1000])
async def test_whatever_is_done_to_the_clock_nobody_takes_over_what_may_still_be_sent(
    database: Database, ours: Leases, theirs: Leases, clock: StageClock, seconds: float, either: str
) -> None:
    """Of processes that share a file: a server's clock is its own affair."""
    held = await taken(database, ours)
    assert held is not None
    clock.set_ahead(seconds=seconds)
    may_send = ours.is_alive(held)
    is_taken_over = await taken(database, theirs) is not None
    assert either == "postgresql" or not (may_send and is_taken_over)
    assert may_send == (-20 <= seconds < 15)


async def test_work_under_two_leases_sends_only_while_both_are_alive(ours: Leases, clock: StageClock) -> None:
    async with ours.named("outer") as outer:
        clock._sleepers.clear()
        clock.move(LIFE / 2)
        async with ours.named("inner") as inner:
            assert outer is not None
            assert inner is not None
            assert ours.may_send()
            started = asyncio.create_task(asyncio.sleep(0, ours.may_send))
            clock.move(LIFE / 4)
            assert ours.is_alive(inner)
            assert not ours.may_send()
            assert not (await started)()


async def test_a_lease_that_was_taken_over_is_known_to_be_lost_at_the_next_renewal(
    database: Database, ours: Leases, theirs: Leases, clock: StageClock, pass_time: PassTime
) -> None:
    lease = await taken(database, ours)
    assert lease is not None
    async with ours.kept(lease):
        await asyncio.sleep(0)
        await renewed(database, pass_time, LIFE / 4)
        assert not lease.lost.is_set()
        clock._sleepers.clear()
        await pass_time(LIFE)
        assert await taken(database, theirs) is not None
    async with ours.kept(lease):
        await asyncio.sleep(0)
        clock.move(LIFE / 4)
        async with asyncio.timeout(5):
            await lease.lost.wait()
        assert not ours.may_send()
