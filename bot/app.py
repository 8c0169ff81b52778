"""The composition root: every part is made here and meets the others, and here they stop in order."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import aiohttp
import msgspec
import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from bot.access import Access
from bot.adoption import Adoption
from bot.approver_check import ApproverCheck
from bot.audit import Audit
from bot.auto_accepts import AutoAccepts
from bot.bell import Bell, Bells
from bot.card_thread import CardThread
from bot.card_views import CardViews
from bot.clock import Clock, SystemClock
from bot.decisions import Decider
from bot.doctor.click import Clicks
from bot.doctor.doctor import Doctor
from bot.due_plans import DuePlans
from bot.health import Health
from bot.history import History
from bot.homes import Homes
from bot.leader import Leader
from bot.lookout import EVERY_S as LOOK_EVERY_S
from bot.lookout import UNCALLED_S, Lookout
from bot.loops import CameRound, Loops
from bot.mail_queue import MailQueue
from bot.mailer import Mailer
from bot.manifest import SCOPES
from bot.metrics import CANNOT_POST, SLACK_CONNECTIONS, SLACK_UP
from bot.outbox import Outbox
from bot.pacing import Pace
from bot.painter import Painter
from bot.pausing import Pausing
from bot.planning import Planning
from bot.policy_answers import PolicyAnswers
from bot.readings import Readings
from bot.reasons import Reasons
from bot.reconcile import Reconciler
from bot.reload import Reload, become
from bot.reminders import Reminders
from bot.replacements import Replacements
from bot.reports import Reports
from bot.requests import Requests
from bot.respond import RespondInSession
from bot.retention import Retention
from bot.rule_asking import RuleAsking
from bot.settings import Settings, machine_zone
from bot.shaper import Shaper
from bot.shaping import Shaping
from bot.silence import Silence
from bot.slack import Identity, Slack, SlackError, SlackRefusedError, slack_session
from bot.smtp import Smtp
from bot.smtp_url import parse_smtp_url
from bot.socket_mode import CONNECTIONS, SocketMode
from bot.status import Status
from bot.storage import cards
from bot.storage.backlog import Queue
from bot.storage.database import Database, open_database
from bot.storage.leases import Leases
from bot.tasks import Tasks
from bot.telling import Telling
from bot.tgc_link import PATIENCE_S, TGC_TIMEOUT_S, open_tgcs
from bot.tgcs import NO_TGC, Tgcs
from bot.troubles import Troubles
from bot.two_people import TwoPeople
from bot.vm_rules import VmRules
from bot.watch import READING_AT_MOST, Watch
from bot.web import SlackEvents, slack_events_of, web_app, web_runner
from bot.who import Who

_log = structlog.get_logger(__name__)

LEASE_LIFE = timedelta(seconds=20)
DRAIN_S = 3.0
"""For what is under way at the end; with the goodbyes to Slack and the TGC that stays below the 10 s of platforms."""
SLACK_PATIENCE = timedelta(minutes=5)
"""For one message: a call of Slack is given up after 20 s, but Slack may ask to wait a minute before the next."""
MAIL_PATIENCE = timedelta(minutes=5)
"""For one mail, which is given up after a minute."""
DATABASE_PATIENCE = timedelta(minutes=1)
POLICIES_PATIENCE = timedelta(minutes=6)
"""Where there are none they are looked for every five."""
DECIDING_AT_MOST = timedelta(minutes=20)
"""For a press: a dozen calls of Slack and the TGC, of which the slowest are given up after 75 s."""
CHECKING_AT_MOST = timedelta(minutes=20)
"""For the approvers of all rules, likewise."""
RETENTION_AT_MOST = timedelta(minutes=10)
_LAST_REQUESTS_S = 0.5
_DAY_S = 86_400.0
_DATABASE_EVERY_S = 20.0
"""For the metrics, where nobody asks for /readyz."""
_AGAIN_AFTER_S = 2.0
_TOKEN_EVERY_S = 300.0
"""A bot that has nothing to do calls Slack for hours not at all, and its token may be revoked meanwhile."""
_APPROVERS_EVERY_S = 600.0
_LAPSES_EVERY_S = 60.0
_REMINDERS_EVERY_S = 60.0


class StartError(Exception):
    """The bot cannot start; `str()` is one sentence with the fix."""


async def run(
    settings: Settings,
    reread: Callable[[], Settings],
    *,
    clock: Clock | None = None,
    lease_life: timedelta = LEASE_LIFE,
) -> None:
    """Run until SIGTERM or SIGINT. `reread`: for SIGHUP. Raises StartError and DatabaseError."""
    reload = Reload(settings, reread)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.ask)
    serving = asyncio.create_task(_serve(settings, reload, clock, lease_life))

    def stop() -> None:
        if not serving.cancelling():  # a second signal must not cut short what the first began
            serving.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await serving
    except asyncio.CancelledError:
        _log.info("stopped")


async def _serve(settings: Settings, reload: Reload, clock: Clock | None, lease_life: timedelta) -> None:
    async with bot(settings, reload=reload, clock=clock, lease_life=lease_life):
        await asyncio.Event().wait()


@asynccontextmanager
async def bot(
    settings: Settings,
    *,
    reload: Reload | None = None,
    clock: Clock | None = None,
    lease_life: timedelta = LEASE_LIFE,
    tgc_timeout_s: float = TGC_TIMEOUT_S,
    patience_s: float = PATIENCE_S,
) -> AsyncIterator[None]:
    """Everything, running. Leaving the block stops it in order: what comes in first, the database last."""
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        entrance = Entrance(settings, Health([tgc.key for tgc in settings.tgcs], clock))
        await stack.enter_async_context(entrance.open())
        database = await stack.enter_async_context(open_database(settings.database_url.reveal()))
        entrance.health.database = database
        leases = Leases(database, clock, life=lease_life)
        session = await stack.enter_async_context(slack_session(leases.may_send))
        slack = Slack(_token(settings), base_url=settings.slack_api_url, session=session)
        identity = await _identify(slack, clock)
        connected = await stack.enter_async_context(open_tgcs(settings, clock, database, timeout_s=tgc_timeout_s))
        tgcs = Tgcs((Readings(tgc, clock) for tgc in connected), patience_s=patience_s)
        tasks = Tasks()
        parts = Parts(settings, clock, database, leases, slack, identity, tgcs, tasks, patience_s)
        app = _bolt_app(settings, identity, session)
        handlers.register(app, parts.services)
        stack.push_async_callback(tgcs.close)
        stack.push_async_callback(parts.doctor.close)
        stack.push_async_callback(tasks.drain, DRAIN_S)
        loops = await stack.enter_async_context(Loops(clock))
        entrance.health.stuck_loops = lambda: loops.stuck
        await stack.enter_async_context(entrance.serve(app, slack, loops, clock))
        parts.start(loops, entrance.health)
        if reload is not None:
            loops.start("settings", partial(reload.keep_taking, take_over=parts.take_over), patience=None)
        if (kept := settings.config.audit_retention) is not None:
            loops.every("retention", _DAY_S, Retention(database, clock, kept).run, patience=RETENTION_AT_MOST)
        names = ", ".join(tgc.name for tgc in connected)
        _log.info("running", channels=", ".join(settings.routes.channels), tgc=names)
        yield


class Entrance:
    """Where requests come in: the HTTP server from the first moment, Slack once there is an app to answer."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self.health = health
        self._settings = settings
        self._slack_events: SlackEvents | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web_app(self.health.readiness, self._take)
        runner = web_runner(app, shutdown_timeout_s=_LAST_REQUESTS_S)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self._settings.host, self._settings.port).start()
            except OSError as error:
                where = f"{self._settings.host}:{self._settings.port}"
                raise StartError(
                    f"The bot cannot listen on {where} ({error.strerror}): change HOST or PORT."
                ) from error
            yield
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def serve(self, app: AsyncApp, slack: Slack, loops: Loops, clock: Clock) -> AsyncIterator[None]:
        """Take what Slack sends; at the end take no more, before anything behind it stops."""
        if self._settings.slack_app_token is not None:
            socket = SocketMode(app, slack, self._settings.slack_app_token.reveal(), clock)
            self.health.slack_is_up = lambda: socket.live_connections > 0 and slack.takes_token
            SLACK_CONNECTIONS.set_function(lambda: socket.live_connections)
            for number in range(1, CONNECTIONS + 1):
                loops.start(f"Socket Mode {number}", socket.keep_one, patience=SLACK_PATIENCE)
        elif self._settings.slack_signing_secret is not None:
            self._slack_events = slack_events_of(app, self._settings.slack_signing_secret.reveal())
            self.health.slack_is_up = lambda: slack.takes_token

        async def check_token(came_round: CameRound) -> None:
            came_round()
            await clock.sleep(_TOKEN_EVERY_S)
            with suppress(SlackError):  # it is noted where the calls are made
                await slack.identify()

        loops.start("Slack's token", check_token, patience=timedelta(seconds=_TOKEN_EVERY_S) + SLACK_PATIENCE)
        SLACK_UP.set_function(self.health.slack_is_up)
        try:
            yield
        finally:
            self.health.is_stopping = True
            self._slack_events = None

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if self._slack_events is None:
            return web.Response(status=503, text="Not now: the bot starts, stops, or uses Socket Mode.\n")
        return await self._slack_events(request)


