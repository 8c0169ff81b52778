"""`/tintri doctor`: how the bot is, for approvers; and the button that `tintri-bot doctor --click` posts."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.doctor.click import Clicks
from bot.doctor.doctor import Doctor as DoctorService
from bot.doctor.doctor import DoctorRefusedError
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.doctor import render_findings
from bot.rendering.views import Message
from bot.tasks import Tasks
from handlers.payloads import Command, read_click
from handlers.replies import answer, no_surprise


class Doctor:
    """The findings, for one person only."""

    def __init__(self, doctor: DoctorService, clicks: Clicks, tasks: Tasks) -> None:
        self._doctor = doctor
        self._clicks = clicks
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.DOCTOR_CLICK)(self.pressed)

    async def answer(self, command: Command, _rest: str) -> Message:
        try:
            return render_findings(await self._doctor.findings(command.actor))
        except DoctorRefusedError as error:
            return render_sentence(str(error))

    async def pressed(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._hear(respond, body)), name="hear the doctor's button")

    async def _hear(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        told = await self._clicks.heard(
            click_id=click.id, actor=click.actor, channel_id=click.channel_id, value=click.value
        )
        await answer(respond, render_sentence(told))
