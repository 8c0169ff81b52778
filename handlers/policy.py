"""`/tintri policy [pool]`: what each policy makes of what a pool has now."""

from bot.access import Access
from bot.policy_answers import PolicyAnswers
from bot.pools import AmbiguousPoolError, UnknownPoolError
from bot.rendering.answers import render_sentence, render_unknown_pool
from bot.rendering.policy import render_policies
from bot.rendering.views import Message
from handlers.payloads import Command
from tgc.errors import TGCError


class Policy:
    """Which policy matches and which does not, and why, for one person only."""

    def __init__(self, answers: PolicyAnswers, access: Access) -> None:
        self._answers = answers
        self._access = access

    async def answer(self, command: Command, rest: str) -> Message:
        refusal = await self._access.refusal_to_read(command.actor)
        if refusal is not None:
            return render_sentence(refusal)
        try:
            return render_policies(await self._answers.of(rest))
        except UnknownPoolError as error:
            return render_unknown_pool(error.typed, error.close, are_all=error.are_all)
        except (AmbiguousPoolError, TGCError) as error:
            return render_sentence(str(error))
