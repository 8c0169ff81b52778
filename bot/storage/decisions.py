"""The journal of who decided what, refusals too. Rows are only ever added; the database refuses to change them.

Each row can be read by itself, whatever became of its pool, its offer and the recommendation.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, bindparam, delete, false, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pool_names import PoolName
from bot.recommendations import Key
from bot.rendering.views import Action, AuditEntry, Note, Seen
from bot.storage.leases import ensure_row
from bot.storage.tables import cards, decisions, retention

SAY_WHY, ADD_NOTE = "say_why", "add_note"
WRITTEN_OF = {Action.DISMISS: SAY_WHY, Action.ACCEPT: ADD_NOTE}
"""What people can write of which decision after it."""

_JOURNAL = "decisions"
_EFFECTIVE = [action for action in Action if action.decides]


class Outcome(StrEnum):
    """What came of it. Only DONE took effect."""

    DONE = "done"
    ACCEPTED_FIRST = "accepted_first"
    """By the first of two people; the TGC was not asked yet."""
    NOT_ALLOWED = "not_allowed"
    SECOND_NEEDED = "second_needed"
    """The same person accepted before, and another one must."""
    TICKET_NEEDED = "ticket_needed"
    """The pool asks for a ticket that was not given, or is none."""
    PAUSED = "paused"
    READ_ONLY = "read_only"
    TAKEN = "taken"
    """Somebody else decided first."""
    CHANGED = "changed"
    """The recommendation is not what the person saw."""
    REFUSED = "refused"
    """The TGC said no."""
    UNKNOWN_OFFER = "unknown_offer"
    WRONG_TIME = "wrong_time"
    """It was planned for a time that is past, or after the recommendation's end."""
    NOT_DONE = "not_done"
    """Nothing happened, as a reading showed; the person may press again."""
    DRY_RUN = "dry_run"
    """A policy said what it would do, and did nothing."""
    NEVER_KNOWN = "never_known"
    """The TGC was asked, its answer was lost, and it cannot be read any more."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    recommendation: int | None
    tgc_key: str
    pool_uuid: str | None
    pool_name: str | None = None
    """As the TGC gave it then."""
    recommendation_id: str | None = None
    """The TGC's."""
    action: str
    """An Action, or `plan`, `cancel_plan`, `say_why`, `add_note`, `pause`, `resume`, `audit`, `snooze`, `doctor`."""
    offer_id: str | None
    seen: Seen | None = None
    """The offer's moves, as they were shown."""
    typed: str | None = None
    """What came after the command's own word, where it was a command; what a form asked for."""
    team_id: str
    user_id: str
    user_name: str
    """As Slack gave it then."""
    channel_id: str | None
    decided_at: datetime
    outcome: Outcome
    told: str | None = None
    """What the person was told."""
    tgc_answer: str | None = None
    command_id: str | None = None
    """The same in a redelivery of what has no press: commands, plans, notes. Presses have their own guard."""
    ticket: str | None = None
    note: str | None = None
    """What the person wrote: a note, a reason, or the comment of feedback."""
    feedback: str | None = None
    """The TGC's word for it."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What took effect on a recommendation itself, or was written of that."""

    action: str
    """An Action, `say_why` or `add_note`."""
    user_id: str
    decided_at: datetime
    offer_id: str | None
    ticket: str | None
    note: str | None

    @property
    def decides(self) -> bool:
        return self.action in _EFFECTIVE


class Named(msgspec.Struct, frozen=True):
    """A person, and a name that they had in the journal."""

    id: str
    name: str


class NamedPool(msgspec.Struct, frozen=True):
    """The same of a pool."""

    uuid: str
    name: PoolName


_ADD = insert(decisions)


async def add(connection: AsyncConnection, decision: Decision) -> None:
    await connection.execute(_ADD, _values(decision))


async def add_refusal(connection: AsyncConnection, refused: Decision) -> None:
    """Keep that it was refused, once however often Slack delivers it."""
    row = and_(decisions.c.command_id == refused.command_id, decisions.c.outcome == refused.outcome)
    await ensure_row(connection, decisions, row, **_values(refused))


async def of_button(connection: AsyncConnection, action: str, value: str) -> Decision | None:
    """The first press of a button with this action and value; None where nobody pressed it."""
    pressed = select(decisions).where(decisions.c.action == action, decisions.c.offer_id == value)
    row = (await connection.execute(pressed.order_by(decisions.c.id).limit(1))).one_or_none()
    return None if row is None else _decision(row)


