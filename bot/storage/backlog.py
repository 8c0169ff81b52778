"""All queues in one look: which of them hold anything, due or not."""

from enum import StrEnum

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.posts import CARD, PostState
from bot.storage.tables import cards, homes, mails, planned_accepts, posts, presses


class Queue(StrEnum):
    PRESSES = "presses"
    MESSAGES = "messages"
    NEW_CARDS = "new_cards"
    CHANGED_CARDS = "changed_cards"
    PLANS = "plans"
    HOMES = "homes"
    MAILS = "mails"


_UNFINISHED = or_(cards.c.dirty.is_(True), cards.c.owner.is_not(None))
_HOLDS = {
    Queue.PRESSES: presses.c.told_at.is_(None),
    Queue.MESSAGES: (posts.c.kind != CARD) & (posts.c.state != PostState.SENT),
    Queue.NEW_CARDS: cards.c.ts.is_(None) & _UNFINISHED,
    Queue.CHANGED_CARDS: cards.c.ts.is_not(None) & _UNFINISHED,
    Queue.PLANS: planned_accepts.c.ended_at.is_(None),
    Queue.HOMES: homes.c.user_id.is_not(None),
    Queue.MAILS: mails.c.ended_at.is_(None),
}
# Made once: without a moment in it, it is the same each time. What is due, each queue's own look finds out.
_LOOK = select(*(exists().where(holds).label(queue.value) for queue, holds in _HOLDS.items()))


async def waiting(connection: AsyncConnection) -> set[Queue]:
    found = (await connection.execute(_LOOK)).one()
    return {queue for queue, holds in zip(_HOLDS, found, strict=True) if holds}
