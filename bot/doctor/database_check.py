"""The database: is it there, does it fit this version, can it be written to. Nothing is made and nothing migrated."""

import os
from pathlib import Path

from bot.doctor.checks import error, ok, warning
from bot.rendering.views import Finding
from bot.settings import Secret
from bot.storage.database import Age, open_existing_database, read_age
from bot.storage.engines import file_of
from bot.storage.errors import DatabaseError


async def check_database(database_url: Secret) -> Finding:
    url = database_url.reveal()
    file = file_of(url)
    if file is not None and not file.is_file():
        return _missing(file)
    try:
        match await read_age(url):
            case Age.UNMADE:
                return warning("It has no tables of the bot yet; the first start makes them.")
            case Age.OLDER:
                return warning("It comes from an older version; the next start brings it up to date.")
            case Age.SAME:
                async with open_existing_database(url):  # that tries to write
                    return ok("It is there, up to date and can be written to.")
    except DatabaseError as failure:
        return error(str(failure))


def _missing(file: Path) -> Finding:
    folder = file.absolute().parent
    if file.exists() or not folder.is_dir():
        return error(f"There can be no database at {file.absolute()}.", "Create its folder, or correct DATABASE_URL.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return error(
            f"The folder {folder} cannot be written to.", "Give it to the bot's user, or correct DATABASE_URL."
        )
    return warning(f"{file} is not there yet; the first start makes it.")
