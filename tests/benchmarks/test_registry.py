"""Every figure is measured by `make bench`. What it measures is told there, and tested nowhere."""

from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.registry import FIGURES


def test_every_module_of_a_figure_is_registered_once() -> None:
    [folder] = figures.__path__
    assert sorted(FIGURES) == sorted(path.stem for path in Path(folder).glob("[a-z]*.py"))


@pytest.mark.parametrize("name", FIGURES)
def test_it_can_be_imported_and_measured(name: str) -> None:
    assert iscoroutinefunction(import_module(f"benchmarks.figures.{name}").measure)
