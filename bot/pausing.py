"""Pausing: approvers stop all accepting, in one pool or in all, for hours or until somebody resumes."""

import re
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.clock import Clock
from bot.outbox import Outbox
from bot.pool_names import TgcPool
from bot.pools import UnknownPoolError, find_pools, is_name
from bot.rendering.escape import clean
from bot.rendering.notices import render_paused, render_resumed
from bot.rendering.views import Message
from bot.rendering.words import listed, resume_command
from bot.routes import Routes
from bot.storage import cards, decisions, pauses, posts
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.pauses import EVERY_POOL, Pause
from bot.tgcs import Tgcs

MAX_HOURS = 30 * 24
PAUSE, RESUME = "pause", "resume"
_NAMES_SHOWN = 5
_HOURS = re.compile(
    r"(?:^|\s)(?:for\s+)?(?P<hours>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(?:h|hrs?|hours?)?$", re.ASCII | re.IGNORECASE
)
"""`8`, `8h`, `8 hours`, `for 8 hours`, at the end of what was typed."""
_NEARLY_HOURS = re.compile(r"(?:^|\s)[0-9]\S*(?:\s[a-z]+)?$", re.ASCII | re.IGNORECASE)
"""`8d`, `30 minutes`."""


class PauseRefusedError(Exception):
    """It was not done; `str()` says why."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody typed it."""

    id: str
    """The same in a redelivery: announced once."""
    actor: Actor
    channel_id: str
    typed: str


class Pausing:
    """Carries out `/tintri pause` and `/tintri resume`."""

    def __init__(
        self, *, database: Database, access: Access, tgcs: Tgcs, outbox: Outbox, clock: Clock, routes: Routes
    ) -> None:
        self._database = database
        self._access = access
        self._tgcs = tgcs
        self._outbox = outbox
        self._clock = clock
        self._routes = routes

    async def pause(self, order: Order) -> str:
        """Pause, and say what was done. Raises PauseRefusedError, UnknownPoolError, AmbiguousPoolError, TGCError."""
        await self._check(order, PAUSE)
        pool, hours = await self._meant(order.typed)
        await self._check_pool(order, PAUSE, pool)
        now = self._clock.now()
        until = None if hours is None else now + timedelta(hours=hours)
        told = _paused(pool, hours)
        async with self._database.write() as connection:
            if not await self._was_carried_out(connection, order, PAUSE):
                pause = Pause(
                    pool_uuid=_row(pool),
                    pool_name=_name(pool),
                    user_id=order.actor.user_id,
                    until=until,
                )
                await pauses.set_pause(connection, self._key(pool), pause, now)
                message = render_paused(order.actor.user_id, _name(pool), until)
                await self._announce(connection, order, PAUSE, pool, message, told)
        return told

    async def resume(self, order: Order) -> str:
        """Resume, and say what was done. Raises PauseRefusedError, UnknownPoolError, AmbiguousPoolError, TGCError."""
        await self._check(order, RESUME)
        pool = await self._one_pool(order.typed) if order.typed else None
        await self._check_pool(order, RESUME, pool)
        now = self._clock.now()
        async with self._database.write() as connection:
            rest = await self._still_paused(connection, pool, now)
            if not await self._was_carried_out(connection, order, RESUME):
                if not await pauses.lift(connection, self._key(pool), _row(pool), now):
                    raise PauseRefusedError(_nothing_to_resume(pool, rest))
                message = render_resumed(order.actor.user_id, _name(pool), _names(rest) if rest else None)
                await self._announce(connection, order, RESUME, pool, message, _resumed(pool, rest))
        return _resumed(pool, rest)

    async def _still_paused(self, connection: AsyncConnection, pool: TgcPool | None, now: datetime) -> list[Pause]:
        """What holds the pool back besides its own pause; without a pool, the pauses of single ones."""
        if pool is None:
            return await pauses.of_single_pools(connection, now)
        every = await pauses.in_force(connection, self._key(pool), EVERY_POOL, now)
        return [every] if every else []

    async def _check(self, order: Order, action: str) -> None:
        """Nobody who may act nowhere learns the pools' names by it, or has the TGC read."""
        await self._refuse(order, action, None, await self._access.refusal_anywhere(order.actor))

    async def _check_pool(self, order: Order, action: str, pool: TgcPool | None) -> None:
        """To stop all pools is safe, so any approver may.

        To end what another one stopped, also by a pause in its place, takes an approver of every pool.
        """
        if pool is not None:
            await self._refuse(order, action, pool, await self._access.refusal_to_act(order.actor, pool.name))
            return
        async with self._database.read() as connection:
            pause = await pauses.in_force(connection, self._key(None), EVERY_POOL, self._clock.now())
        if pause is not None and pause.user_id != order.actor.user_id:
            await self._refuse(order, action, None, await self._access.refusal_everywhere(order.actor))

    async def _refuse(self, order: Order, action: str, pool: TgcPool | None, refusal: str | None) -> None:
        if refusal is not None:
            async with self._database.write() as connection:
                refused = self._decision(order, action, pool, Outcome.NOT_ALLOWED, refusal)
                await decisions.add_refusal(connection, refused)
            raise PauseRefusedError(refusal)

    async def _meant(self, typed: str) -> tuple[TgcPool | None, float | None]:
        """The pool, None for all, and the hours, None for no end. A pool whose name ends in a number comes first."""
        if not typed:
            return None, None
        found = _HOURS.search(typed)
        if found is None or await self._is_name(typed):
            return await self._pool_without_hours(typed), None
        hours = float(found["hours"])
        if not 0 < hours <= MAX_HOURS:
            raise PauseRefusedError(f"Nothing was paused: a pause lasts more than 0 and at most {MAX_HOURS} hours.")
        name = typed[: found.start()].rstrip()
        return (await self._one_pool(name) if name else None), hours

    async def _pool_without_hours(self, typed: str) -> TgcPool:
        try:
            return await self._one_pool(typed)
        except UnknownPoolError as error:
            if _NEARLY_HOURS.search(typed):
                raise PauseRefusedError(f"{error} Type hours as 8, 8h or 1.5 hours.") from error
            raise

    async def _is_name(self, typed: str) -> bool:
        return is_name((await self._tgcs.pools(typed)).pools, typed)

    async def _one_pool(self, typed: str) -> TgcPool:
        listed = await self._tgcs.pools(typed)
        found = find_pools(listed.pools, typed, unread=listed.unread)
        if len(found) > 1:
            names = ", ".join(sorted(pool.shown for pool in found)[:5])
            raise PauseRefusedError(f"“{typed}” may mean several pools ({names}): type the whole name.")
        return found[0]

    async def _was_carried_out(self, connection: AsyncConnection, order: Order, action: str) -> bool:
        """Whether this is a redelivery, which must not undo what was ordered since."""
        return await posts.find(connection, _key(order, action)) is not None

    async def _announce(
        self, connection: AsyncConnection, order: Order, action: str, pool: TgcPool | None, message: Message, told: str
    ) -> None:
        """Keep it, say it in each channel of these pools, and have every card show it: one transaction."""
        await decisions.add(connection, self._decision(order, action, pool, Outcome.DONE, told))
        await self._outbox.announce(
            connection,
            key=_key(order, action),
            kind=action,
            channel_ids=self._channels_of(pool),
            message=message,
            people={order.actor.user_id: order.actor.name},
        )
        await cards.mark_all_dirty(connection)

    def _channels_of(self, pool: TgcPool | None) -> tuple[str, ...]:
        if pool is not None:
            return self._routes.channels_of_pool(pool.tgc_key, pool.shown)
        of_tgcs = (channel for one in self._tgcs for channel in self._routes.channels_of_tgc(one.tgc.key))
        return tuple(dict.fromkeys(of_tgcs))

    def _key(self, pool: TgcPool | None) -> str:
        return pool.tgc_key if pool else self._tgcs.key_of_all

    def _decision(self, order: Order, action: str, pool: TgcPool | None, outcome: Outcome, told: str) -> Decision:
        return Decision(
            recommendation=None,
            tgc_key=self._key(pool),
            pool_uuid=pool.pool.uuid if pool else None,
            pool_name=_name(pool),
            action=action,
            offer_id=None,
            typed=clean(order.typed),
            team_id=order.actor.team_id,
            user_id=order.actor.user_id,
            user_name=order.actor.name,
            channel_id=order.channel_id,
            decided_at=self._clock.now(),
            outcome=outcome,
            told=told,
            command_id=order.id,
        )


