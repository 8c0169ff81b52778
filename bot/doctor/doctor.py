"""`/tintri doctor`: the checks for the running bot, made once for all who ask at the same time."""

from zoneinfo import ZoneInfo

from bot.access import Access, Actor
from bot.clock import Clock
from bot.doctor.checks import named, ok, warning
from bot.doctor.checkup import check_all
from bot.readings import Shared
from bot.rendering.views import Finding
from bot.settings import Settings
from bot.slack import Slack
from bot.tgcs import Tgcs


class DoctorRefusedError(Exception):
    """The findings were not shown; `str()` says why."""


class Doctor:
    """Shows approvers how the bot is. `here`: this machine's zone."""

    def __init__(
        self, *, settings: Settings, access: Access, slack: Slack, tgcs: Tgcs, clock: Clock, here: ZoneInfo
    ) -> None:
        self.settings = settings
        """A reload changes them."""
        self._access = access
        self._slack = slack
        self._tgcs = tgcs
        self._clock = clock
        self._here = here
        self._findings: Shared[list[Finding]] = Shared(clock)

    async def findings(self, actor: Actor) -> list[Finding]:
        """Raises DoctorRefusedError."""
        refusal = await self._access.refusal_anywhere(actor)
        if refusal is not None:
            raise DoctorRefusedError(refusal)
        return await self._findings.get("", self._look)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._findings.close()

    async def _look(self) -> list[Finding]:
        settings = [named("settings", warning(sentence)) for sentence in self.settings.warnings]
        found = await check_all(
            self.settings, self._slack, self._tgcs, self._clock, here=self._here, is_asked_in_slack=True
        )
        return [*(settings or [named("settings", ok("The bot runs with them."))]), *found]