class Parts:
    """The bot's own parts, made in the order in which they know each other."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        leases: Leases,
        slack: Slack,
        identity: Identity,
        tgcs: Tgcs,
        tasks: Tasks,
        patience_s: float,
    ) -> None:
        self._routes = routes = settings.routes
        self._policies = policies = settings.policies
        zone = settings.reco_timezone
        self._database, self._clock = database, clock
        self._follow_s = settings.follow_seconds
        self._leader = Leader(leases, clock)
        self._pace = pace = Pace(clock)
        self._rules = settings.pool_rules
        access = Access(slack, identity, self._rules, clock)
        self._tgcs = tgcs
        lapse = settings.config.approval_lapse
        views = CardViews(tgcs, access, clock, zone, approval_lapse=lapse)
        self._troubles = Troubles(database, access, routes, clock)
        self._outbox = Outbox(
            database=database,
            leases=leases,
            slack=slack,
            pace=pace,
            troubles=self._troubles,
            clock=clock,
        )
        thread = CardThread(clock, routes)
        mail_queue = MailQueue(clock, zone, is_on=settings.smtp_url is not None)
        self._mailer = _mailer(settings, database, leases, clock)
        self._painter = Painter(
            database=database,
            leases=leases,
            outbox=self._outbox,
            thread=thread,
            mail_queue=mail_queue,
            slack=slack,
            pace=pace,
            views=views,
            routes=routes,
            clock=clock,
        )
        self._due_plans = DuePlans(database=database, thread=thread, clock=clock, zone=zone)
        self._reconciler = Reconciler(
            database=database,
            painter=self._painter,
            thread=thread,
            mail_queue=mail_queue,
            views=views,
            tgcs=tgcs,
            patience_s=patience_s,
            routes=routes,
            clock=clock,
            due_plans=self._due_plans,
            stall_after=settings.config.stall_after,
        )
        self._two_people = TwoPeople(
            database=database,
            access=access,
            thread=thread,
            clock=clock,
            lapse=lapse,
            policies=policies,
        )
        self._approver_check = ApproverCheck(database=database, leases=leases, access=access, tgcs=tgcs)
        rule_asking = RuleAsking(database=database, tgcs=tgcs, clock=clock)
        self._decider = Decider(
            database=database,
            leases=leases,
            access=access,
            views=views,
            tgcs=tgcs,
            reconciler=self._reconciler,
            tell=Telling(slack).tell,
            clock=clock,
            zone=zone,
            two_people=self._two_people,
            due_plans=self._due_plans,
            shaper=Shaper(tgcs=tgcs, leases=leases, clock=clock, rules=rule_asking),
            policies=policies,
        )
        self._auto_accepts = AutoAccepts(
            database=database,
            access=access,
            views=views,
            thread=thread,
            tgcs=tgcs,
            clock=clock,
            policies=policies,
        )
        self._replacements = Replacements(
            database=database,
            reconciler=self._reconciler,
            thread=thread,
            clock=clock,
        )
        self._reminders = Reminders(
            database=database,
            access=access,
            views=views,
            reconciler=self._reconciler,
            thread=thread,
            clock=clock,
            zone=zone,
            routes=routes,
            before=settings.config.reminder_before,
        )
        self._homes = Homes(
            database=database,
            access=access,
            views=views,
            tgcs=tgcs,
            slack=slack,
            pace=pace,
            clock=clock,
        )
        self._adoption = Adoption(database, slack, tgcs.keys, clock, routes)
        self._of_tgcs = [
            OfTgc(
                watch=Watch(
                    database=database,
                    readings=tgcs.of(tgc.key),
                    reconciler=self._reconciler,
                    outbox=self._outbox,
                    clock=clock,
                    routes=routes,
                    tgc=tgc,
                    refresh_s=settings.reco_refresh_seconds,
                    follow_s=settings.follow_seconds,
                    patience_s=patience_s,
                ),
                silence=Silence(
                    database=database,
                    readings=tgcs.of(tgc.key),
                    reconciler=self._reconciler,
                    outbox=self._outbox,
                    clock=clock,
                    tgc=tgc,
                    routes=routes,
                ),
                readings=tgcs.of(tgc.key),
            )
            for tgc in settings.tgcs
        ]
        requests = Requests(database=database, access=access, clock=clock, tgc_key=tgcs.key_of_all)
        self.doctor = Doctor(
            settings=settings,
            access=access,
            slack=slack,
            tgcs=tgcs,
            clock=clock,
            here=machine_zone(os.environ),
        )
        self.services = handlers.Services(
            access=access,
            audit=Audit(database, access, clock, tgcs.key_of_all),
            decider=self._decider,
            doctor=self.doctor,
            doctor_clicks=Clicks(database, access, clock, tgcs.key_of_all),
            history=History(database=database, tgcs=tgcs, views=views, clock=clock, patience_s=patience_s),
            homes=self._homes,
            pausing=Pausing(
                database=database,
                access=access,
                tgcs=tgcs,
                outbox=self._outbox,
                clock=clock,
                routes=routes,
            ),
            planning=Planning(
                database=database,
                access=access,
                views=views,
                thread=thread,
                clock=clock,
                zone=zone,
                requests=requests,
            ),
            policy_answers=PolicyAnswers(
                database=database,
                access=access,
                views=views,
                tgcs=tgcs,
                reconciler=self._reconciler,
                clock=clock,
                policies=policies,
            ),
            reasons=Reasons(database=database, views=views, thread=thread, clock=clock, requests=requests),
            reconciler=self._reconciler,
            reminders=self._reminders,
            reports=Reports(tgcs, self._reconciler.view_of, clock, patience_s=patience_s),
            shaping=Shaping(database=database, views=views, requests=requests),
            slack=slack,
            status=Status(
                database=database,
                views=views,
                tgcs=tgcs,
                clock=clock,
                watches=[one.watch for one in self._of_tgcs],
            ),
            tasks=tasks,
            vm_rules=VmRules(
                database=database,
                access=access,
                views=views,
                asking=rule_asking,
                clock=clock,
                tgcs=tgcs,
            ),
            who=Who(database=database, access=access, tgcs=tgcs, views=views),
            clock=clock,
        )

    async def take_over(self, settings: Settings) -> None:
        """Go on by these, as far as that is possible while the bot runs, and have every card follow."""
        become(self._rules, settings.pool_rules)
        become(self._routes, settings.routes)
        become(self._policies, settings.policies)
        self.doctor.settings = settings
        async with self._database.write() as connection:
            await cards.mark_all_dirty(connection)
        self._auto_accepts.bell.ring()
        await self._approver_check.run()

    def start(self, loops: Loops, health: Health) -> None:
        mails = self._mailer.bell if self._mailer else Bell(self._clock)
        due_plans = Bell(self._clock)
        presses = {key: Bell(self._clock) for key in ((*self._tgcs.keys, NO_TGC) if self._tgcs.are_many else (None,))}

        def start_leading(loops: Loops) -> None:
            self._pace.begin_anew()
            begin = Beginning(self._begin)
            for one in self._of_tgcs:
                self._start_reading(loops, one, begin, health)
            loops.start("outbox", self._outbox.run, patience=SLACK_PATIENCE)
            loops.start("new cards", self._painter.post_new, patience=SLACK_PATIENCE)
            loops.start("policies", self._auto_accepts.keep_looking, patience=POLICIES_PATIENCE)
            loops.every("due plans", UNCALLED_S, self._due_plans.press_due, patience=DATABASE_PATIENCE, bell=due_plans)
            loops.start("changed cards", self._painter.edit_changed, patience=SLACK_PATIENCE)
            loops.start("homes", self._homes.keep_published, patience=SLACK_PATIENCE)
            if self._mailer is not None:
                loops.start("mail", self._mailer.run, patience=MAIL_PATIENCE)

        lookout = Lookout(
            self._database,
            {
                Queue.PRESSES: Bells(presses.values()),
                Queue.MESSAGES: self._outbox.bell,
                Queue.NEW_CARDS: self._painter.posting,
                Queue.CHANGED_CARDS: self._painter.editing,
                Queue.PLANS: due_plans,
                Queue.HOMES: self._homes.bell,
                Queue.MAILS: mails,
            },
        )

        async def lead(_came_round: CameRound) -> None:
            await self._leader.lead(loops, start_leading)
            health.swept = health.swept or self._leader.is_led

        loops.start("leading", lead, patience=None)
        loops.every("lookout", LOOK_EVERY_S, lookout.look, patience=DATABASE_PATIENCE)
        loops.every("database", _DATABASE_EVERY_S, health.look, patience=DATABASE_PATIENCE)
        for key, bell in presses.items():
            name = f"presses left behind{f' of {key}' if key else ''}"
            resume = partial(self._decider.resume, key)
            loops.every(name, UNCALLED_S, resume, patience=DECIDING_AT_MOST, bell=bell)
        loops.every("approvers", _APPROVERS_EVERY_S, self._approver_check.run, patience=CHECKING_AT_MOST)
        loops.every("lapsed approvals", _LAPSES_EVERY_S, self._two_people.end_lapsed, patience=DATABASE_PATIENCE)
        health.approvers = lambda: self._approver_check.state
        health.channel = lambda: self._troubles.state
        CANNOT_POST.set_function(lambda: self._troubles.is_refused)
        health.sends_mail = self._mailer is not None

    async def _begin(self, came_round: CameRound) -> None:
        """Before the first sweep of any TGC."""
        await self._adoption.run(came_round)
        self._outbox.open()
        async with self._database.write() as connection:
            await cards.mark_dirty_but_of(connection, self._tgcs.keys)  # they say that nothing can be done any more

    def _start_reading(self, loops: Loops, one: "OfTgc", begin: "Beginning", health: Health) -> None:
        """Whatever waits for one TGC, so that it keeps no other waiting."""

        async def sweep(came_round: CameRound) -> None:
            one.watch.came_round = came_round
            await begin.wait(came_round)
            await one.watch.sweep()
            health.swept = True
            await one.watch.keep_sweeping()

        of = f" of {one.readings.tgc.key}" if self._tgcs.are_many else ""
        loops.start(f"sweeps{of}", sweep, patience=one.watch.patience)
        loops.start(f"following{of}", one.watch.keep_following, patience=one.watch.patience)
        loops.start(f"missed analyses{of}", one.silence.keep_looking, patience=one.silence.patience)
        replace = partial(self._replacements.run, one.readings)
        loops.every(f"replacements{of}", self._follow_s, replace, patience=READING_AT_MOST)
        remind = partial(self._reminders.run, one.readings.tgc)
        loops.every(f"reminders{of}", _REMINDERS_EVERY_S, remind, patience=READING_AT_MOST)


class OfTgc(msgspec.Struct, frozen=True, kw_only=True):
    """What is done for each TGC by itself."""

    readings: Readings
    watch: Watch
    silence: Silence


class Beginning:
    """Work that comes before that of several loops: done by one of them, while the others wait and come round."""

    def __init__(self, work: Callable[[CameRound], Awaitable[None]]) -> None:
        self._work = work
        self._lock = asyncio.Lock()
        self._is_done = False
        self._waiting: set[CameRound] = set()

    async def wait(self, came_round: CameRound) -> None:
        self._waiting.add(came_round)
        async with self._lock:
            if not self._is_done:
                await self._work(self._come_round)
                self._is_done = True

    def _come_round(self) -> None:
        for came_round in self._waiting:
            came_round()


def _mailer(settings: Settings, database: Database, leases: Leases, clock: Clock) -> Mailer | None:
    """None where no mail server is given."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    smtp = Smtp(parse_smtp_url(settings.smtp_url.reveal()), leases.may_send)
    return Mailer(
        database=database, leases=leases, smtp=smtp, clock=clock, sender=settings.mail_from, to=settings.mail_to
    )


