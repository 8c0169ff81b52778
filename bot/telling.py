"""Telling a presser what came of it, where the place where they pressed takes no answer any more."""

from bot.rendering.views import Message
from bot.slack import Slack, SlackRefusedError
from bot.storage.presses import Press


class Telling:
    """Tells in a direct message: what one person sees in a channel is lost on who is away."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    async def tell(self, press: Press, message: Message) -> None:
        """Raises SlackError. The channel is for where Slack takes no direct messages."""
        if press.is_typed or press.is_automatic:
            return  # that process is gone, or nobody is there: the journal tells what became of it, and the thread
        try:
            await self._slack.post(press.user_id, message, key=f"answer/{press.id}", facts={}, thread_ts=None)
        except SlackRefusedError:
            if press.channel_id is None:
                raise
            await self._slack.tell(press.channel_id, press.user_id, message)
