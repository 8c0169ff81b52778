"""Reading the journal: who may, which entries are meant, and a page of them."""

import re

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.access import Access, Actor
from bot.clock import Clock
from bot.pools import AmbiguousPoolError, UnknownPoolError, find_names
from bot.rendering import limits
from bot.rendering.audit import ENTRIES_PER_PAGE
from bot.rendering.escape import clean, shorten_name
from bot.rendering.views import AuditPage
from bot.storage import decisions
from bot.storage.database import Database
from bot.storage.decisions import About, Decision, NamedPool, Outcome

AUDIT = "audit"

_MENTION = re.compile(r"<@(?P<id>[A-Z0-9]+)(\|[^>]*)?>")
"""As Slack writes it where the manifest lets it escape names (slack: Slash commands, should_escape)."""


class AuditRefusedError(Exception):
    """The journal was not shown; `str()` says why."""


class NothingAboutError(Exception):
    """No pool or nobody in the journal was ever called that, or pools of several TGCs were; `str()` says so."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to read a page."""

    id: str
    """The same in a redelivery."""
    actor: Actor
    channel_id: str | None
    typed: str
    page: int = 0


class Audit:
    """Shows the journal to approvers, and keeps that others tried."""

    def __init__(self, database: Database, access: Access, clock: Clock, tgc_key: str) -> None:
        self._database = database
        self._access = access
        self._clock = clock
        self._tgc_key = tgc_key

    async def page(self, question: Question) -> AuditPage:
        """Raises AuditRefusedError, NothingAboutError."""
        refusal = await self._access.refusal_anywhere(question.actor)
        if refusal is not None:
            await self._keep(question, refusal)
            raise AuditRefusedError(refusal)
        async with self._database.read() as connection:
            about = await meant(connection, question.typed)
            total = await decisions.count(connection, about)
            last = max(total - 1, 0) // ENTRIES_PER_PAGE
            page = min(question.page, last)
            entries = await decisions.entries(connection, about, skip=page * ENTRIES_PER_PAGE, limit=ENTRIES_PER_PAGE)
        return AuditPage(entries=tuple(entries), total=total, typed=question.typed, page=page, last=last)

    async def _keep(self, question: Question, refusal: str) -> None:
        refused = Decision(
            recommendation=None,
            tgc_key=self._tgc_key,
            pool_uuid=None,
            action=AUDIT,
            offer_id=None,
            typed=clean(question.typed),
            team_id=question.actor.team_id,
            user_id=question.actor.user_id,
            user_name=question.actor.name,
            channel_id=question.channel_id,
            decided_at=self._clock.now(),
            outcome=Outcome.NOT_ALLOWED,
            told=refusal,
            command_id=question.id,
        )
        async with self._database.write() as connection:
            await decisions.add_refusal(connection, refused)


async def meant(connection: AsyncConnection, typed: str) -> About:
    """The entries of a pool by any name it ever had in the journal, or of a person (`@name` or a mention).

    Raises NothingAboutError.
    """
    typed = typed.strip()
    mention = _MENTION.fullmatch(typed)
    if mention is not None:
        return About(user_ids={mention["id"]})
    if typed.startswith("@"):
        return About(user_ids=await _people(connection, typed.removeprefix("@").strip()))
    if typed:
        return About(pools=await _pools(connection, typed))
    return About()


async def _pools(connection: AsyncConnection, typed: str) -> list[NamedPool]:
    pools = await decisions.pools(connection)
    try:
        names = find_names([pool.name for pool in pools], typed)
    except AmbiguousPoolError as error:
        raise NothingAboutError(str(error)) from error
    except UnknownPoolError as error:
        close = ", ".join(shorten_name(clean(name), limits.NAME) for name in error.close)
        raise NothingAboutError(
            f"No entry is about a pool called “{shorten_name(clean(typed), limits.NAME)}”"
            + (f"; there are entries about {close}." if close else ".")
        ) from error
    return [pool for pool in pools if pool.name in names]


async def _people(connection: AsyncConnection, name: str) -> set[str]:
    wanted = name.casefold()
    people = await decisions.people(connection)
    found = {person.id for person in people if wanted in {person.name.casefold(), person.id.casefold()}}
    if not found:
        raise NothingAboutError(
            f"No entry is about anybody called “@{shorten_name(clean(name), limits.NAME)}”:"
            " give a name or a member ID as the entries show it."
        )
    return found
