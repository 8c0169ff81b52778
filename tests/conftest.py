"""How the tests are run."""

import os


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of what a scenario takes is waiting, for the disk and for processes that start and die."""
    return 2 * (os.cpu_count() or 1)