_NEWEST_EFFECTIVE = (
    select(decisions)
    .where(
        decisions.c.recommendation == bindparam("recommendation"),
        decisions.c.outcome == Outcome.DONE,
        decisions.c.action.in_(bindparam("actions", expanding=True)),
    )
    .order_by(decisions.c.id.desc())
    .limit(1)
)


async def newest_effective(
    connection: AsyncConnection, recommendation: int, action: Action | None = None
) -> Decision | None:
    """Return the newest decision that took effect on the recommendation itself; with `action`, of that kind."""
    actions = list(_EFFECTIVE if action is None else [action])  # to plan one changes nothing yet
    found = await connection.execute(_NEWEST_EFFECTIVE, {"recommendation": recommendation, "actions": actions})
    row = found.one_or_none()
    return None if row is None else _decision(row)


_EFFECTS = (
    select(
        decisions.c.recommendation,
        decisions.c.action,
        decisions.c.user_id,
        decisions.c.decided_at,
        decisions.c.offer_id,
        decisions.c.ticket,
        decisions.c.note,
    )
    .where(
        decisions.c.recommendation.in_(bindparam("recommendations", expanding=True)),
        decisions.c.outcome == Outcome.DONE,
        decisions.c.action.in_([*_EFFECTIVE, *WRITTEN_OF.values()]),
    )
    .order_by(decisions.c.id.desc())
)


async def effects(connection: AsyncConnection, recommendations: Collection[int]) -> dict[int, list[Effect]]:
    """Newest first, by recommendation; of those that have any."""
    found: dict[int, list[Effect]] = {}
    for row in await connection.execute(_EFFECTS, {"recommendations": list(recommendations)}):
        recommendation, *fields = row
        found.setdefault(recommendation, []).append(Effect(**dict(zip(Effect.__struct_fields__, fields, strict=True))))
    return found


def note_of(effects: Sequence[Effect], action: Action) -> Note | None:
    """What was written last of the newest such decision, with it or afterwards."""
    later = WRITTEN_OF.get(action)
    for effect in effects if later else ():
        if effect.note is not None and effect.action in {action, later}:
            return Note(text=effect.note, user_id=effect.user_id)
        if effect.action == action:
            break
    return None


async def names(connection: AsyncConnection, recommendation: int) -> dict[str, str]:
    """By Slack's ids, of those who decided on it, or tried to."""
    statement = (
        select(decisions.c.user_id, decisions.c.user_name)
        .where(decisions.c.recommendation == recommendation)
        .order_by(decisions.c.id)
    )
    return {row.user_id: row.user_name for row in await connection.execute(statement)}


async def is_in_peoples_hands(connection: AsyncConnection, recommendation: int) -> bool:
    """Whether anybody decided on it, changed it, or ended a plan of it, also where nobody knows what came of that."""
    which = (
        decisions.c.recommendation == recommendation,
        decisions.c.outcome.in_((Outcome.DONE, Outcome.NEVER_KNOWN)),
        decisions.c.action.in_([*(action for action in Action if action.decides), "cancel_plan"]),
    )
    return (await connection.execute(select(decisions.c.id).where(*which).limit(1))).first() is not None


async def is_kept(connection: AsyncConnection, command_id: str) -> bool:
    """Whether anything was kept of that command, done or not."""
    which = decisions.c.command_id == command_id
    return (await connection.execute(select(decisions.c.id).where(which))).first() is not None


async def was_done(connection: AsyncConnection, command_id: str) -> bool:
    """Whether this is a redelivery of what took effect."""
    which = (decisions.c.command_id == command_id, decisions.c.outcome == Outcome.DONE)
    return (await connection.execute(select(decisions.c.id).where(*which))).first() is not None


async def is_accepted(connection: AsyncConnection, recommendation: int) -> bool:
    """Whether the TGC took an accept of ours."""
    return await newest_effective(connection, recommendation, Action.ACCEPT) is not None


async def decided(connection: AsyncConnection, tgc_keys: Collection[str], since: datetime) -> dict[Key, int]:
    """Recommendations on which somebody decided with effect since then, each with its row."""
    statement = select(
        decisions.c.recommendation, decisions.c.tgc_key, decisions.c.pool_uuid, decisions.c.recommendation_id
    ).where(
        decisions.c.tgc_key.in_(tgc_keys),
        decisions.c.outcome == Outcome.DONE,
        decisions.c.action.in_(Action),
        decisions.c.decided_at >= since,
        decisions.c.recommendation_id.is_not(None),
    )
    return {
        Key(row.tgc_key, row.pool_uuid, row.recommendation_id): row.recommendation
        for row in await connection.execute(statement)
    }


