"""`/tintri status`: what the bot is at."""

from bot.access import Access
from bot.rendering.answers import render_sentence
from bot.rendering.status import render_status
from bot.rendering.views import Message
from bot.status import Status as StatusService
from handlers.payloads import Command


class Status:
    """What runs, what is planned, what waits, what could not be posted, for one person only."""

    def __init__(self, status: StatusService, access: Access) -> None:
        self._status = status
        self._access = access

    async def answer(self, command: Command, _rest: str) -> Message:
        refusal = await self._access.refusal_to_read(command.actor)
        return render_status(await self._status.now()) if refusal is None else render_sentence(refusal)
