"""All checks, each made whatever the others find. They change nothing, and disturb no running bot."""

from datetime import datetime
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bot.clock import Clock
from bot.doctor.checks import made, named, ok
from bot.doctor.database_check import check_database
from bot.doctor.mail_check import check_mail
from bot.doctor.slack_checks import SlackChecks
from bot.doctor.tgc_checks import TgcChecks
from bot.readings import Readings
from bot.rendering.phrase import DAY_AND_TIME, local
from bot.rendering.views import Finding
from bot.settings import Settings
from bot.slack import Slack
from bot.tasks import together

_RUNS = 3


async def check_all(
    settings: Settings,
    slack: Slack,
    readings: Readings,
    clock: Clock,
    *,
    here: ZoneInfo,
    login_held: str | None = None,
    is_asked_in_slack: bool = False,
) -> list[Finding]:
    """`here`: this machine's zone. `login_held`: why no login may be tried, to follow "as"."""

    async def of_database() -> list[Finding]:
        return [await made("database", partial(check_database, settings.database_url))]

    async def of_mail() -> list[Finding]:
        return [await made("mail", partial(check_mail, settings.smtp_url))]

    tgc, database, slack_and_people, mail = await together(
        (
            TgcChecks(readings, settings, login_held=login_held).findings(),
            of_database(),
            SlackChecks(slack, settings, clock, is_asked_there=is_asked_in_slack).findings(),
            of_mail(),
        )
    )
    schedule = named("schedule", next_runs(settings.reco_schedule, settings.reco_timezone, here, clock.now()))
    return [*tgc, *database, schedule, *slack_and_people, *mail]


def next_runs(schedule: str, zone: ZoneInfo, here: ZoneInfo, now: datetime) -> Finding:
    """When the pools are read next, by the TGC's wall clock and by this machine's."""
    runs = list(islice(CronSim(schedule, now.astimezone(zone)), _RUNS))
    there_told, here_told = _listed(runs, zone), _listed(runs, here)
    also = "" if here_told == there_told else f"; here ({here.key}) that is {here_told}"
    return ok(f"All pools are read next at {there_told} in RECO_TIMEZONE ({zone.key}){also}.")


def _listed(runs: list[datetime], zone: ZoneInfo) -> str:
    return ", ".join(local(run, zone, DAY_AND_TIME) for run in runs)