# Reading it


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; None for all."""

    pools: Collection[NamedPool] | None = None
    """Their names do not count."""
    user_ids: Collection[str] | None = None


async def entries(
    connection: AsyncConnection, about: About, *, skip: int = 0, limit: int | None = None
) -> list[AuditEntry]:
    """Newest first."""
    statement = select(decisions).where(*_is_about(about)).order_by(decisions.c.id.desc())
    if limit is not None:
        statement = statement.limit(limit).offset(skip)
    return [_entry(row) for row in await connection.execute(statement)]


async def last_done(connection: AsyncConnection, actions: Collection[str], limit: int) -> list[AuditEntry]:
    """Those that took effect, newest first."""
    took_effect = (decisions.c.outcome == Outcome.DONE, decisions.c.action.in_(actions))
    statement = select(decisions).where(*took_effect).order_by(decisions.c.id.desc()).limit(limit)
    return [_entry(row) for row in await connection.execute(statement)]


async def count(connection: AsyncConnection, about: About) -> int:
    statement = select(func.count()).select_from(decisions).where(*_is_about(about))
    return int((await connection.execute(statement)).scalar_one())


async def pools(connection: AsyncConnection) -> list[NamedPool]:
    """Every name that a pool of the journal ever had."""
    named = (decisions.c.pool_uuid.is_not(None), decisions.c.pool_name.is_not(None))
    statement = select(decisions.c.tgc_key, decisions.c.pool_uuid, decisions.c.pool_name).where(*named).distinct()
    return [
        NamedPool(uuid=row.pool_uuid, name=PoolName(row.tgc_key, row.pool_name))
        for row in await connection.execute(statement)
    ]


async def people(connection: AsyncConnection) -> list[Named]:
    """Every name that a person of the journal ever had."""
    statement = select(decisions.c.user_id, decisions.c.user_name).where(decisions.c.user_name.is_not(None)).distinct()
    return [Named(*row) for row in await connection.execute(statement)]


def _is_about(about: About) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if about.pools is not None:
        uuids: dict[str, set[str]] = {}
        for pool in about.pools:
            uuids.setdefault(pool.name.tgc_key, set()).add(pool.uuid)
        of_tgcs = (and_(decisions.c.tgc_key == key, decisions.c.pool_uuid.in_(those)) for key, those in uuids.items())
        which.append(or_(false(), *of_tgcs))
    if about.user_ids is not None:
        which.append(decisions.c.user_id.in_(about.user_ids))
    return which


# Deleting what is too old


async def delete_older(connection: AsyncConnection, kept_from: datetime) -> int:
    """Delete what was decided before then, the only way that the database allows. Returns how many.

    What a card that is not final yet goes by stays: who dismissed or accepted what it shows.
    """
    row = retention.c.journal == _JOURNAL
    await ensure_row(connection, retention, row, journal=_JOURNAL, kept_from=kept_from)
    await connection.execute(update(retention).where(row).values(kept_from=kept_from))
    on_open_cards = select(cards.c.recommendation).where(cards.c.final.is_(False))
    is_needed = decisions.c.recommendation.in_(on_open_cards)
    statement = delete(decisions).where(
        decisions.c.decided_at < kept_from, or_(decisions.c.recommendation.is_(None), ~is_needed)
    )
    return (await connection.execute(statement)).rowcount


def _values(decision: Decision) -> dict[str, Any]:
    seen = None if decision.seen is None else msgspec.json.encode(decision.seen)
    return {**msgspec.structs.asdict(decision), "seen": seen}


def _decision(row: Row[Any]) -> Decision:
    # SQLAlchemy's names are a kind of str that msgspec does not take.
    fields = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - its public name at SQLAlchemy
    return msgspec.convert(fields | {"seen": _seen(row)}, Decision)


def _entry(row: Row[Any]) -> AuditEntry:
    seen = _seen(row)
    return AuditEntry(
        id=row.id,
        decided_at=row.decided_at,
        action=row.action,
        outcome=row.outcome,
        user_id=row.user_id,
        user_name=row.user_name,
        team_id=row.team_id,
        channel_id=row.channel_id,
        tgc=row.tgc_key,
        pool_uuid=row.pool_uuid,
        pool_name=row.pool_name,
        recommendation_id=row.recommendation_id,
        moves=seen.moves if seen else None,
        loses_replication=seen.losing if seen else None,
        typed=row.typed,
        told=row.told,
        tgc_answer=row.tgc_answer,
        offer_id=row.offer_id,
        ticket=row.ticket,
        note=row.note,
        feedback=row.feedback,
    )


def _seen(row: Row[Any]) -> Seen | None:
    return None if row.seen is None else msgspec.json.decode(row.seen, type=Seen)
