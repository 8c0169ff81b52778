"""Pausing: approvers stop all accepting, in one pool or in all, for hours or until somebody resumes."""

from datetime import timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.clock import Clock
from bot.outbox import Outbox
from bot.pools import find_pools
from bot.readings import Readings, pool_name
from bot.rendering.notices import render_paused, render_resumed
from bot.rendering.views import Message
from bot.storage import cards, decisions, pauses
from bot.storage.database import Database
from bot.storage.decisions import Decision, Outcome
from bot.storage.pauses import EVERY_POOL
from tgc.models import Pool

MAX_HOURS = 30 * 24


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
        await self._check(order, "pause")
        pool, hours = await self._meant(order.typed)
        now = self._clock.now()
        until = None if hours is None else now + timedelta(hours=hours)
        async with self._database.write() as connection:
            await pauses.set_pause(
                connection,
                self._readings.tgc.key,
                pool.uuid if pool else EVERY_POOL,
                user_id=order.actor.user_id,
                now=now,
                until=until,
            )
            message = render_paused(order.actor.user_id, _name(pool), until)
            await self._announce(connection, order, "pause", pool, message)
        where = f"in {pool_name(pool)}" if pool else "in every pool"
        return f"Accepting is paused {where}; /tintri resume ends that."

    async def resume(self, order: Order) -> str:
        """Resume, and say what was done. Raises PauseRefusedError, UnknownPoolError, TGCError."""
        await self._check(order, "resume")
        pool = await self._one_pool(order.typed) if order.typed else None
        async with self._database.write() as connection:
            lifted = await pauses.lift(connection, self._readings.tgc.key, pool.uuid if pool else EVERY_POOL)
            if not lifted:
                raise PauseRefusedError(_nothing_to_resume(pool))
            await self._announce(connection, order, "resume", pool, render_resumed(order.actor.user_id, _name(pool)))
        return f"Accepting goes on {f'in {pool_name(pool)}' if pool else 'in every pool'}."

    async def _check(self, order: Order, action: str) -> None:
        refusal = await self._access.refusal_to_act(order.actor)
        if refusal is not None:
            async with self._database.write() as connection:
                await decisions.add(connection, self._decision(order, action, None, Outcome.NOT_ALLOWED))
            raise PauseRefusedError(refusal)

    async def _meant(self, typed: str) -> tuple[Pool | None, float | None]:
        """The pool, None for all, and the hours, None for no end. A pool whose name ends in a number comes first."""
        words = typed.split()
        pools = await self._readings.pools()
        named = " ".join(words).casefold()
        if not words:
            return None, None
        if words[-1].replace(".", "", 1).isdecimal() and all(pool_name(pool).casefold() != named for pool in pools):
            hours = float(words.pop())
            if not 0 < hours <= MAX_HOURS:
                raise PauseRefusedError(f"Nothing was paused: a pause lasts more than 0 and at most {MAX_HOURS} hours.")
            return (await self._one_pool(" ".join(words)) if words else None), hours
        return await self._one_pool(typed), None

    async def _one_pool(self, typed: str) -> Pool:
        found = find_pools(await self._readings.pools(), typed)
        if len(found) > 1:
            names = ", ".join(sorted(pool_name(pool) for pool in found)[:5])
            raise PauseRefusedError(f"“{typed}” may mean several pools ({names}): type the whole name.")
        return found[0]

    async def _announce(
        self, connection: AsyncConnection, order: Order, action: str, pool: Pool | None, message: Message
    ) -> None:
        """Keep it, say it in the channel, and have every card show it: one transaction."""
        await decisions.add(connection, self._decision(order, action, pool, Outcome.DONE))
        await self._outbox.add(
            connection, key=f"{action}/{order.id}", kind=action, channel_id=self._channel_id, message=message
        )
        await cards.mark_all_dirty(connection)

    def _decision(self, order: Order, action: str, pool: Pool | None, outcome: Outcome) -> Decision:
        return Decision(
            recommendation=None,
            tgc_key=self._readings.tgc.key,
            pool_uuid=pool.uuid if pool else None,
            action=action,
            offer_id=None,
            team_id=order.actor.team_id,
            user_id=order.actor.user_id,
            user_name=order.actor.name,
            channel_id=order.channel_id,
            decided_at=self._clock.now(),
            outcome=outcome,
        )


def _name(pool: Pool | None) -> str | None:
    return None if pool is None else pool_name(pool)


def _nothing_to_resume(pool: Pool | None) -> str:
    where = f"in {pool_name(pool)} alone" if pool else "in any pool"
    hint = " To end a pause of every pool, type /tintri resume." if pool else ""
    return f"Accepting is not paused {where}, so nothing was done.{hint}"
