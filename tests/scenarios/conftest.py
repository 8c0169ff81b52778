"""A stage for each scenario."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import stamina
import structlog

from bot.storage.database import Database
from tests.scenarios.quiet import QuietLoop, as_work
from tests.scenarios.stage import Stage, open_stage


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], QuietLoop]]:
    """The loop of every test here."""
    return {"quiet": QuietLoop}


@pytest.fixture(autouse=True)
def transactions_are_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database works in threads of its own, or elsewhere: the loop does not see it."""
    monkeypatch.setattr(Database, "read", as_work(Database.read))
    monkeypatch.setattr(Database, "write", as_work(Database.write))


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Reads that the TGC fails are tried again at once; how often and how long is tests/tgc's affair."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(autouse=True)
def plain_tracebacks() -> Iterator[None]:
    """As the bot writes them: structlog's own show every local variable, and take longer than the work itself."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Three pools with a recommendation each; alice and bob may act."""
    async with open_stage(tmp_path) as opened:
        yield opened
