"""A stage for each scenario."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import stamina
import structlog

from bot.storage.database import Database
from tests.postgresql import Server
from tests.scenarios.places import Place, in_file, on_server
from tests.scenarios.quiet import QuietLoop, as_work
from tests.scenarios.stage import Stage, open_stage


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], QuietLoop]]:
    """The loop of every test here."""
    return {"quiet": QuietLoop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what runs on the real clock: while it waits, the other workers have something to do."""
    items.sort(key=lambda item: item.path.stem not in _ON_THE_REAL_CLOCK)


_ON_THE_REAL_CLOCK = frozenset({"test_kills", "test_replicas", "test_storms", "test_demo"})


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


NewPlace = Callable[[], Place]


@pytest.fixture
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewPlace]:
    """Makes places on the kind of database that `--database` names."""
    if request.config.getoption("database") == "postgresql":
        yield request.getfixturevalue("new_server_place")
    else:
        yield lambda: in_file(_new_folder(tmp_path))


@pytest.fixture
def new_server_place(postgresql: Server, tmp_path: Path) -> Iterator[NewPlace]:
    """Makes places on a server, whatever was asked for."""
    with ExitStack() as stack:
        yield lambda: on_server(_new_folder(tmp_path), postgresql, stack.enter_context(postgresql.database()))


def _new_folder(parent: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=parent))


@pytest.fixture
async def stage(new_place: NewPlace) -> AsyncIterator[Stage]:
    """Three pools with a recommendation each; alice and bob may act."""
    async with open_stage(new_place()) as opened:
        yield opened
