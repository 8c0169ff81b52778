"""`tintri-bot reco`: the same content as in Slack, as text or as JSON. It reads the TGC, and changes nothing.

Where the bot has a database, a login that the TGC refused is remembered there, as the bot does.
"""

from typing import Any

import msgspec
import typer

from bot.card_views import view_of_reading
from bot.clock import SystemClock
from bot.readings import PoolReading, Readings
from bot.rendering.content import content
from bot.rendering.plain import plain_report
from bot.rendering.views import CardView, PoolAnswer, Report
from bot.reports import Reports
from bot.settings import Settings
from bot.storage.database import open_existing_database
from bot.tgc_link import PATIENCE_S, open_tgc
from bot.vm_names import VmNames


async def print_reco(settings: Settings, typed: str, *, as_json: bool) -> bool:
    """Print the pools that `typed` means; False where one could not be read.

    Raises TGCError, UnknownPoolError and DatabaseError.
    """
    clock = SystemClock()
    async with (
        open_existing_database(settings.database_url.reveal()) as database,
        open_tgc(settings, clock, database) as tgc,
    ):
        vm_names = VmNames(tgc.client, clock, patience_s=PATIENCE_S)

        async def view_of(reading: PoolReading) -> CardView:
            names = await vm_names.look_up(reading.recommendation, {}) if reading.recommendation else {}
            return view_of_reading(tgc, reading, clock.now(), names)

        report = await Reports(Readings(tgc, clock), view_of, clock).report(typed)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_plain(report)), indent=2).decode())
    else:
        typer.echo(plain_report(report, zone=settings.reco_timezone), nl=False)
    return all(answer.problem is None for answer in report.pools)


def _plain(report: Report) -> dict[str, Any]:
    return {"tgc": report.tgc_name, "read_at": report.read_at, "pools": [_pool(answer) for answer in report.pools]}


def _pool(answer: PoolAnswer) -> dict[str, Any]:
    """`recommendation` is in the TGC's own shape, so what is documented there holds here."""
    if answer.view is None:
        return {"pool": answer.pool_name, "problem": answer.problem}
    return {
        "pool": answer.pool_name,
        "standing": answer.view.standing,
        "finding": content(answer.view).finding,
        "vm_names": answer.view.vm_names,
        "recommendation": answer.view.recommendation,
    }
