"""All checks, each made whatever the others find. They change nothing, and disturb no running bot."""

from datetime import datetime
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bot.clock import Clock
from bot.doctor.checks import made, named, not_made, ok
from bot.doctor.database_check import check_database
from bot.doctor.mail_check import check_mail
from bot.doctor.slack_checks import SlackChecks
from bot.doctor.tgc_checks import TgcChecks, check_routes, check_rules
from bot.rendering.phrase import DAY_AND_TIME, local
from bot.rendering.views import Finding
from bot.settings import Settings, TgcSettings
from bot.slack import Slack
from bot.tasks import together
from bot.tgcs import Tgcs

_RUNS = 3


async def check_all(
    settings: Settings,
    slack: Slack,
    tgcs: Tgcs,
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

    of_tgcs, database, slack_and_people, mail = await together(
        (
            _of_tgcs(settings, tgcs, login_held),
            of_database(),
            SlackChecks(slack, settings, clock, is_asked_there=is_asked_in_slack).findings(),
            of_mail(),
        )
    )
    schedules = [named(_named("schedule", tgc, tgcs), next_runs(tgc, here, clock.now())) for tgc in settings.tgcs]
    return [*of_tgcs, *database, *schedules, *slack_and_people, *mail]


async def _of_tgcs(settings: Settings, tgcs: Tgcs, login_held: str | None) -> list[Finding]:
    checks = [TgcChecks(tgcs.of(tgc.key), tgc, settings, login_held=login_held) for tgc in settings.tgcs]
    findings = [finding for found in await together(one.findings() for one in checks) for finding in found]
    if not tgcs.are_many:
        return findings
    of_all = {
        **({"pool rules": check_rules} if settings.config.pools else {}),
        **({"routes": check_routes} if settings.config.routes else {}),
    }
    read = [one.pools for one in checks if one.pools is not None]
    if len(read) < len(checks):
        return [*findings, *not_made(of_all, "not every TGC tells its pools")]
    pools = [pool for of_tgc in read for pool in of_tgc]
    return [*findings, *(named(name, check(settings, pools)) for name, check in of_all.items())]


def _named(name: str, tgc: TgcSettings, tgcs: Tgcs) -> str:
    return f"{tgc.key} {name}" if tgcs.are_many else name


def next_runs(tgc: TgcSettings, here: ZoneInfo, now: datetime) -> Finding:
    """When the pools are read next, by the TGC's wall clock and by this machine's."""
    schedule, zone = tgc.schedule, tgc.zone
    runs = list(islice(CronSim(schedule, now.astimezone(zone)), _RUNS))
    there_told, here_told = _listed(runs, zone), _listed(runs, here)
    also = "" if here_told == there_told else f"; here ({here.key}) that is {here_told}"
    return ok(f"All pools are read next at {there_told} in {tgc.named('RECO_TIMEZONE')} ({zone.key}){also}.")


def _listed(runs: list[datetime], zone: ZoneInfo) -> str:
    return ", ".join(local(run, zone, DAY_AND_TIME) for run in runs)
