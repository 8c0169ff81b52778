"""The modules of `benchmarks.figures`, in the order in which they run."""

from typing import Final

FIGURES: Final = (
    "sweep",
    "command_line",
    "acknowledgement",
    "crowd",
    "start",
    "memory",
    "long_plan",
    "quiet_round",
    "many_pools",
    "decisions",
    "statements",
)
