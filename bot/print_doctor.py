"""`tintri-bot doctor`: every check that can be made before the bot runs, or beside it. It changes nothing.

With `--click` it posts a button to one person, and nothing else.
"""

import os
import sys
from contextlib import AsyncExitStack
from functools import partial
from io import TextIOWrapper
from pathlib import Path

import typer

from bot import logs
from bot.clock import Clock, SystemClock
from bot.doctor.checks import WITHIN_S, made, not_made
from bot.doctor.checkup import check_all
from bot.doctor.click import WAIT_S, check_click
from bot.doctor.settings_check import check_settings
from bot.readings import Readings
from bot.rendering.doctor import as_json, as_text, is_well
from bot.rendering.views import Finding
from bot.settings import Settings, machine_zone
from bot.slack import Slack, slack_session
from bot.storage.database import Database, open_existing_database
from bot.storage.errors import DatabaseError
from bot.tgc_link import open_tgcs
from bot.tgcs import Tgcs
from tgc.sending import always

_TGC_TIMEOUT_S = 6.0
"""For one answer; a read is tried three times."""


async def print_doctor(*, form: str, click: str | None) -> bool:
    """Print what was found, as `text` or `json`; False where something is wrong. `click`: who is to press a button.

    Raises ValueError, one sentence, for a CA file that cannot be used.
    """
    settings, findings = check_settings(Path(".env"))
    if settings is None:
        names = ("TGC", "database", "schedule", "Slack", "approvers", "mail", *(("click",) if click else ()))
        rest = not_made(names, "the settings must be mended first")
    else:
        # What it would warn of is among the findings.
        level = "DEBUG" if settings.log_level == "DEBUG" else "ERROR"
        logs.configure(level, settings.log_format, settings.secrets())
        rest = await examine(settings, SystemClock(), click=click)
    findings = [*findings, *rest]
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal knows every name
    typer.echo(as_json(findings) if form == "json" else as_text(findings), nl=False)
    return is_well(findings)


async def examine(settings: Settings, clock: Clock, *, click: str | None = None) -> list[Finding]:
    """All but the settings themselves, with a session of its own at the TGC that ends here."""
    login_held = None
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_existing_database(settings.database_url.reveal()))
        except DatabaseError:
            database = None
            login_held = "the database that remembers refused logins cannot be used, and accounts lock"
        session = await stack.enter_async_context(slack_session(always))
        connected = await stack.enter_async_context(open_tgcs(settings, clock, database, timeout_s=_TGC_TIMEOUT_S))
        tgcs = Tgcs((Readings(tgc, clock) for tgc in connected), patience_s=None)
        stack.push_async_callback(tgcs.close)
        token = settings.slack_bot_token.reveal() if settings.slack_bot_token else ""
        slack = Slack(token, base_url=settings.slack_api_url, session=session)
        here = machine_zone(os.environ)
        findings = await check_all(settings, slack, tgcs, clock, here=here, login_held=login_held)
        if click is not None:
            findings.append(await _clicked(slack if token else None, database, clock, click))
        return findings


async def _clicked(slack: Slack | None, database: Database | None, clock: Clock, user_id: str) -> Finding:
    typer.echo(f"Waiting for {user_id} to press the button, for up to {WAIT_S} s.", err=True)
    return await made("click", partial(check_click, slack, database, clock, user_id), within_s=WAIT_S + WITHIN_S)