async def _identify(slack: Slack, clock: Clock) -> Identity:
    """Ask Slack who we are, once and before any request: Bolt would do it within the first one's 3 s."""
    while True:
        try:
            identity = await slack.identify()
        except SlackRefusedError as error:
            raise StartError(f"Slack refuses the bot's token ({error.code}): check SLACK_BOT_TOKEN.") from error
        except SlackError as error:
            _log.warning("Slack is not reached yet", reason=str(error))
            await clock.sleep(max(_AGAIN_AFTER_S, error.retry_after_s))
        else:
            _warn_of_scopes(identity)
            return identity


def _warn_of_scopes(identity: Identity) -> None:
    """Slack names a token's scopes with every answer; where it does not, nothing is known and nothing is said."""
    for scope, serves in SCOPES.items():
        if identity.scopes and scope not in identity.scopes:
            _log.warning("a Slack scope is missing: add it and install the app again", scope=scope, serves=serves)


_READ_BY_BOLT = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
"""With the last two set Bolt turns into an OAuth app, and of the first it warns (slack/README 6.1)."""


def _bolt_app(settings: Settings, identity: Identity, session: aiohttp.ClientSession) -> AsyncApp:
    """Bolt as a mere dispatcher: who sent a request is checked before it (bot/web.py), and who we are is known."""
    for name in _READ_BY_BOLT:
        os.environ.pop(name, None)

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id,
            bot_token=_token(settings),
            bot_id=identity.bot_id,
            bot_user_id=identity.user_id,
        )

    app = AsyncApp(
        name="tintri-bot",  # else Bolt reads the source of all who called it, to name itself after the first
        logger=logging.getLogger("slack_bolt"),
        client=AsyncWebClient(base_url=settings.slack_api_url, session=session, retry_handlers=[]),
        authorize=authorize,
        request_verification_enabled=False,
    )
    app.use(RespondInSession(session))
    return app


def _token(settings: Settings) -> str:
    return settings.slack_bot_token.reveal() if settings.slack_bot_token else ""
