"""A stage for each scenario."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from tests.scenarios.stage import Stage, open_stage


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Reads that the TGC fails are tried again at once; how often and how long is tests/tgc's affair."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Three pools with a recommendation each; alice and bob may act."""
    async with open_stage(tmp_path) as opened:
        yield opened
