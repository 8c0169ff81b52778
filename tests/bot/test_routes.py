"""Routes: what a section may say, which one takes a recommendation, when nobody is mentioned, which card shows it."""

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config_file import ConfigError, read_config
from bot.live_cards import live
from bot.routes import QuietHours, Route, Routes
from bot.storage.cards import Card
from tgc.models import Action, ActionGroup, Analysis, IssueType, Recommendation, SpaceAnalysis

BERLIN = ZoneInfo("Europe/Berlin")
WHOLE = """\
[[routes]]
pools = ["Production", "Test*"]
tgc = "berlin*"
issue_types = ["SPACE", "FLASH"]
channels = ["C0STORAGE", "G0SECRET"]
mentions = ["S0ONCALL", "U0ALICE", "here"]
quiet = "22:00-06:00"
zone = "Europe/Berlin"

[[routes]]
channels = ["C0ALL"]
"""


def read(folder: Path, text: str) -> tuple[Route, ...]:
    file = folder / "tintri-bot.toml"
    file.write_text(text, encoding="utf-8")
    return read_config(file).routes


def recommendation(*issue_types: IssueType) -> Recommendation:
    return Recommendation(action_groups=(ActionGroup(actions=(Action(issue_types=issue_types),)),))


def routes(*by_match: Route) -> Routes:
    return Routes(default=Route(channels=("C0MAIN",)), by_match=by_match, zone=ZoneInfo("UTC"))


def card(row_id: int, channel_id: str, ts: str | None = "1.0") -> Card:
    return Card(
        row_id=row_id,
        recommendation=1,
        channel_id=channel_id,
        generation=0,
        ts=ts,
        painted=None,
        dirty=False,
        final=False,
    )


