"""`/tintri doctor`: how the bot is, for approvers."""

from bot.doctor.doctor import Doctor as DoctorService
from bot.doctor.doctor import DoctorRefusedError
from bot.rendering.answers import render_sentence
from bot.rendering.doctor import render_findings
from bot.rendering.views import Message
from handlers.payloads import Command


class Doctor:
    """The findings, for one person only."""

    def __init__(self, doctor: DoctorService) -> None:
        self._doctor = doctor

    async def answer(self, command: Command, _rest: str) -> Message:
        try:
            return render_findings(await self._doctor.findings(command.actor))
        except DoctorRefusedError as error:
            return render_sentence(str(error))
