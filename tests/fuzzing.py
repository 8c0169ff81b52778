"""One body, two efforts: a few examples that are always the same in `make test`, many new ones in `make torture`."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import HypothesisWarning


@dataclass(frozen=True)
class Fuzz:
    """Runs a function that `given` made. What fails in `make torture` is printed, and belongs into an `@example`."""

    examples: int
    is_random: bool

    def __call__(self, check: Callable[[], None]) -> None:
        effort = settings(
            max_examples=self.examples,
            derandomize=not self.is_random,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
            effort(check)()


def fuzzed(*, few: int, many: int) -> pytest.MarkDecorator:
    """Gives a test its `fuzz`."""
    return pytest.mark.parametrize(
        "fuzz",
        [
            pytest.param(Fuzz(few, is_random=False), id="few"),
            pytest.param(Fuzz(many, is_random=True), id="many", marks=pytest.mark.torture),
        ],
    )