def _key(order: Order, action: str) -> str:
    return f"{action}/{order.id}"


def _name(pool: TgcPool | None) -> str | None:
    return None if pool is None else pool.shown


def _row(pool: TgcPool | None) -> str:
    return EVERY_POOL if pool is None else pool.pool.uuid


def _paused(pool: TgcPool | None, hours: float | None) -> str:
    long = "" if hours is None else f" for {hours:g} {'hour' if hours == 1 else 'hours'}"
    return f"Accepting is paused in {_name(pool) or 'every pool'}{long}; {resume_command(_name(pool))} ends that."


def _resumed(pool: TgcPool | None, rest: list[Pause]) -> str:
    if not rest:
        return f"Accepting goes on in {_name(pool) or 'every pool'}."
    if pool is None:
        return f"The pause of every pool is over. {_listed(rest)}"
    return f"The pause of {_name(pool)} is over, but every pool is paused still: {resume_command(None)} ends that."


def _nothing_to_resume(pool: TgcPool | None, rest: list[Pause]) -> str:
    if pool is not None:
        hint = f" To end a pause of every pool, type {resume_command(None)}."
        return f"Accepting is not paused in {pool.shown} alone, so nothing was done.{hint}"
    if rest:
        return f"There is no pause of every pool, so nothing was done. {_listed(rest)}"
    return "Accepting is not paused in any pool, so nothing was done."


def _listed(rest: list[Pause]) -> str:
    """Each with what ends it."""
    known = tuple(f"{_paused_pool(pause)} ({resume_command(_paused_pool(pause))})" for pause in rest)
    return f"Paused still: {listed(known, _NAMES_SHOWN)}."


def _names(rest: list[Pause]) -> str:
    return listed(tuple(map(_paused_pool, rest)), _NAMES_SHOWN)


def _paused_pool(pause: Pause) -> str:
    if pause.pool_uuid == EVERY_POOL:
        return "all pools"
    return pause.pool_name or pause.pool_uuid
