"""The command line, `tintri-bot`. Each command imports what only it needs."""

import gc
import os
import sys
from collections.abc import Coroutine, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

REFUSED, WRONG_USAGE = 1, 2
"""Exit codes: the TGC or Slack refused or failed · wrong usage or settings."""

cli = typer.Typer(
    help="Brings the Tintri Global Center's recommendations into Slack, with Accept and Dismiss.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def run() -> None:
    """Run the bot until it is told to stop. Settings come from the environment, over .env."""
    settings = _settings(need_slack=True)
    environ = dict(os.environ)  # as it is now: bot.app takes out of it what Bolt would read
    from bot.app import StartError
    from bot.app import run as run_bot
    from bot.settings import environment, read_settings
    from bot.storage.errors import DatabaseError

    def reread() -> "Settings":
        return read_settings(environment(Path(".env"), environ), need_slack=True)

    # What is imported stays until the end: to look through it again and again would hold up the event loop each time.
    gc.freeze()
    try:
        _run(run_bot(settings, reread))
    except (StartError, DatabaseError) as error:
        _fail(REFUSED, str(error))


@cli.command()
def reco(
    pool: Annotated[str, typer.Argument(help="A pool's name, or how it begins; without it all pools.")] = "",
    *,
    pools: Annotated[
        list[str] | None,
        typer.Option("--pool", metavar="NAME", help="A pool's whole name, or a pattern such as Test*; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Accept what is printed, after a question each.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --accept: ask nothing, as for cron.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Watch the moves until they have ended.")] = False,
    mail_to: Annotated[
        list[str] | None,
        typer.Option("--mail-to", metavar="ADDRESS", help="Mail what is printed as well, by SMTP_URL; repeatable."),
    ] = None,
) -> None:
    """Print what the TGC recommends now. Needs no Slack settings, and changes nothing without --accept."""
    _check_reco(json=json, accept=accept, yes=yes, follow=follow, mail=bool(mail_to))
    addresses = _addresses(mail_to or [])
    settings = _settings(need_slack=False)
    if addresses and settings.smtp_url is None:
        _fail(
            WRONG_USAGE, "SMTP_URL is missing, and --mail-to is given: give smtps://USER:PASSWORD@HOST or smtp://HOST."
        )
    from rich.console import Console

    from bot.pools import AmbiguousPoolError, UnknownPoolError
    from bot.print_reco import NotMailedError, Wanted, print_reco
    from bot.rendering.escape import clean
    from bot.screen import Screen
    from bot.storage.errors import DatabaseError
    from tgc.errors import TGCError

    wanted = Wanted(
        beginning=pool,
        patterns=tuple(pools or ()),
        as_json=json,
        accept=accept,
        is_agreed=yes,
        follow=follow,
        mail_to=addresses,
    )
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal knows every name
    screen = Screen(Console(highlight=False), settings.reco_timezone)
    try:
        all_well = _run(print_reco(settings, wanted, screen))
    except UnknownPoolError as error:
        close = f" {'There is' if error.are_all else 'Close to it'}: {', '.join(error.close)}." if error.close else ""
        _fail(WRONG_USAGE, clean(f"{error}{close}"))
    except AmbiguousPoolError as error:
        _fail(WRONG_USAGE, clean(str(error)))
    except (TGCError, DatabaseError, NotMailedError, ValueError) as error:
        _fail(REFUSED, str(error))
    except KeyboardInterrupt:
        raise typer.Exit(REFUSED) from None
    if not all_well:
        raise typer.Exit(REFUSED)


def _check_reco(*, json: bool, accept: bool, yes: bool, follow: bool, mail: bool) -> None:
    if yes and not accept:
        _fail(WRONG_USAGE, "--yes answers the questions of --accept, which is not given.")
    if json and (accept or follow):
        _fail(WRONG_USAGE, "--json prints what is recommended and no more: leave out --accept and --follow.")
    if mail and (accept or follow):
        _fail(WRONG_USAGE, "--mail-to mails what is recommended and no more: leave out --accept and --follow.")
    if accept and not yes and not sys.stdin.isatty():
        _fail(WRONG_USAGE, "There is no terminal to ask on: give --yes to accept without a question.")


def _addresses(texts: Sequence[str]) -> tuple[str, ...]:
    from bot.settings import parse_address

    try:
        return tuple(dict.fromkeys(parse_address(text.strip()) for text in texts))
    except ValueError as mistake:
        _fail(WRONG_USAGE, f"--mail-to is no address: {mistake}.")


@cli.command()
def audit(
    about: Annotated[
        str, typer.Argument(metavar="POOL|@USER", help="A pool, by any name it had, or a person; without it all.")
    ] = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
) -> None:
    """Print who decided what, refusals too, newest first. Needs the database alone, and changes nothing."""
    if json and csv:
        _fail(WRONG_USAGE, "--json and --csv are both given: keep one of them.")
    from bot.audit import NothingAboutError
    from bot.print_audit import print_audit
    from bot.settings import SettingsError, environment, read_database_url
    from bot.storage.errors import DatabaseError

    form = "json" if json else "csv" if csv else "table"
    try:
        _run(print_audit(read_database_url(environment(Path(".env"))), about, form=form))
    except SettingsError as error:
        _fail(WRONG_USAGE, *error.mistakes)
    except NothingAboutError as error:
        _fail(WRONG_USAGE, str(error))
    except DatabaseError as error:
        _fail(REFUSED, str(error))


@cli.command()
def migrate() -> None:
    """Create the database or bring it up to date, and end; `run` does so by itself."""
    from bot.settings import SettingsError, environment, read_database_url
    from bot.storage.database import migrate_database
    from bot.storage.errors import DatabaseError

    try:
        _run(migrate_database(read_database_url(environment(Path(".env"))).reveal()))
    except SettingsError as error:
        _fail(WRONG_USAGE, *error.mistakes)
    except DatabaseError as error:
        _fail(REFUSED, str(error))


@cli.command()
def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    click: Annotated[
        str | None,
        typer.Option("--click", metavar="USER", help="Also post a button to this member ID, and wait for the press."),
    ] = None,
) -> None:
    """Check settings, TGC, database, Slack, approvers and mail, and say what to mend. Changes nothing."""
    from bot.print_doctor import print_doctor
    from bot.rendering.escape import is_user_id

    if click is not None and not is_user_id(click):
        _fail(WRONG_USAGE, "--click needs the member ID of a person (U… or W…), which Slack shows in their profile.")
    try:
        is_well = _run(print_doctor(form="json" if json else "text", click=click))
    except ValueError as error:
        _fail(REFUSED, str(error))
    if not is_well:
        raise typer.Exit(REFUSED)


