"""Presses: what people asked for, kept until each was told what came of it. Also what makes a redelivery harmless."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rendering.escape import SYSTEM_USER, is_policy_id, is_system_user_id
from bot.rendering.shapes import Shape
from bot.rendering.views import Action
from bot.storage.leases import Leasable, Lease, Leases, add_row, is_free, moments, store
from bot.storage.tables import offers, presses, recommendations

LEASABLE = Leasable(presses.c.id, only_while=presses.c.told_at.is_(None))
"""Once its person was told, nobody works on a press again."""


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """One press of one button. Slack's response_url is a permission to post and is never kept."""

    id: str
    """Derived from what Slack repeats in a redelivery (slack/README 3.8); at random at the command line."""
    action: Action
    offer_id: str
    """The button's value as it came: nobody vouches for it."""
    team_id: str
    user_id: str
    user_name: str
    channel_id: str | None
    pressed_at: datetime
    answer: str | None = None
    ticket: str | None = None
    note: str | None = None
    """What its person wrote; with feedback, the comment for the TGC."""
    feedback: str | None = None
    """The TGC's word for it."""
    shape: Shape | None = None
    """What a form asked for; None also where nobody knows what its options stand for."""

    @property
    def is_typed(self) -> bool:
        """Whether somebody asked for it at the command line, where nobody waits once that process has ended."""
        return is_system_user_id(self.user_id)

    @property
    def is_automatic(self) -> bool:
        """Whether nobody asked for it but a policy: its thread is told what comes of it."""
        return is_policy_id(self.user_id)


async def add(connection: AsyncConnection, press: Press) -> bool:
    """Keep a press; False where it was delivered before."""
    return await add_row(connection, presses, _values(press))


async def add_taken(connection: AsyncConnection, leases: Leases, press: Press) -> Lease | None:
    """The same, to work on it at once; None where it was delivered before."""
    return await leases.add(connection, LEASABLE, press.id, _values(press))


_BY_ID = select(presses).where(presses.c.id == bindparam("press_id"))


async def get(connection: AsyncConnection, press_id: str) -> Press:
    return _press((await connection.execute(_BY_ID, {"press_id": press_id})).one())


async def untold(
    connection: AsyncConnection, now: datetime, lease_life: timedelta, *, typed_only: bool = False
) -> list[tuple[str, str | None]]:
    """Ids of those whose people wait for an answer while nobody works on it, each with the TGC that it is about."""
    is_left = and_(presses.c.told_at.is_(None), is_free(presses))
    if typed_only:
        is_left = and_(is_left, presses.c.user_id.startswith(SYSTEM_USER, autoescape=True))
    about = presses.outerjoin(offers, offers.c.id == presses.c.offer_id).outerjoin(
        recommendations, recommendations.c.id == offers.c.recommendation
    )
    statement = select(presses.c.id, recommendations.c.tgc_key).select_from(about).where(is_left)
    found = await connection.execute(statement.order_by(presses.c.pressed_at), moments(now, lease_life))
    return [(row.id, row.tgc_key) for row in found]


async def answer(connection: AsyncConnection, lease: Lease, text: str) -> bool:
    """Keep what its person is to be told; False where somebody took the press over."""
    return await store(connection, lease, answer=text)


async def told(connection: AsyncConnection, lease: Lease, now: datetime) -> None:
    await store(connection, lease, told_at=now, owner=None, expires_at=None)


def _values(press: Press) -> dict[str, object]:
    return msgspec.structs.asdict(press) | {"shape": press.shape and msgspec.json.encode(press.shape)}


def _press(row: Row[Any]) -> Press:
    return Press(
        id=row.id,
        action=Action(row.action),
        offer_id=row.offer_id,
        team_id=row.team_id,
        user_id=row.user_id,
        user_name=row.user_name,
        channel_id=row.channel_id,
        pressed_at=row.pressed_at,
        answer=row.answer,
        ticket=row.ticket,
        note=row.note,
        feedback=row.feedback,
        shape=None if row.shape is None else msgspec.json.decode(row.shape, type=Shape),
    )