def test_all_that_a_section_can_say(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == (
        Route(
            channels=("C0STORAGE", "G0SECRET"),
            pools=("Production", "Test*"),
            tgc="berlin*",
            issue_types=frozenset({IssueType.SPACE, IssueType.FLASH}),
            mentions=("S0ONCALL", "U0ALICE", "here"),
            quiet=QuietHours(time(22), time(6)),
            zone=BERLIN,
        ),
        Route(channels=("C0ALL",)),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('channels = ["#storage"]', "line 4: channels is not usable: give the channel's id (C… or G…)"),
        ("channels = []", 'line 4: channels is not usable: give a list such as ["C0STORAGE"]'),
        ('channels = "C0STORAGE"', "line 4: channels is not usable: give a list"),
        ('pools = ["Lab"]', "line 3: channels is missing: give the ids of one or more"),
        ('channels = ["C1"]\npool = ["Lab"]', "line 5: pool is not known: maybe pools is meant"),
        ('channels = ["C1"]\nissue_types = ["SPEED"]', "line 5: issue_types is not usable: give some of SPACE, IOPS"),
        ('channels = ["C1"]\nmentions = ["@storage"]', "line 5: mentions is not usable: give ids of people"),
        ('channels = ["C1"]\nquiet = "22-6"', 'line 5: quiet is not usable: give two times of the day such as "22:00'),
        ('channels = ["C1"]\nquiet = "06:00-06:00"', "line 5: quiet is not usable: give two different times"),
        ('channels = ["C1"]\nquiet = "24:00-06:00"', "line 5: quiet is not usable: give two times"),
        ('channels = ["C1"]\nzone = "Berlin"', "line 5: zone is not usable: give an IANA time zone"),
        ('channels = ["C1"]\ntgc = 1', "line 5: tgc is not usable: give the name of a TGC"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, f'[[routes]]\nchannels = ["C1"]\n[[routes]]\n{line}\n')
    (mistake,) = raised.value.mistakes
    assert said in mistake


def test_what_is_no_list_of_sections_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 1: routes is no list of sections: write \[\[routes\]\] above each"):
        read(tmp_path, '[routes]\nchannels = ["C1"]')


def test_the_first_route_that_matches_takes_it() -> None:
    known = routes(
        Route(channels=("C0BOTH",), pools=("Prod*",), issue_types=frozenset({IssueType.SPACE})),
        Route(channels=("C0PROD", "C0MORE"), pools=("Production",)),
        Route(channels=("C0BERLIN",), tgc="berlin*"),
    )

    def channels(tgc_key: str, pool_name: str, *issue_types: IssueType) -> tuple[str, ...]:
        return known.of(tgc_key, pool_name, recommendation(*issue_types)).channels

    assert channels("default", "Production", IssueType.IOPS, IssueType.SPACE) == ("C0BOTH",)
    assert channels("default", "Production", IssueType.IOPS) == ("C0PROD", "C0MORE")
    assert channels("default", "production") == ("C0MAIN",)
    assert channels("default", "Prod2", IssueType("NEW")) == ("C0MAIN",)
    assert channels("berlin-2", "Test") == ("C0BERLIN",)


def test_where_the_moves_name_no_issues_those_of_the_vmstores_count() -> None:
    known = routes(Route(channels=("C0SPACE",), issue_types=frozenset({IssueType.SPACE})))
    found = Recommendation(issues=(Analysis(space_info=SpaceAnalysis()),))
    assert known.of("default", "Lab", found).channels == ("C0SPACE",)
    assert known.of("default", "Lab", Recommendation()).channels == ("C0MAIN",)


def test_notices_go_where_cards_may_go() -> None:
    space = Route(channels=("C0SPACE",), issue_types=frozenset({IssueType.SPACE}))
    lab = Route(channels=("C0LAB",), pools=("Lab",))
    elsewhere = Route(channels=("C0ELSE",), tgc="other")
    rest = Route(channels=("C0REST",), pools=("*",))
    known = routes(space, lab, elsewhere)
    assert known.channels == ("C0MAIN", "C0SPACE", "C0LAB", "C0ELSE")
    assert known.channels_of_tgc("default") == ("C0SPACE", "C0LAB", "C0MAIN")
    assert known.channels_of_pool("default", "Lab") == ("C0SPACE", "C0LAB")
    assert known.channels_of_pool("default", "Test") == ("C0SPACE", "C0MAIN")
    assert routes(lab, rest, space).channels_of_tgc("default") == ("C0LAB", "C0REST")
    assert known.idle([("default", "Test")]) == [2, 3]


@pytest.mark.parametrize(
    ("at", "is_quiet"),
    [
        ("2026-01-10T20:59Z", False),
        ("2026-01-10T21:00Z", True),
        ("2026-01-10T23:30Z", True),
        ("2026-01-11T04:59Z", True),
        ("2026-01-11T05:00Z", False),
        # The clock goes from 2:00 to 3:00, so that six o'clock comes an hour sooner, and from then on as well.
        ("2026-03-29T03:59Z", True),
        ("2026-03-29T04:00Z", False),
        # And back from 3:00 to 2:00.
        ("2026-10-25T04:59Z", True),
        ("2026-10-25T05:00Z", False),
        ("2026-10-24T20:00Z", True),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall(at: str, *, is_quiet: bool) -> None:
    route = Route(channels=("C1",), mentions=("U1",), quiet=QuietHours(time(22), time(6)), zone=BERLIN)
    assert (route.mentions_at(datetime.fromisoformat(at), ZoneInfo("UTC")) == ()) is is_quiet


def test_quiet_hours_without_a_zone_are_those_of_reco_timezone() -> None:
    known = Routes(default=Route(channels=()), zone=ZoneInfo("America/New_York"))
    route = Route(channels=("C1",), mentions=("U1",), quiet=QuietHours(time(22), time(6)))
    assert known.mentions_at(route, datetime(2026, 1, 10, 10, tzinfo=UTC)) == ()
    assert known.mentions_at(route, datetime(2026, 1, 10, 12, tzinfo=UTC)) == ("U1",)


@given(st.times(), st.times(), st.times())
def test_a_moment_is_quiet_from_one_side_only(start: time, end: time, wall: time) -> None:
    if start != end:
        assert QuietHours(start, end).cover(wall) is not QuietHours(end, start).cover(wall)


def test_cards_elsewhere_show_it_until_one_stands_in_its_new_place() -> None:
    old, new, other = card(1, "C0OLD"), card(2, "C0NEW"), card(3, "C0OTHER", None)
    assert live([old, new, other], ("C0OTHER", "C0NEW")) == [other, new]
    assert live([old, card(2, "C0NEW", None)], ("C0NEW",)) == [old, card(2, "C0NEW", None)]
    assert live([old], ("C0NEW",)) == [old]


@pytest.mark.parametrize(
    ("pools", "tgc", "taken"),
    [
        (("Production",), "berlin", True),
        (("berlin/Production",), "berlin", True),
        (("berlin/Prod*",), "berlin", True),
        (("berlin/Production",), "oslo", False),
        (("*",), "oslo", True),
        (("oslo/*",), "berlin", False),
        (("b*",), "berlin", False),  # a TGC's name is no part of a pool's
    ],
)
def test_with_several_tgcs_a_pool_is_meant_by_its_own_name_or_the_full_one(
    pools: tuple[str, ...], tgc: str, taken: bool
) -> None:
    assert Route(channels=("C1",), pools=pools).takes_pool(tgc, f"{tgc}/Production", {"berlin", "oslo"}) is taken


def test_a_route_for_one_tgcs_pools_takes_none_of_another_whose_pool_is_called_so() -> None:
    route = Route(channels=("C0TEST",), pools=("berlin/Test*",))
    both = frozenset({"berlin", "paris"})
    known = Routes(default=Route(channels=("C0MAIN",)), by_match=(route,), zone=BERLIN, tgc_keys=both)
    assert known.of("berlin", "berlin/Test1", recommendation()).channels == ("C0TEST",)
    assert known.of("paris", "paris/berlin/Test1", recommendation()).channels == ("C0MAIN",)
    assert known.channels_of_pool("paris", "paris/berlin/Test1") == ("C0MAIN",)
    assert known.idle([("paris", "paris/berlin/Test1")]) == [1]
