"""Snooze, the button of a reminder."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.reminders import Reminders, SnoozePress
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.tasks import Tasks
from handlers.payloads import read_click
from handlers.replies import answer, no_surprise


class Snooze:
    """Puts a reminder off, for all who read it; so it takes an approver."""

    def __init__(self, reminders: Reminders, tasks: Tasks) -> None:
        self._reminders = reminders
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.SNOOZE)(self.pressed)

    async def pressed(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._snooze(respond, body)), name="snooze")

    async def _snooze(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        press = SnoozePress(id=click.id, actor=click.actor, channel_id=click.channel_id, offer_id=click.value)
        await answer(respond, render_sentence(await self._reminders.snooze(press)))
