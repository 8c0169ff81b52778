"""`tintri-bot reco --mail-to`: the report that is printed goes out as a mail, too."""

from collections.abc import Sequence
from datetime import datetime

from bot.mail_message import compose_report
from bot.rendering.mail import render_report
from bot.rendering.views import Report
from bot.settings import Settings
from bot.smtp import Smtp
from bot.smtp_url import parse_smtp_url
from tgc.sending import always


async def mail_report(report: Report, settings: Settings, to: Sequence[str], at: datetime) -> None:
    """Once: cron runs it again. Raises SmtpError, also where only some of the addresses take it."""
    if settings.smtp_url is None or settings.mail_from is None:
        raise ValueError("SMTP_URL or MAIL_FROM is missing: give both.")
    mail = compose_report(render_report(report, zone=settings.reco_timezone), sender=settings.mail_from, to=to, at=at)
    smtp = Smtp(parse_smtp_url(settings.smtp_url.reveal()), always, named_in="--mail-to")
    await smtp.send(mail, sender=settings.mail_from, recipients=to)
