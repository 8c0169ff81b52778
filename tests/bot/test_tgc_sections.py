"""Sections `[[tgc]]`: what they may say, where passwords come from, and that every mistake is told with its fix."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.settings import Secret, Settings, SettingsError, read_settings

ALONE = {"RECO_TIMEZONE": "Europe/Berlin", "BERLIN_PASSWORD": "it-is-b"}
WITH_DEFAULT = {"TGC_URL": "https://tgc.example.com", "TGC_USERNAME": "bot", "TGC_PASSWORD": "it-is-a"}
BERLIN = """
[[tgc]]
name = "berlin"
url = "https://berlin.example.com/"
user = "reader"
password_env = "BERLIN_PASSWORD"
"""


def read(folder: Path, text: str, **environ: str) -> Settings:
    file = folder / "bots.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(ALONE | {"CONFIG_FILE": str(file)} | environ, need_slack=False)


def mistakes(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(folder, text, **environ)
    return caught.value.mistakes


def test_the_environment_needs_none_where_the_file_names_one(tmp_path: Path) -> None:
    settings = read(tmp_path, BERLIN)
    (berlin,) = settings.tgcs
    assert (berlin.key, berlin.url, berlin.username) == ("berlin", "https://berlin.example.com", "reader")
    assert berlin.password == Secret("it-is-b")
    assert (berlin.zone, berlin.schedule, berlin.verify_tls) == (ZoneInfo("Europe/Berlin"), "15 6,18 * * *", True)
    assert Secret("it-is-b") in settings.secrets()
    assert "it-is-b" not in repr(settings)
    assert settings.warnings == ()


def test_the_one_in_the_environment_comes_first_and_each_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("it-is-c\n")
    oslo = f"""
        [[tgc]]
        name = "oslo-1"
        url = "http://oslo.example.com"
        user = "reader"
        password_file = "{tmp_path / "password"}"
        verify_tls = false
        zone = "Europe/Oslo"
        schedule = "20 6 * * *"
    """
    settings = read(tmp_path, BERLIN + oslo, **WITH_DEFAULT)
    assert [tgc.key for tgc in settings.tgcs] == ["default", "berlin", "oslo-1"]
    assert [tgc.password.reveal() for tgc in settings.tgcs] == ["it-is-a", "it-is-b", "it-is-c"]
    assert (settings.tgcs[2].zone.key, settings.tgcs[2].schedule) == ("Europe/Oslo", "20 6 * * *")
    assert [warning.partition(" of ")[0] for warning in settings.warnings] == ["verify_tls = false", "url"]
    keys = {"default", "berlin", "oslo-1"}
    assert settings.pool_rules.tgc_keys == settings.policies.tgc_keys == settings.routes.tgc_keys == keys


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ('name = "Berlin"', "line 3: name is not usable: give 1 to 32 of a to z, 0 to 9 and -."),
        ("", "line 2: name is missing: give a name such as"),
        ('name = "berlin"\npassword = "it-is-b"', "line 4: password is not usable: a password does not belong in this"),
        ('name = "berlin"\npasword_env = "X"', "line 4: pasword_env is not known: maybe password_env is meant."),
        ('name = "berlin"\nfingerprint = "12"', "line 4: fingerprint is not usable: give the SHA-256"),
        ('name = "berlin"\nzone = "Mars"', "line 4: zone is not usable: give an IANA time zone"),
        ('name = "berlin"\nschedule = "often"', "line 4: schedule is not usable: give five cron fields"),
        ('name = "berlin"\nverify_tls = "no"', "line 4: verify_tls is not usable: give true or false."),
        ('name = "berlin"\npassword_file = "x"', "line 7: password_env or password_file, one of the two is needed"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_give(tmp_path: Path, changed: str, expected: str) -> None:
    (told,) = mistakes(tmp_path, BERLIN.replace('name = "berlin"', changed))
    assert told.startswith(f"bots.toml {expected}")
    assert "it-is-b" not in told


def test_what_is_no_list_of_sections_is_told(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, BERLIN.replace("[[tgc]]", "[tgc]"))
    assert told == "bots.toml line 2: tgc is no list of sections: write [[tgc]] above each."


def test_the_second_section_is_told_with_its_own_line(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, BERLIN + BERLIN.replace("berlin.example.com", "oslo.example.com"))
    assert told == "bots.toml line 9: name is given twice: give each TGC another name."


SAME = ("https://berlin.example.com", "HTTPS://Berlin.Example.com:443/", "https://berlin.example.com/api")


@pytest.mark.parametrize("url", SAME)
def test_the_same_tgc_twice_is_told_however_its_url_is_written(tmp_path: Path, url: str) -> None:
    again = BERLIN.replace("https://berlin.example.com/", url).replace('"berlin"', '"again"')
    (told,) = mistakes(tmp_path, BERLIN + again)
    assert told == "bots.toml line 10: url is that of berlin, too: give each TGC once."


@pytest.mark.parametrize("url", SAME)
def test_the_one_in_the_environment_stands_in_no_section(tmp_path: Path, url: str) -> None:
    (told,) = mistakes(tmp_path, BERLIN, **WITH_DEFAULT | {"TGC_URL": url})
    assert told == (
        "bots.toml [[tgc]] berlin: url is that of TGC_URL, too: give each TGC once, here or in the environment."
    )


@pytest.mark.parametrize("url", ["https://berlin.example.com:8443", "http://berlin.example.com", "https://[::1]"])
def test_another_scheme_host_or_port_is_another_tgc(tmp_path: Path, url: str) -> None:
    assert len(read(tmp_path, BERLIN, **WITH_DEFAULT | {"TGC_URL": url}).tgcs) == 2


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        (BERLIN, {"BERLIN_PASSWORD": ""}, "[[tgc]] berlin: BERLIN_PASSWORD is not set: put the password into"),
        (
            BERLIN.replace('password_env = "BERLIN_PASSWORD"', 'password_file = "/nowhere/it-is-b"'),
            {},
            "[[tgc]] berlin: password_file cannot be read: give a readable text file.",
        ),
        (BERLIN.replace("berlin", "default"), WITH_DEFAULT, "[[tgc]] default: the TGC in the environment has the name"),
    ],
)
def test_a_password_that_is_not_there_and_a_name_that_is_taken(
    tmp_path: Path, text: str, environ: dict[str, str], expected: str
) -> None:
    (told,) = mistakes(tmp_path, text, **environ)
    assert told.startswith(f"bots.toml {expected}")
    assert "it-is-b" not in told


def test_default_is_a_name_where_the_environment_has_none(tmp_path: Path) -> None:
    assert [tgc.key for tgc in read(tmp_path, BERLIN.replace('"berlin"', '"default"')).tgcs] == ["default"]


def test_part_of_one_in_the_environment_is_a_mistake(tmp_path: Path) -> None:
    told = mistakes(tmp_path, BERLIN, TGC_URL="https://tgc.example.com")
    assert [one.partition(" is missing")[0] for one in told] == ["TGC_USERNAME", "TGC_PASSWORD"]
