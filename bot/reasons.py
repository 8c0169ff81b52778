"""What people write beside their decisions: the form of an accept, why something was dismissed, a note on an accept.

A reason or a note is an entry of the journal of its own, and changes nothing else: the card shows the newest.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.card_thread import CardThread
from bot.card_views import CardViews
from bot.clock import Clock
from bot.rendering.notices import render_written
from bot.rendering.views import Action, CardView
from bot.requests import Refusal, Request, Requests, Target, error_of, not_as_seen
from bot.storage import cards, decisions, recommendations
from bot.storage.database import Database
from bot.storage.decisions import ADD_NOTE, SAY_WHY, WRITTEN_OF, Outcome

_OF = {later: action for action, later in WRITTEN_OF.items()}
_OVER = {
    SAY_WHY: "It is not dismissed any more, so there is no reason to give.",
    ADD_NOTE: "Nobody here has accepted it, or it was cancelled, so there is nothing to note.",
}
_KEPT = {SAY_WHY: "Your reason is kept.", ADD_NOTE: "Your note is kept."}


class Reasons:
    """Checks who writes and about what, and keeps it."""

    def __init__(
        self, *, database: Database, views: CardViews, thread: CardThread, clock: Clock, requests: Requests
    ) -> None:
        self._database = database
        self._views = views
        self._thread = thread
        self._clock = clock
        self._requests = requests

    async def accept_form(self, request: Request) -> CardView:
        """What the form of an accept shows; its submission is judged like every press. Raises RefusedError."""
        target = await self._requests.checked(request, Action.ACCEPT, request.value)
        refusal = not_as_seen(target.offer, target.stored, self._clock.now())
        if refusal is not None:
            raise await self._requests.refused(request, Action.ACCEPT, target, refusal)
        return await self._view(target)

    async def form(self, request: Request, what: str) -> CardView:
        """What to write about. Raises RefusedError."""
        target = await self._requests.checked(request, what, request.value)
        async with self._database.read() as connection:
            refusal = await self._over(connection, target, what)
        if refusal is not None:
            raise await self._requests.refused(request, what, target, refusal)
        return await self._view(target)

    async def keep(self, request: Request, what: str) -> str:
        """Keep what somebody wrote, once however often it is delivered, and say so. Raises RefusedError."""
        target = await self._requests.checked(request, what, request.value)
        told = f"{target.stored.pool_name}: {_KEPT[what]}"
        async with self._database.write() as connection:
            if await decisions.was_done(connection, request.id):
                return told
            refusal = await self._over(connection, target, what)
            if refusal is None:
                await self._keep(connection, request, what, target, told)
            else:
                await self._requests.keep_refusal(connection, request, what, target, refusal)
        if refusal is not None:
            raise error_of(target, refusal)
        return told

    async def _keep(self, connection: AsyncConnection, request: Request, what: str, target: Target, told: str) -> None:
        row_id = target.stored.row_id
        await decisions.add(connection, self._requests.decision(request, what, target, Outcome.DONE, told))
        message = render_written(request.actor.user_id, _OF[what], request.note or "")
        await self._thread.reply(connection, row_id, key=f"written/{request.id}", kind="written", message=message)
        await cards.mark_all_dirty(connection, row_id)

    async def _over(self, connection: AsyncConnection, target: Target, what: str) -> Refusal | None:
        """Why there is nothing any more to write about."""
        newest = await decisions.newest_effective(connection, target.stored.row_id)
        is_there = newest is not None and newest.action == _OF[what]
        return None if is_there else Refusal(Outcome.TAKEN, _OVER[what])

    async def _view(self, target: Target) -> CardView:
        async with self._database.read() as connection:
            stored = await recommendations.by_row_id(connection, target.stored.row_id)
            return await self._views.view(connection, stored)
