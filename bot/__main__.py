"""The command line, `tintri-bot`. Each command imports what only it needs."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

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
    from bot.app import StartError
    from bot.app import run as run_bot
    from bot.storage.database import DatabaseError

    try:
        asyncio.run(run_bot(settings))
    except (StartError, DatabaseError) as error:
        _fail(REFUSED, str(error))


@cli.command()
def reco(
    pool: Annotated[str, typer.Argument(help="A pool's name, or how it begins; without it all pools.")] = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Print what the TGC recommends now. Needs no Slack settings, and changes nothing."""
    settings = _settings(need_slack=False)
    from bot.pools import UnknownPoolError
    from bot.print_reco import print_reco
    from bot.storage.database import DatabaseError
    from tgc.errors import TGCError

    try:
        all_read = asyncio.run(print_reco(settings, pool, as_json=json))
    except UnknownPoolError as error:
        close = f" {'There is' if error.are_all else 'Close to it'}: {', '.join(error.close)}." if error.close else ""
        _fail(WRONG_USAGE, f"{error}{close}")
    except (TGCError, DatabaseError, ValueError) as error:
        _fail(REFUSED, str(error))
    if not all_read:
        raise typer.Exit(REFUSED)


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
    from bot.storage.database import DatabaseError

    form = "json" if json else "csv" if csv else "table"
    try:
        asyncio.run(print_audit(read_database_url(environment(Path(".env"))), about, form=form))
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
    from bot.storage.database import DatabaseError, migrate_database

    try:
        asyncio.run(migrate_database(read_database_url(environment(Path(".env"))).reveal()))
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
    """Check settings, TGC, database, Slack and approvers, and say what to mend. Changes nothing."""
    from bot.print_doctor import print_doctor
    from bot.rendering.escape import is_user_id

    if click is not None and not is_user_id(click):
        _fail(WRONG_USAGE, "--click needs the member ID of a person (U… or W…), which Slack shows in their profile.")
    try:
        is_well = asyncio.run(print_doctor(form="json" if json else "text", click=click))
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

    raise typer.Exit(asyncio.run(run_demo(on_terminal=script)))


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


def _fail(code: int, *sentences: str) -> NoReturn:
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    cli(args=arguments, prog_name="tintri-bot")


if __name__ == "__main__":
    main()
