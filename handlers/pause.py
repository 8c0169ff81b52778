"""`/tintri pause [pool] [hours]` and `/tintri resume [pool]`."""

from collections.abc import Awaitable, Callable

from bot.pausing import Order, PauseRefusedError
from bot.pools import AmbiguousPoolError, UnknownPoolError
from bot.rendering.answers import render_sentence, render_unknown_pool
from bot.rendering.views import Message
from handlers.payloads import Command
from tgc.errors import TGCError


class Pause:
    """One of the two; which is told by the service method given."""

    def __init__(self, carry_out: Callable[[Order], Awaitable[str]]) -> None:
        self._carry_out = carry_out

    async def answer(self, command: Command, rest: str) -> Message:
        order = Order(id=command.id, actor=command.actor, channel_id=command.channel_id, typed=rest)
        try:
            return render_sentence(await self._carry_out(order))
        except UnknownPoolError as error:
            return render_unknown_pool(error.typed, error.close, are_all=error.are_all)
        except (PauseRefusedError, AmbiguousPoolError, TGCError) as error:
            return render_sentence(str(error))
