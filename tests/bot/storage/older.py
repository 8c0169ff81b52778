"""Databases as older bots left them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from bot.storage import migrations
from bot.storage.database import Database
from bot.storage.engines import MIGRATION, open_engine


@asynccontextmanager
async def database_as_of(url: str, revision: str) -> AsyncIterator[Database]:
    """An empty database with the tables that the bot of this revision made."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = open_engine(url, MIGRATION)
    try:
        database = Database(engine)
        async with database.write() as connection:
            await connection.run_sync(upgrade)
        yield database
    finally:
        await engine.dispose()