@cli.command()
def demo(
    *,
    script: Annotated[bool, typer.Option("--script", help="Show a tour on the terminal instead, and end.")] = False,
) -> None:
    """Run the whole bot between a simulated TGC and a local stand-in for Slack, to try in a browser."""
    from bot.demo import run_demo

    raise typer.Exit(_run(run_demo(on_terminal=script)))


@cli.command()
def manifest(
    *,
    request_url: Annotated[
        str | None, typer.Option("--request-url", help="The bot's public URL: prints the manifest for HTTP mode.")
    ] = None,
) -> None:
    """Print the Slack app's manifest: for Socket Mode, or with --request-url for HTTP."""
    from bot.manifest import manifest as text_of

    try:
        typer.echo(text_of(request_url=request_url), nl=False)
    except ValueError as error:
        _fail(WRONG_USAGE, str(error))


def _settings(*, need_slack: bool) -> "Settings":
    """Read the settings, or end with every mistake in them."""
    from bot.logs import configure
    from bot.settings import SettingsError, environment, read_settings

    try:
        settings = read_settings(environment(Path(".env")), need_slack=need_slack)
    except SettingsError as error:
        _fail(WRONG_USAGE, *error.mistakes)
    configure(settings.log_level, settings.log_format, settings.secrets())
    import structlog

    for warning in settings.warnings:
        structlog.get_logger("bot.settings").warning(warning)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    return asyncio.run(work)


def _fail(code: int, *sentences: str) -> NoReturn:
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    cli(args=arguments, prog_name="tintri-bot")


if __name__ == "__main__":
    main()
