"""`/tintri who`: what somebody may do here, and why."""

from bot.rendering.views import Message
from bot.rendering.who import render_who
from bot.who import Who as WhoService
from handlers.payloads import Command


class Who:
    """Answers whoever asks about themselves, also those who may nothing."""

    def __init__(self, who: WhoService) -> None:
        self._who = who

    async def answer(self, command: Command, _rest: str) -> Message:
        return render_who(await self._who.about(command.actor))
