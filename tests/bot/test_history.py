"""What somebody means by the words after `/tintri history`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history import HistoryRefusedError, meant
from bot.pool_names import TgcPool
from bot.pools import UnknownPoolError
from tests.bot.rendering.strategies import TEXTS
from tgc.models import Pool

POOLS = [
    TgcPool("default", Pool(uuid=name, name=name)) for name in ("Production", "Production 2", "Rack 12", "7", "Old Lab")
]


@pytest.mark.parametrize(
    ("typed", "pools", "days"),
    [
        ("", ["Production", "Production 2", "Rack 12", "7", "Old Lab"], 30),
        ("production", ["Production"], 30),
        ("production 7", ["Production"], 7),
        ("Production 2", ["Production 2"], 30),
        ("production 2 7", ["Production 2"], 7),
        ("prod 3 days", ["Production", "Production 2"], 3),
        ("rack 12", ["Rack 12"], 30),
        ("rack 12 1d", ["Rack 12"], 1),
        ("7", ["7"], 30),
        ("8", ["Production", "Production 2", "Rack 12", "7", "Old Lab"], 8),
        ("  old   30 ", ["Old Lab"], 30),
    ],
)
def test_a_number_at_the_end_means_days_unless_it_belongs_to_a_pools_name(
    typed: str, pools: list[str], days: int
) -> None:
    found, meant_days = meant(POOLS, typed)
    assert ([pool.shown for pool in found], meant_days) == (pools, days)


@pytest.mark.parametrize("typed", ["0", "31", "Production 0", "Nowhere 99", "production 999999999d"])
def test_more_days_than_there_are_are_refused(typed: str) -> None:
    with pytest.raises(HistoryRefusedError, match="from 1 to 30"):
        meant(POOLS, typed)


@pytest.mark.parametrize("typed", ["Produktion", "Produktion 7", "-3", "production 7.5", "\u0667"])
def test_a_pool_that_nobody_knows_is_told_as_such(typed: str) -> None:
    with pytest.raises(UnknownPoolError):
        meant(POOLS, typed)


@given(st.lists(TEXTS, max_size=4), TEXTS | st.from_regex(r"\w{0,5} ?[0-9]{1,30} ?(d|days)?", fullmatch=True))
def test_whatever_is_typed_means_known_pools_and_possible_days_or_is_refused(names: list[str], typed: str) -> None:
    pools = [TgcPool("default", Pool(uuid=str(number), name=name)) for number, name in enumerate(names)]
    try:
        found, days = meant(pools, typed)
    except (HistoryRefusedError, UnknownPoolError):
        return
    assert all(pool in pools for pool in found)
    assert 1 <= days <= 30
