"""`tintri-bot audit`: the journal, newest first. It reads the database alone and changes nothing."""

import sys
from io import TextIOWrapper

import typer
from rich.console import Console

from bot.audit import meant
from bot.rendering.audit_export import as_csv, as_json, as_table
from bot.rendering.views import AuditEntry
from bot.settings import Secret
from bot.storage import decisions
from bot.storage.database import read_database


async def print_audit(database_url: Secret, typed: str, *, form: str) -> None:
    """Print the entries that `typed` means: `form` is `table`, `json` or `csv`.

    Raises DatabaseError, NothingAboutError.
    """
    entries = await _entries(database_url, typed)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal knows every name
    match form:
        case "json":
            typer.echo(as_json(entries), nl=False)
        case "csv":
            typer.echo(as_csv(entries), nl=False)
        case _ if entries:
            Console(highlight=False).print(as_table(entries))
        case _:
            typer.echo("There are no entries.")


async def _entries(database_url: Secret, typed: str) -> list[AuditEntry]:
    async with read_database(database_url.reveal()) as database, database.read() as connection:
        return await decisions.entries(connection, await meant(connection, typed))
