"""How the tests are run."""

import os


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of a scenario's time is waiting, for the disk or for processes."""
    return 2 * (os.cpu_count() or 1)
