"""What tests of every folder may use."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgresql import Server, running_server

# A busy machine is no mistake, so there are no deadlines. `make torture` looks for longer.
settings.register_profile("everyday", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile("everyday")


def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: half of a scenario's time is waiting, for the disk or for processes."""
    return 3 * (os.cpu_count() or 1) // 2 or 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="what the scenarios keep their records in; some need one of the two whatever is asked for",
    )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for all tests of this process; each makes its own database in it."""
    with running_server() as server:
        yield server


@pytest.fixture
def empty(postgresql: Server) -> Iterator[str]:
    """The name of an empty database in it."""
    with postgresql.database() as name:
        yield name


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server for one test, which may stop it."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.extended)])
def either(request: pytest.FixtureRequest) -> str:
    """The test runs on both."""
    return str(request.param)
