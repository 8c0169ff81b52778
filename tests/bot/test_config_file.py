"""The configuration file: what it may say, and that every mistake is told at once, with its line and what to do."""

import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config_file import Config, ConfigError, PoolConfig, read_config
from bot.pool_rules import Approvers, SecondApprover, TicketRule
from bot.windows import CronWindow
from tgc.models import IssueType

WHOLE = """\
approval_lapse_hours = 4
audit_retention_days = 400
stall_minutes = 45
reminder_hours = 3

[pools."Production"]
approvers = ["U0ALICE", "S0STORAGE"]
second_approver = "always"
ticket = "required"

[pools."Test*"]
approvers = ["*"]
second_approver = { moves = 20, gib = 5000 }
ticket = "CHG[0-9]{7}"

[pools.Lab]
second_approver = "protection_loss"

[pools.Closed]
approvers = []
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tintri-bot.toml"


def read(file: Path, text: str) -> Config:
    file.write_text(text, encoding="utf-8")
    return read_config(file)


def mistakes(file: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        read(file, text)
    return raised.value.mistakes


def test_everything_it_can_say(file: Path) -> None:
    alice_and_storage = Approvers(user_ids=frozenset({"U0ALICE"}), group_ids=frozenset({"S0STORAGE"}))
    assert read(file, WHOLE) == Config(
        file="tintri-bot.toml",
        pools=(
            (
                "Production",
                PoolConfig(
                    approvers=alice_and_storage, second_approver=SecondApprover(always=True), ticket=TicketRule()
                ),
            ),
            (
                "Test*",
                PoolConfig(
                    approvers=Approvers(everyone=True),
                    second_approver=SecondApprover(moves=20, gib=5000),
                    ticket=TicketRule(pattern="CHG[0-9]{7}"),
                ),
            ),
            ("Lab", PoolConfig(second_approver=SecondApprover(protection_loss=True))),
            ("Closed", PoolConfig(approvers=Approvers())),
        ),
        approval_lapse=timedelta(hours=4),
        audit_retention=timedelta(days=400),
        stall_after=timedelta(minutes=45),
        reminder_before=timedelta(hours=3),
    )


def test_an_empty_file_says_nothing(file: Path) -> None:
    assert read(file, "# nothing yet\n") == Config(file="tintri-bot.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("approval_lapse_hours = 0", "line 1: approval_lapse_hours is not usable: give a whole number from 1 to 168."),
        ("approval_lapse_hours = true", "line 1: approval_lapse_hours is not usable: give a whole number"),
        ("stall_minutes = 0", "line 1: stall_minutes is not usable: give a whole number from 1 to 1440."),
        ("reminder_hours = 25", "line 1: reminder_hours is not usable: give a whole number from 1 to 24."),
        ("audit_retention_days = 1.5", "line 1: audit_retention_days is not usable: give a whole number"),
        (
            "audit_retention_days = 30",
            "line 1: audit_retention_days is not usable: give a whole number from 31 to 36500.",
        ),
        ("\naudit_retention_day = 3", "line 2: audit_retention_day is not known: maybe audit_retention_days is meant."),
        ("colour = 1", "line 1: colour is not known: take it out, for there are approval_lapse_hours,"),
        ("pools = 1", 'line 1: pools is no section: write [pools."NAME"] for each pool.'),
        ("[pools]\nProd = 1", 'line 2: Prod is no section: write [pools."Prod"] above its settings.'),
        ('[pool."Prod"]\napprovers = []', "line 1: pool is not known: maybe pools is meant."),
        ('[pools."Prod"]\naprovers = []', "line 2: aprovers is not known: maybe approvers is meant."),
        ('[pools."Prod"]\napprovers = "*"', 'line 2: approvers is not usable: give a list such as ["U0ALICE",'),
        ('[pools."Prod"]\napprovers = ["bob"]', "line 2: approvers is not usable: give ids of people"),
        ('[pools."Prod"]\napprovers = [\n  1,\n]', "line 2: approvers is not usable: give a list"),
        ("[pools.x]\nsecond_approver = false", 'line 2: second_approver is not usable: give "always", "protection'),
        ("[pools.x]\nsecond_approver = {}", 'line 2: second_approver is not usable: give "always"'),
        ("[pools.x]\nsecond_approver = { move = 3 }", 'line 2: second_approver is not usable: give "always"'),
        ("[pools.x]\nsecond_approver = { moves = 0 }", "line 2: second_approver is not usable: for moves give a whole"),
        ("[pools.x]\nticket = true", 'line 2: ticket is not usable: give "required", or a regular expression'),
        ("[pools.x]\nticket = ''", 'line 2: ticket is not usable: give "required" or a regular expression of 200'),
        ("[pools.x]\nticket = '('", 'line 2: ticket is not usable: give "required" or a regular expression (missing'),
        ("[pools.x]\nticket = '(A+)+'", "line 2: ticket is not usable: give a regular expression with 5 of"),
        ('pools."a b".approvers = 3', "line 1: approvers is not usable"),
        ('["pools"]\n  [ "pools" . x ] \n second_approver = 3', "line 3: second_approver is not usable"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_give(file: Path, text: str, expected: str) -> None:
    [mistake] = mistakes(file, text)
    assert mistake.startswith(f"tintri-bot.toml {expected}")


NIGHTS = """\
[[policies]]
name = "nights"
pools = ["Prod*"]
issue_types = ["SPACE"]
max_moves = 10
windows = ["sat,sun 00:00-06:00"]
"""


def test_the_example_of_the_documents_can_be_read(file: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
    nights, patch_day = read(file, text.split("```toml\n")[1].split("```")[0]).policies
    assert (nights.name, nights.dry_run, nights.tgc, nights.min_severity, nights.zone) == (
        "nights",
        True,
        "*",
        None,
        None,
    )
    assert nights.pools == ("Production", "Test*")
    assert nights.issue_types == {IssueType.SPACE, IssueType.FLASH}
    assert (patch_day.dry_run, patch_day.min_severity, patch_day.zone) == (False, 2, ZoneInfo("Europe/Berlin"))
    assert patch_day.windows == (CronWindow(cron="0 20 * * 2#2", lasts=timedelta(hours=6)),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("policies = 1", "line 1: policies is no list of sections: write [[policies]] above each."),
        ("[policies]\nname = 'x'", "line 1: policies is no list of sections: write [[policies]] above each."),
        (NIGHTS + "allow_protection_loss = true", "line 7: allow_protection_loss is not known: take it out, for there"),
        (NIGHTS + "dryrun = true", "line 7: dryrun is not known: maybe dry_run is meant."),
        (NIGHTS + "dry_run = 'no'", "line 7: dry_run is not usable: give true or false."),
        (NIGHTS + "min_severity = 0", "line 7: min_severity is not usable: give a whole number from 1 to 1000."),
        (NIGHTS + "zone = 'Berlin'", "line 7: zone is not usable: give an IANA time zone such as Europe/Berlin."),
        (NIGHTS + "tgc = ''", 'line 7: tgc is not usable: give the name of a TGC or a pattern, such as "default".'),
        (NIGHTS.replace("10", "0"), "line 5: max_moves is not usable: give a whole number from 1 to 10000."),
        (
            NIGHTS.replace("SPACE", "PROTECTION"),
            "line 4: issue_types is not usable: give a list of SPACE, IOPS, FLASH.",
        ),
        (NIGHTS.replace('["Prod*"]', "[]"), "line 3: pools is not usable: give names of pools or patterns"),
        (NIGHTS.replace("nights", "n:1"), "line 2: name is not usable: give 1 to 40 letters, digits, dots, - and _."),
        (NIGHTS.replace("06:00", "6"), "line 6: windows is not usable: give windows such as"),
        (
            NIGHTS.replace('"sat,sun 00:00-06:00"', '{ cron = "0 25 * * *", hours = 1 }'),
            "line 6: windows is not usable: for cron give five fields whose time comes",
        ),
        (
            NIGHTS.replace("max_moves = 10\n", ""),
            "line 1: max_moves is missing: give how many VMs it may move at most.",
        ),
        (f"{NIGHTS}\n{NIGHTS}", "line 9: there are two policies nights: give each a name of its own."),
    ],
)
def test_a_mistake_in_a_policy_is_told_with_its_line_and_what_to_give(file: Path, text: str, expected: str) -> None:
    [mistake] = mistakes(file, text)
    assert mistake.startswith(f"tintri-bot.toml {expected}")


def test_the_mistakes_of_all_policies_are_told_at_once(file: Path) -> None:
    text = f'[[policies]]\nname = "a"\n{NIGHTS}colour = 1\n[[policies]]\nwindows = ["never"]\n'
    told = [mistake.split(":")[0].removeprefix("tintri-bot.toml line ") for mistake in mistakes(file, text)]
    assert sorted(told, key=int) == ["1", "1", "1", "1", "9", "10", "10", "10", "10", "11"]


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    text = 'approval_lapse_hours = 0\n[pools.a]\napprovers = 1\nsecond_approver = 2\n[pools.b]\nx = "]"\n'
    lines = [mistake.split(":")[0] for mistake in mistakes(file, text)]
    assert lines == [f"tintri-bot.toml line {number}" for number in (1, 3, 4, 6)]


def test_what_is_no_toml_is_told_with_its_line(file: Path) -> None:
    [mistake] = mistakes(file, "a = 1\n[pools\n")
    assert mistake.startswith("tintri-bot.toml is no TOML: ")
    assert "line 2" in mistake


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read: make it a readable text file"):
        read_config(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(file.parent)


KEYS = st.sampled_from(
    [
        "pools",
        "policies",
        "windows",
        "approvers",
        "second_approver",
        "approval_lapse_hours",
        "x",
        '"a.b"',
        '"="',
        '"["',
        "tgc",
        "name",
        "password",
    ]
)
VALUES = st.recursive(
    st.sampled_from(
        ["1", "-1", "1e3", "true", '"always"', '"*"', '"""\n[pools.q]\n"""', "1979-05-27", "[]", "{}", "inf"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[\n{', '.join(items)}]")
        | st.dictionaries(KEYS, inner, max_size=2).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
        )
    ),
    max_leaves=4,
)
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("[pools.{}]".format, KEYS),
    st.builds("[{}]".format, KEYS),
    st.builds("[[{}]]".format, KEYS),
    st.text(max_size=20),
)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_whatever_it_holds_is_understood_or_told(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "tintri-bot.toml"
    file.write_text(text, encoding="utf-8", errors="replace", newline="")
    try:
        read_config(file)
    except ConfigError as error:
        told = error.mistakes
    else:
        return
    assert told
    for mistake in told:
        assert mistake.startswith("tintri-bot.toml")
        assert mistake.endswith(".")
        assert mistake.isprintable()
        json.dumps(mistake).encode("ascii")
