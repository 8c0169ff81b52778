"""Accept, Dismiss, Reopen, Cancel: a press becomes a record, and the decision protocol does the rest."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.clock import Clock
from bot.decisions import Decider
from bot.rendering import ids
from bot.rendering.views import Action
from bot.storage.presses import Press
from bot.tasks import Tasks
from handlers.payloads import read_click
from handlers.replies import Replies

_ACTIONS = {
    ids.ACCEPT: Action.ACCEPT,
    ids.DISMISS: Action.DISMISS,
    ids.REOPEN: Action.REOPEN,
    ids.CANCEL: Action.CANCEL,
}


class Decide:
    """Listens to the buttons that change something."""

    def __init__(self, decider: Decider, replies: Replies, tasks: Tasks, clock: Clock) -> None:
        self._decider = decider
        self._replies = replies
        self._tasks = tasks
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        for action_id in _ACTIONS:
            app.action(action_id)(self.pressed)

    async def pressed(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(self._replies.no_surprise(respond, body, self._decide(respond, body)), name="decide")

    async def _decide(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        press = Press(
            id=click.id,
            action=_ACTIONS[click.action_id],
            offer_id=click.value,
            team_id=click.actor.team_id,
            user_id=click.actor.user_id,
            user_name=click.actor.name,
            channel_id=click.channel_id,
            pressed_at=self._clock.now(),
        )
        # An answer that only this person sees is not a card: it is replaced by what came of the press.
        show = partial(self._replies.show, respond, click, replace_original=click.is_ephemeral)
        await self._decider.press(press, show)
