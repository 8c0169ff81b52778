"""Exactly once, whatever fails: kills, hangs, lost answers, 429s, redeliveries and set clocks at once, as people press.

A failing play names its seed and all that it did; `plan(seed)` is the same again.
"""

from pathlib import Path

import pytest

from tests.scenarios.conftest import NewPlace
from tests.scenarios.places import Place, in_file
from tests.scenarios.storm_rules import broken_rules
from tests.scenarios.storms import plan, played

TURNS = 7
MANY_TURNS = 20


async def storm(seed: int, turns: int, place: Place) -> None:
    async with played(plan(seed, turns=turns), place) as play:
        await play.scene.all_well()
        assert broken_rules(play) == []


def test_a_storm_is_the_same_again() -> None:
    assert plan(7, turns=MANY_TURNS) == plan(7, turns=MANY_TURNS) != plan(8, turns=MANY_TURNS)


def place_of(seed: int, request: pytest.FixtureRequest, folder: Path) -> Place:
    """Where the plan wants it, whatever `--database` says."""
    if plan(seed, turns=0).on_server:
        new_server_place: NewPlace = request.getfixturevalue("new_server_place")
        return new_server_place()
    own = folder / str(seed)
    own.mkdir()
    return in_file(own)


@pytest.mark.parametrize("seed", [5, *(pytest.param(seed, marks=pytest.mark.extended) for seed in (1, 12))])
async def test_storms(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> None:
    await storm(seed, TURNS, place_of(seed, request, tmp_path))


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(1000, 1200))
async def test_very_many_storms(request: pytest.FixtureRequest, tmp_path: Path, seed: int) -> None:
    await storm(seed, MANY_TURNS, place_of(seed, request, tmp_path))
