"""Which revision the tables are of. Told without Alembic, whose import takes longer than all a start asks of SQLite."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

MIGRATIONS: Final = Path(__file__).parent / "migrations"
KNOWN: Final = frozenset(script.stem.partition("_")[0] for script in (MIGRATIONS / "versions").glob("[0-9]*.py"))
NEWEST: Final = max(KNOWN)
_TABLE = "alembic_version"


class NewerRevisionError(Exception):
    """Another version of the bot has made these tables."""


def current(connection: Connection) -> str | None:
    """None for a database without our tables."""
    if not inspect(connection).has_table(_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant


def load_alembic() -> None:
    """Import what `upgrade` needs."""
    import alembic.command
    import alembic.config  # noqa: F401 - for whoever imports it next


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision. Raises NewerRevisionError."""
    found = current(connection)
    if found == NEWEST:
        return
    if found is not None and found not in KNOWN:
        raise NewerRevisionError(found)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
