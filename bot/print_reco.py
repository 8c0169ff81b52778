"""`tintri-bot reco`: the same content as in Slack, as tables, as text or as JSON; with --accept, accepted there.

Without --accept it only reads. Where the bot has a database, a login that the TGC refused is remembered there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from bot.clock import Clock, SystemClock
from bot.pool_names import TgcPool
from bot.pools import find_pools, matching_pools
from bot.readings import PoolReading, Readings, view_of_reading
from bot.rendering.answers import by_urgency
from bot.rendering.report_json import report_as_json
from bot.rendering.views import CardView, PoolAnswer, Report
from bot.reports import Reports, ViewOf
from bot.screen import Screen
from bot.settings import DEFAULT_DATABASE, DEFAULT_DATABASE_FILE, Secret, Settings
from bot.tgc_link import PATIENCE_S, open_tgcs
from bot.tgcs import Listed, Tgcs
from bot.vm_names import VmNames
from tgc.models import Pool

if TYPE_CHECKING:  # imported where it is needed: SQLAlchemy takes longer than all the rest
    from bot.accept_reco import Acceptor
    from bot.storage.database import Database


class NotMailedError(Exception):
    """The report was printed, and some or all of those it was to go to did not get it; `str()` says why."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    beginning: str = ""
    """A pool's name, or how it begins."""
    patterns: tuple[str, ...] = ()
    """Whole names of pools, or globs."""
    as_json: bool = False
    accept: bool = False
    is_agreed: bool = False
    """Whether nobody is to be asked before each accept."""
    follow: bool = False
    mail_to: tuple[str, ...] = ()

    @property
    def one_name(self) -> str:
        """The only name that was given: where it begins with a TGC's, no other needs to be read. Else empty."""
        given = (*((self.beginning,) if self.beginning else ()), *self.patterns)
        return given[0] if len(given) == 1 else ""

    def choose(self, listed: Listed) -> list[TgcPool]:
        """Raises UnknownPoolError and AmbiguousPoolError.

        What accepts takes no mere beginning of a name: other pools may begin so, too.
        """
        pools, patterns = listed.pools, self.patterns
        unread = listed.unread if self.accept else ()
        if self.beginning and self.accept:
            patterns = (self.beginning, *patterns)
        elif self.beginning:
            begun = find_pools(pools, self.beginning)
            more = matching_pools(pools, patterns) if patterns else []
            return [pool for pool in pools if pool in begun or pool in more]
        return matching_pools(pools, patterns, unread=unread)


async def print_reco(settings: Settings, wanted: Wanted, screen: Screen, clock: Clock | None = None) -> bool:
    """Print and do what is wanted; False where something could not be read, accepted or moved.

    Raises TGCError, UnknownPoolError, AmbiguousPoolError, DatabaseError, NotMailedError, and typer.Abort where a
    question is not answered.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        opening = _database_to_write if wanted.accept else _database_if_any
        database = await stack.enter_async_context(opening(settings.database_url))
        connected = await stack.enter_async_context(open_tgcs(settings, clock, database))
        tgcs = Tgcs((Readings(tgc, clock) for tgc in connected), patience_s=None)
        stack.push_async_callback(tgcs.close)
        acceptor = await _acceptor(settings, clock, database, tgcs, wanted) if database and wanted.accept else None
        view_of = acceptor.reconciler.view_of if acceptor else _bare_views(tgcs, clock)
        report = await Reports(tgcs, view_of, clock).report_of(wanted.choose, wanted.one_name)
        if wanted.as_json:
            screen.write(report_as_json(report))
        else:
            screen.report(report)
        if wanted.mail_to:
            await _mail(report, settings, wanted.mail_to, clock)
        all_well = all(answer.problem is None for answer in report.pools) and not report.unread
        accepted: dict[TgcPool, str] = {}
        if acceptor is not None:
            screen.say("")
            all_well = await _accept(acceptor, report, screen, accepted, is_agreed=wanted.is_agreed) and all_well
        if wanted.follow:
            from bot.follow_reco import Follower

            screen.say("")
            follower = Follower(tgcs, view_of, screen, clock, every_s=settings.follow_seconds)
            pools = [_pool(answer) for answer in by_urgency(report.pools)]
            all_well = await follower.follow(pools, accepted) and all_well
    return all_well


async def _mail(report: Report, settings: Settings, to: tuple[str, ...], clock: Clock) -> None:
    from bot.mail_reco import mail_report
    from bot.smtp import SmtpError

    try:
        await mail_report(report, settings, to, clock.now())
    except SmtpError as error:
        raise NotMailedError(str(error)) from error


async def _acceptor(settings: Settings, clock: Clock, database: "Database", tgcs: Tgcs, wanted: Wanted) -> "Acceptor":
    from bot.accept_reco import Acceptor
    from bot.system_user import system_user

    acceptor = Acceptor(settings, clock, database, tgcs, system_user(), patience_s=PATIENCE_S)
    await acceptor.begin(tgcs.meant(wanted.one_name))
    return acceptor


async def _accept(
    acceptor: "Acceptor", report: Report, screen: Screen, accepted: dict[TgcPool, str], *, is_agreed: bool
) -> bool:
    """Accept a pool after the other, each by its own state; adds to `accepted`, by pool, what moves now."""
    none_failed = True
    for answer in by_urgency(report.pools):
        came = await acceptor.accept(answer, None if is_agreed else screen.ask)
        screen.say(came.line)
        none_failed = none_failed and not came.has_failed
        if came.recommendation_id is not None:
            accepted[_pool(answer)] = came.recommendation_id
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
    return none_failed


def _pool(answer: PoolAnswer) -> TgcPool:
    return TgcPool(answer.tgc_key, Pool(uuid=answer.pool_uuid, name=answer.pool_name))


def _bare_views(tgcs: Tgcs, clock: Clock) -> ViewOf:
    """What the TGCs alone say."""
    vm_names = {one.tgc.key: VmNames(one.tgc.client, clock, patience_s=PATIENCE_S) for one in tgcs}

    async def view_of(reading: PoolReading) -> CardView:
        recommendation, key = reading.recommendation, reading.tgc_key
        names = await vm_names[key].look_up(recommendation, {}) if recommendation else {}
        return view_of_reading(tgcs.tgc(key), reading, clock.now(), names)

    return view_of


@asynccontextmanager
async def _database_if_any(url: Secret) -> "AsyncIterator[Database | None]":
    if url == DEFAULT_DATABASE and not DEFAULT_DATABASE_FILE.exists():
        yield None
        return
    from bot.storage.database import open_existing_database

    async with open_existing_database(url.reveal()) as database:
        yield database


@asynccontextmanager
async def _database_to_write(url: Secret) -> "AsyncIterator[Database | None]":
    from bot.storage.database import open_writable_database

    async with open_writable_database(url.reveal()) as database:
        yield database
