"""Offers: what a button stands for, kept before any message shows it."""

import secrets
from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.recommendations import Plan
from bot.rendering.views import Seen, SeenMove
from bot.storage.leases import ensure_row
from bot.storage.tables import offers


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    recommendation: int
    """Row id of the recommendation."""
    fingerprint: str
    plan: Plan
    """What the person saw, and what is accepted or nothing."""
    shown: Seen
    """The same by the names that were shown last."""


async def offer_for(connection: AsyncConnection, recommendation: int, plan: Plan, shown: Seen, now: datetime) -> str:
    """The id of the offer of this very plan, made where there is none yet."""
    row = and_(offers.c.recommendation == recommendation, offers.c.fingerprint == plan.fingerprint)
    names = msgspec.json.encode(shown)
    is_new = await ensure_row(
        connection,
        offers,
        row,
        id=secrets.token_urlsafe(16),
        recommendation=recommendation,
        fingerprint=plan.fingerprint,
        moves=msgspec.json.encode(plan),
        created_at=now,
        shown=names,
    )
    if not is_new:  # a VM may have been renamed
        await connection.execute(update(offers).where(row).values(shown=names))
    return str((await connection.execute(select(offers.c.id).where(row))).scalar_one())


_PLANS = select(offers.c.id, offers.c.moves).where(offers.c.id.in_(bindparam("ids", expanding=True)))
_ON_SEVERAL = select(offers.c.id, offers.c.recommendation, offers.c.fingerprint).where(
    offers.c.recommendation.in_(bindparam("recommendations", expanding=True))
)
_OF_PLAN = select(offers.c.id).where(
    offers.c.recommendation == bindparam("recommendation"), offers.c.fingerprint == bindparam("fingerprint")
)


async def find(connection: AsyncConnection, recommendation: int, plan: Plan) -> str | None:
    """The id of the offer of this very plan, where one was made."""
    of_plan = {"recommendation": recommendation, "fingerprint": plan.fingerprint}
    return (await connection.execute(_OF_PLAN, of_plan)).scalar_one_or_none()


async def on_several(connection: AsyncConnection, recommendations: Collection[int]) -> dict[tuple[int, str], str]:
    """Their ids, by recommendation and fingerprint."""
    found = await connection.execute(_ON_SEVERAL, {"recommendations": list(recommendations)})
    return {(row.recommendation, row.fingerprint): row.id for row in found}


async def plans(connection: AsyncConnection, offer_ids: Collection[str]) -> dict[str, Plan]:
    """What they stand for, by id; of those that there are."""
    found = await connection.execute(_PLANS, {"ids": list(offer_ids)})
    return {row.id: msgspec.json.decode(row.moves, type=Plan) for row in found}


_BY_ID = select(offers).where(offers.c.id == bindparam("offer_id"))


async def get(connection: AsyncConnection, offer_id: str) -> Offer | None:
    row = (await connection.execute(_BY_ID, {"offer_id": offer_id})).one_or_none()
    if row is None:
        return None
    plan = msgspec.json.decode(row.moves, type=Plan)
    return Offer(
        id=row.id,
        recommendation=row.recommendation,
        fingerprint=row.fingerprint,
        plan=plan,
        shown=_by_ids(plan) if row.shown is None else msgspec.json.decode(row.shown, type=Seen),
    )


def _by_ids(plan: Plan) -> Seen:
    """For offers that are older than the names kept with them."""
    moves = tuple(
        SeenMove(wave=wave, vm=move.vm, source=move.source, destination=move.destination)
        for wave, group in enumerate(plan.groups, start=1)
        for move in group
    )
    return Seen(moves=moves, losing=plan.unprotected)
