"""Pausing: approvers stop all accepting, in one pool or in all, for hours or until somebody resumes."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.clock import Clock
from bot.outbox import Outbox
from bot.pools import find_pools
from bot.readings import Readings, pool_name
from bot.rendering.escape import clean
from bot.rendering.notices import render_paused, render_resumed
from bot.rendering.views import Message
from bot.storage import cards, decisions, pauses, posts
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.pauses import EVERY_POOL
from tgc.models import Pool

MAX_HOURS = 30 * 24
PAUSE, RESUME = "pause", "resume"


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
        self, *, database: Database, access: Access, readings: Readings, outbox: Outbox, clock: Clock, channel_id: str
    ) -> None:
        self._database = database
        self._access = access
        self._readings = readings
        self._outbox = outbox
        self._clock = clock
        self._channel_id = channel_id

    async def pause(self, order: Order) -> str:
        """Pause, and say what was done. Raises PauseRefusedError, UnknownPoolError, TGCError."""
        await self._check(order, PAUSE)
        pool, hours = await self._meant(order.typed)
        await self._check_pool(order, PAUSE, pool)
        now = self._clock.now()
        until = None if hours is None else now + timedelta(hours=hours)
        told = _paused(pool, hours)
        async with self._database.write() as connection:
            if not await self._was_carried_out(connection, order, PAUSE):
                await pauses.set_pause(
                    connection,
                    self._readings.tgc.key,
                    pool.uuid if pool else EVERY_POOL,
                    user_id=order.actor.user_id,
                    now=now,
                    until=until,
                )
                message = render_paused(order.actor.user_id, _name(pool), until)
                await self._announce(connection, order, PAUSE, pool, message, told)
        return told

    async def resume(self, order: Order) -> str:
        """Resume, and say what was done. Raises PauseRefusedError, UnknownPoolError, TGCError."""
        await self._check(order, RESUME)
        pool = await self._one_pool(order.typed) if order.typed else None
        await self._check_pool(order, RESUME, pool)
        now = self._clock.now()
        async with self._database.write() as connection:
            if not await self._was_carried_out(connection, order, RESUME):
                row = pool.uuid if pool else EVERY_POOL
                if not await pauses.lift(connection, self._readings.tgc.key, row, now):
                    raise PauseRefusedError(_nothing_to_resume(pool))
                told = await self._resumed(connection, pool, now)
                message = render_resumed(order.actor.user_id, _name(pool))
                await self._announce(connection, order, RESUME, pool, message, told)
            return await self._resumed(connection, pool, now)

    async def _resumed(self, connection: AsyncConnection, pool: Pool | None, now: datetime) -> str:
        rest = await pauses.in_force(connection, self._readings.tgc.key, pool.uuid, now) if pool else None
        if rest is not None:
            return f"The pause of {_name(pool)} is over, but every pool is paused still: /tintri resume ends that."
        return f"Accepting goes on in {_name(pool) or 'every pool'}."

    async def _check(self, order: Order, action: str) -> None:
        """Nobody who may act nowhere learns the pools' names by it, or has the TGC read."""
        await self._refuse(order, action, None, await self._access.refusal_anywhere(order.actor))

    async def _check_pool(self, order: Order, action: str, pool: Pool | None) -> None:
        """To stop all pools is safe, so any approver may; to let all go on takes one of every pool, or who stopped."""
        if pool is not None:
            await self._refuse(order, action, pool, await self._access.refusal_to_act(order.actor, pool_name(pool)))
        elif action == RESUME and not await self._paused_all_themselves(order.actor):
            await self._refuse(order, action, None, await self._access.refusal_everywhere(order.actor))

    async def _refuse(self, order: Order, action: str, pool: Pool | None, refusal: str | None) -> None:
        if refusal is not None:
            async with self._database.write() as connection:
                refused = self._decision(order, action, pool, Outcome.NOT_ALLOWED, refusal)
                await decisions.add_refusal(connection, refused)
            raise PauseRefusedError(refusal)

    async def _paused_all_themselves(self, actor: Actor) -> bool:
        """Whether everything that is paused now was paused by this person."""
        async with self._database.read() as connection:
            by = await pauses.paused_by(connection, self._readings.tgc.key, self._clock.now())
        return by == {actor.user_id}

    async def _meant(self, typed: str) -> tuple[Pool | None, float | None]:
        """The pool, None for all, and the hours, None for no end. A pool whose name ends in a number comes first."""
        name, _, last = typed.rpartition(" ")
        if not typed:
            return None, None
        if not last.replace(".", "", 1).isdecimal() or await self._is_name(typed):
            return await self._one_pool(typed), None
        hours = float(last)
        if not 0 < hours <= MAX_HOURS:
            raise PauseRefusedError(f"Nothing was paused: a pause lasts more than 0 and at most {MAX_HOURS} hours.")
        return (await self._one_pool(name) if name else None), hours

    async def _is_name(self, typed: str) -> bool:
        return any(pool_name(pool).casefold() == typed.casefold() for pool in await self._readings.pools())

    async def _one_pool(self, typed: str) -> Pool:
        found = find_pools(await self._readings.pools(), typed)
        if len(found) > 1:
            names = ", ".join(sorted(pool_name(pool) for pool in found)[:5])
            raise PauseRefusedError(f"“{typed}” may mean several pools ({names}): type the whole name.")
        return found[0]

    async def _was_carried_out(self, connection: AsyncConnection, order: Order, action: str) -> bool:
        """Whether this is a redelivery, which must not undo what was ordered since."""
        return await posts.find(connection, _key(order, action)) is not None

    async def _announce(
        self, connection: AsyncConnection, order: Order, action: str, pool: Pool | None, message: Message, told: str
    ) -> None:
        """Keep it, say it in the channel, and have every card show it: one transaction."""
        await decisions.add(connection, self._decision(order, action, pool, Outcome.DONE, told))
        await self._outbox.add(
            connection, key=_key(order, action), kind=action, channel_id=self._channel_id, message=message
        )
        await cards.mark_all_dirty(connection)

    def _decision(self, order: Order, action: str, pool: Pool | None, outcome: Outcome, told: str) -> Decision:
        return Decision(
            recommendation=None,
            tgc_key=self._readings.tgc.key,
            pool_uuid=pool.uuid if pool else None,
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


def _name(pool: Pool | None) -> str | None:
    return None if pool is None else pool_name(pool)


def _paused(pool: Pool | None, hours: float | None) -> str:
    long = "" if hours is None else f" for {hours:g} {'hour' if hours == 1 else 'hours'}"
    return f"Accepting is paused in {_name(pool) or 'every pool'}{long}; /tintri resume ends that."


def _nothing_to_resume(pool: Pool | None) -> str:
    where = f"in {pool_name(pool)} alone" if pool else "in any pool"
    hint = " To end a pause of every pool, type /tintri resume." if pool else ""
    return f"Accepting is not paused {where}, so nothing was done.{hint}"
