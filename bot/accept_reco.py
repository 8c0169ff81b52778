"""`tintri-bot reco --accept`: a replica that leads nothing and says nothing in Slack, and decides by the same protocol.

A bot that runs on the same database follows what was accepted here and paints its card.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from bot.access import Actor
from bot.card_thread import CardThread
from bot.card_views import UNREADABLE_PLAN, CardViews
from bot.clock import Clock
from bot.decisions import Decider
from bot.due_plans import DuePlans
from bot.mail_queue import MailQueue
from bot.painter import Drawing, draw
from bot.readings import Readings
from bot.reconcile import Reconciler
from bot.rendering.content import content
from bot.rendering.terminal import accept_question, nothing_to_accept
from bot.rendering.views import Action, CardView, Message, PoolAnswer, Standing
from bot.routes import Routes
from bot.rule_asking import RuleAsking
from bot.settings import Settings
from bot.shaper import Shaper
from bot.storage import cards, offers, recommendations
from bot.storage import tgcs as tgcs_stored
from bot.storage.cards import Card
from bot.storage.database import Database
from bot.storage.decisions import Outcome
from bot.storage.leases import Leases
from bot.storage.presses import Press
from bot.terminal_access import TerminalAccess
from bot.tgcs import Tgcs
from bot.two_people import TwoPeople
from tgc.errors import TGCError

T = TypeVar("T")

LEASE_LIFE = timedelta(seconds=20)


class Accepted(msgspec.Struct, frozen=True):
    """What came of one pool."""

    line: str
    has_failed: bool = False
    recommendation_id: str | None = None
    """What the TGC took, so that it moves now."""


class Acceptor:
    """Accepts what was printed, a pool at a time."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        tgcs: Tgcs,
        actor: Actor,
        *,
        patience_s: float,
    ) -> None:
        zone, routes = settings.reco_timezone, settings.routes
        lapse = settings.config.approval_lapse
        leases = Leases(database, clock, life=LEASE_LIFE)
        self._access = access = TerminalAccess(settings, clock)
        thread = CardThread(clock, routes)
        due_plans = DuePlans(database=database, thread=thread, clock=clock, zone=zone)
        self._views = views = CardViews(tgcs, access, clock, zone, approval_lapse=lapse)
        self.reconciler = Reconciler(
            database=database,
            painter=_LeftToTheBot(database, views, routes, clock),
            thread=thread,
            mail_queue=MailQueue(clock, zone, is_on=settings.smtp_url is not None),
            views=views,
            tgcs=tgcs,
            patience_s=patience_s,
            routes=routes,
            clock=clock,
            due_plans=due_plans,
            stall_after=settings.config.stall_after,
        )
        self._decider = Decider(
            database=database,
            leases=leases,
            access=access,
            views=views,
            tgcs=tgcs,
            reconciler=self.reconciler,
            tell=_tell_nobody,
            clock=clock,
            zone=zone,
            two_people=TwoPeople(
                database=database,
                access=access,
                thread=thread,
                clock=clock,
                lapse=lapse,
                policies=settings.policies,
            ),
            due_plans=due_plans,
            shaper=Shaper(
                tgcs=tgcs, leases=leases, clock=clock, rules=RuleAsking(database=database, tgcs=tgcs, clock=clock)
            ),
            policies=settings.policies,
        )
        self._database = database
        self._clock = clock
        self._actor = actor

    async def begin(self, meant: Sequence[Readings]) -> None:
        """Settle what a command that was killed has left behind, before anything is shown. Raises TGCError.

        `meant`: the TGCs where something may be accepted.

        One of several TGCs that takes no login is told with its pools, and nothing is accepted there.
        """
        logins = await asyncio.gather(*(one.tgc.client.login() for one in meant), return_exceptions=True)
        failures = [login for login in logins if login is not None]
        for failure in failures:
            if not isinstance(failure, TGCError) or len(failures) == len(logins):
                raise failure
        for one in meant:
            if one.tgc.client.role is not None:
                async with self._database.write() as connection:
                    await tgcs_stored.set_role(connection, one.tgc.key, one.tgc.client.role)
        await self._decider.resume(typed_only=True)

    async def accept(self, answer: PoolAnswer, ask: Callable[[str], bool] | None) -> Accepted:
        """Accept what a pool was printed with, where there is something and `ask` says yes; None needs no asking."""
        view = answer.view
        if view is None:
            return Accepted(f"{answer.pool_name}: nothing was accepted, because it could not be read.", has_failed=True)
        if view.standing is not Standing.OFFERED or view.offer_id is None:
            return Accepted(nothing_to_accept(view))
        if ask is not None:
            hindrance = await self._hindrance(view.offer_id)
            if hindrance is not None:
                return Accepted(f"{answer.pool_name}: Nothing was done. {hindrance}", has_failed=True)
            if not ask(accept_question(view)):
                return Accepted(f"{answer.pool_name}: not accepted.")
        return await _to_the_end(self._press(view, view.offer_id))

    async def _hindrance(self, offer_id: str) -> str | None:
        """Why it would be refused: then there is nothing to ask, as there is no button in Slack."""
        async with self._database.read() as connection:
            offer = await offers.get(connection, offer_id)
            if offer is None:
                return None
            stored = await recommendations.by_row_id(connection, offer.recommendation)
            rights = await self._views.rights(connection, stored.tgc_pool)
        refusal = await self._access.refusal_to_act(self._actor, stored.named)
        return refusal or rights.hindrance or (None if offer.plan.whole else UNREADABLE_PLAN)

    async def _press(self, view: CardView, offer_id: str) -> Accepted:
        press = Press(
            id=secrets.token_hex(32),
            action=Action.ACCEPT,
            offer_id=offer_id,
            team_id=self._actor.team_id,
            user_id=self._actor.user_id,
            user_name=self._actor.name,
            channel_id=None,
            pressed_at=self._clock.now(),
        )
        try:
            answer = await self._decider.press(press, _is_printed)
        except (SQLAlchemyError, OSError) as error:
            return Accepted(
                f"{view.pool_name}: Nobody can tell whether it was accepted, because the database failed "
                f"({type(error).__name__}): look at the recommendation in Tintri Global Center.",
                has_failed=True,
            )
        if answer is None:
            return Accepted(
                f"{view.pool_name}: Nobody can tell yet whether it was accepted, because the TGC does not answer. "
                "It is not asked again: run the command again to see what became of it.",
                has_failed=True,
            )
        if answer.outcome is not Outcome.DONE:
            return Accepted(answer.text, has_failed=answer.outcome is not Outcome.ACCEPTED_FIRST)
        other_moves = await self._other_moves(offer_id)
        line = " ".join(filter(None, (answer.text, other_moves)))
        return Accepted(line, has_failed=other_moves is not None, recommendation_id=view.recommendation.id)

    async def _other_moves(self, offer_id: str) -> str | None:
        """A warning where the TGC runs other moves than those that were printed."""
        view = await self.reconciler.view_of_offer(offer_id)
        return content(view).other_moves if view is not None else None


class _LeftToTheBot:
    """Marks cards as out of date: the replica that leads paints them within seconds."""

    def __init__(self, database: Database, views: CardViews, routes: Routes, clock: Clock) -> None:
        self._database = database
        self._views = views
        self._routes = routes
        self._clock = clock

    async def draw(self, card: Card) -> Drawing:
        return await draw(self._database, self._views, self._routes, card, self._clock.now())

    async def order(self, card: Card) -> None:
        async with self._database.write() as connection:
            await cards.mark_dirty(connection, card.row_id)


async def _is_printed(_message: Message) -> bool:
    """Whoever presses here prints the answer."""
    return True


async def _tell_nobody(_press: Press, _message: Message) -> None:
    """Of those that were left behind: nobody waits for them, and the journal tells."""


async def _to_the_end(work: Awaitable[T]) -> T:
    """Wait for it, also where Ctrl-C is pressed meanwhile: what was sent must not go on unwatched.

    The caller stays cancelled, and is to stop after it.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        return task.result()
