"""The mail server: is it reached, whom it lets in, and is what goes there encrypted. Nothing is sent."""

from bot.doctor.checks import error, ok, warning
from bot.rendering.views import Finding
from bot.settings import Secret
from bot.smtp import LoginRefusedError, Smtp, SmtpError
from bot.smtp_url import parse_smtp_url
from tgc.sending import always


async def check_mail(smtp_url: Secret | None) -> Finding:
    if smtp_url is None:
        return ok("It is not used, as SMTP_URL is not given.")
    server = parse_smtp_url(smtp_url.reveal())
    try:
        is_encrypted = await Smtp(server, always).check()
    except LoginRefusedError as refusal:
        return error(str(refusal), "Correct them before you ask again: each time is a try, and accounts lock.")
    except SmtpError as failure:
        return error(str(failure))
    where = f"{server.host}:{server.port}"
    if server.login:
        return ok(f"{where} takes the login of SMTP_URL, encrypted.")
    if is_encrypted:
        return ok(f"{where} is reached, encrypted and without a login.")
    return warning(
        f"{where} is reached without a login and offers no STARTTLS, so mail goes out in clear text.",
        "Leave it so only where you trust the network on the way.",
    )
