import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from bot.config_file import Config
from bot.pool_rules import Approvers
from bot.settings import (
    VARIABLES,
    Secret,
    Settings,
    SettingsError,
    environment,
    machine_zone,
    read_database_url,
    read_settings,
)
from bot.smtp_url import Login, parse_smtp_url
from tests.fuzzing import Fuzz, fuzzed

MARK = "s3cr3t"
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "export ", "#", " ", "\ufeff"]),
    st.sampled_from(
        ["TGC_PASSWORD", "TGC_PASSWORD=", "TGC_PASSWORD = ", "SLACK_BOT_TOKEN='", 'A="', "=", "A=${", "A=$("]
    ),
    st.sampled_from([MARK, f"{MARK}\\", f"{MARK} # {MARK}", f"'{MARK}'{MARK}", f"{MARK}}}"]),
    st.sampled_from(["", "'", '"', "\r", "\0", "\u2028", "\\n"]),
).map(str.encode)

ENOUGH = {
    "TGC_URL": "https://tgc.example.com",
    "TGC_USERNAME": "slackbot",
    "TGC_PASSWORD": "correct horse",
    "SLACK_BOT_TOKEN": "xoxb-1-abc",
    "SLACK_APP_TOKEN": "xapp-1-A-2-abc",
    "RECO_CHANNEL": "C0STORAGE",
    "RECO_TIMEZONE": "Europe/Berlin",
}
MAIL = {
    "SMTP_URL": "smtps://bot%40example.com:p%40ss-w0rd@mail.example.com",
    "MAIL_FROM": "tintri-bot@example.com",
    "MAIL_TO": "storage@example.com, alice@example.com",
}
SECRET_NAMES = [name for name, variable in VARIABLES.items() if variable.secret]


def read(**changes: str) -> Settings:
    return read_settings(ENOUGH | changes, need_slack=True)


def mistakes(environ: Mapping[str, str], *, need_slack: bool = True) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, need_slack=need_slack)
    return caught.value.mistakes


def mistake(**changes: str) -> str:
    (only,) = mistakes(ENOUGH | changes)
    return only


class TestSecret:
    def test_shows_itself_only_when_asked(self) -> None:
        secret = Secret("hunter22")
        shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s %r" % (secret, secret)]  # noqa: UP031 (as logging does)
        assert not [text for text in shown if "hunter" in text]
        assert secret.reveal() == "hunter22"

    def test_is_equal_by_value(self) -> None:
        assert Secret("one") == Secret("one")
        assert len({Secret("one"), Secret("one"), Secret("two")}) == 2
        assert Secret("one") != "one"

    def test_is_never_empty(self) -> None:
        with pytest.raises(ValueError, match="never empty"):
            Secret("")


class TestDefaults:
    def test_only_what_has_no_default_is_needed(self) -> None:
        settings = read()
        assert settings.slack_signing_secret is None
        assert settings.slack_api_url == "https://slack.com/api/"
        assert settings.tgc_ca_file is None
        assert settings.tgc_fingerprint is None
        assert settings.tgc_verify_tls is True
        assert settings.tgc_concurrency == 16
        assert settings.reco_approvers == Approvers()
        assert settings.reco_schedule == "15 6,18 * * *"
        assert settings.reco_refresh_seconds == 120
        assert settings.follow_seconds == 15
        assert settings.database_url == Secret("sqlite+aiosqlite:///tintri-bot.db")
        assert (settings.host, settings.port) == ("0.0.0.0", 3000)  # noqa: S104 (the documented default)
        assert (settings.log_level, settings.log_format) == ("INFO", "console")
        assert settings.warnings == ()

    def test_what_is_given_is_read(self) -> None:
        settings = read()
        assert settings.slack_bot_token == Secret("xoxb-1-abc")
        assert settings.slack_app_token == Secret("xapp-1-A-2-abc")
        assert settings.tgc_url == "https://tgc.example.com"
        assert settings.tgc_username == "slackbot"
        assert settings.tgc_password == Secret("correct horse")
        assert settings.reco_channel == "C0STORAGE"
        assert settings.reco_timezone == ZoneInfo("Europe/Berlin")

    def test_an_empty_text_is_absence(self) -> None:
        assert read(PORT="", TGC_FINGERPRINT=" ", SLACK_SIGNING_SECRET="", TGC_PASSWORD_FILE="") == read()

    def test_the_command_line_needs_no_slack(self) -> None:
        environ = {name: text for name, text in ENOUGH.items() if name.startswith("TGC_")}
        assert read_settings(environ, need_slack=False).slack_bot_token is None

    def test_no_secret_is_in_the_repr(self) -> None:
        url = "postgresql+asyncpg://bot:dbpass99@db/bot"
        settings = read(DATABASE_URL=url, SLACK_SIGNING_SECRET="5igning", **MAIL)
        for secret in ("xoxb-1", "xapp-1", "correct horse", "dbpass99", "5igning", "ss-w0rd"):
            assert secret not in repr(settings)

    def test_the_log_is_told_every_secret(self) -> None:
        url = "postgresql+asyncpg://bot:db%40pass@db/bot"
        settings = read(DATABASE_URL=url, SLACK_SIGNING_SECRET="5igning", **MAIL)
        assert {secret.reveal() for secret in settings.secrets()} == {
            "xoxb-1-abc",
            "xapp-1-A-2-abc",
            "5igning",
            "correct horse",
            "db@pass",
            "p@ss-w0rd",
        }


class TestForms:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("SLACK_API_URL", "https://slack-gov.com/api", "https://slack-gov.com/api/"),
            ("SLACK_API_URL", "http://127.0.0.1:8888/api/", "http://127.0.0.1:8888/api/"),
            ("TGC_URL", "https://10.1.2.3:8443/api/", "https://10.1.2.3:8443"),
            ("TGC_URL", "HTTPS://tgc/", "https://tgc"),
            ("TGC_URL", "https://[fd00::7]/api", "https://[fd00::7]"),
            ("TGC_FINGERPRINT", ":".join(["Ab"] * 32), "ab" * 32),
            ("TGC_VERIFY_TLS", "Yes", True),
            ("TGC_CONCURRENCY", "1", 1),
            ("RECO_CHANNEL", "G0PRIVATE", "G0PRIVATE"),
            ("RECO_APPROVERS", "*", Approvers(everyone=True)),
            (
                "RECO_APPROVERS",
                "U0ALICE, W0BOB ,S0ADMINS,",
                Approvers(user_ids=frozenset({"U0ALICE", "W0BOB"}), group_ids=frozenset({"S0ADMINS"})),
            ),
            ("RECO_SCHEDULE", " 0  7 * * mon-fri ", "0 7 * * mon-fri"),
            ("RECO_TIMEZONE", "America/New_York", ZoneInfo("America/New_York")),
            ("DATABASE_URL", "postgres://u:p%40ss@db:5432/bot", Secret("postgresql+asyncpg://u:p%40ss@db:5432/bot")),
            ("HOST", "::1", "::1"),
            ("PORT", "65535", 65535),
            ("LOG_LEVEL", "debug", "DEBUG"),
            ("LOG_FORMAT", "JSON", "json"),
        ],
    )
    def test_a_right_text_is_read(self, name: str, text: str, value: object) -> None:
        assert getattr(read(**{name: text}), name.lower()) == value

    @pytest.mark.parametrize(
        ("name", "text", "fix"),
        [
            ("SLACK_BOT_TOKEN", "xapp-1-swapped", "belongs in SLACK_APP_TOKEN"),
            ("SLACK_BOT_TOKEN", "xoxp-1-user", "starts with xoxb-"),
            ("SLACK_APP_TOKEN", "xoxb-1-swapped", "belongs in SLACK_BOT_TOKEN"),
            ("SLACK_APP_TOKEN", "hello", "starts with xapp-"),
            ("SLACK_SIGNING_SECRET", "xoxb-1-swapped", "Signing Secret"),
            ("SLACK_API_URL", "slack.com/api", "give a URL such as https://slack.com/api/"),
            ("TGC_URL", "tgc.example.com", "give a URL such as https://tgc.example.com"),
            ("TGC_URL", "https://tgc.example.com/login", "with nothing after the host and port"),
            ("TGC_URL", "https://tgc.example.com?x=1", "give a URL such as"),
            ("TGC_URL", "https://tgc.example.com:99999", "a port and an address that exist"),
            ("TGC_URL", "https://[::zz]", "give a URL such as"),
            ("TGC_URL", "https://admin:pw@tgc.example.com", "take user name and password out of the URL"),
            ("TGC_PASSWORD", "two\nlines", "line breaks"),
            ("TGC_CA_FILE", "/nowhere/ca.pem", "PEM"),
            ("TGC_FINGERPRINT", "ab" * 20, "64 hexadecimal digits"),
            ("TGC_VERIFY_TLS", "maybe", "true or false"),
            ("TGC_CONCURRENCY", "0", "from 1 to 100"),
            ("TGC_CONCURRENCY", "1_0", "from 1 to 100"),
            ("RECO_CHANNEL", "#storage", "a click on its name"),
            ("RECO_CHANNEL", "D0MESSAGE", "a click on its name"),
            ("RECO_APPROVERS", "U0ALICE,@bob", "Copy member ID"),
            ("RECO_SCHEDULE", "15 25 * * *", "five cron fields"),
            ("RECO_SCHEDULE", "0 15 6 * * *", "five cron fields"),
            ("RECO_SCHEDULE", "0 6 31 2 *", "five cron fields"),
            ("RECO_TIMEZONE", "CEST", "IANA"),
            ("RECO_TIMEZONE", "Europe", "IANA"),
            ("DATABASE_URL", "mysql://u:p@db/x", "postgresql+asyncpg"),
            ("DATABASE_URL", "tintri-bot.db", "sqlite+aiosqlite:///FILE"),
            ("DATABASE_URL", "sqlite+aiosqlite://bot.db", "after three slashes"),
            ("DATABASE_URL", "sqlite+aiosqlite:///:memory:", "a database in memory forgets"),
            ("DATABASE_URL", "sqlite+aiosqlite://", "a database in memory forgets"),
            ("DATABASE_URL", "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true", "a database in memory forgets"),
            ("DATABASE_URL", "sqlite+aiosqlite:///file:bot?mode=memory&uri=true", "a database in memory forgets"),
            ("SMTP_URL", "mail.example.com", "smtps://USER:PASSWORD@HOST"),
            ("SMTP_URL", "smtps://bot:pa#ss@mail.example.com", "written as %40 for @"),
            ("SMTP_URL", "smtp://mail.example.com:99999", ":PORT"),
            ("SMTP_URL", "smtp://mail.example.com/inbox", "smtp://HOST"),
            ("SMTP_URL", "smtps://bot@mail.example.com", "user and password, or neither"),
            ("SMTP_URL", "smtps://bot:pass%0Aword@mail.example.com", "control characters"),
            ("MAIL_FROM", "Tintri Bot <bot@example.com>", "without names"),
            ("MAIL_TO", "alice@example.com;bob@example.com", "storage@example.com"),
            ("MAIL_TO", f"{'a' * 250}@example.com", "storage@example.com"),
            ("HOST", "here and there", "an address to listen on"),
            ("HOST", "bot..example.com", "an address to listen on"),
            ("HOST", "x" * 64, "an address to listen on"),
            ("PORT", "70000", "from 1 to 65535"),
            ("LOG_LEVEL", "LOUD", "WARNING"),
            ("LOG_FORMAT", "xml", "console or json"),
        ],
    )
    def test_a_wrong_text_is_named_with_its_fix(self, name: str, text: str, fix: str) -> None:
        sentence = mistake(**{name: text})
        assert sentence.startswith(f"{name} is ")
        assert fix in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence

    def test_a_wrong_text_is_quoted_short_and_printable(self) -> None:
        assert "LOG_FORMAT is 'a\\x1b[2Ja" in mistake(LOG_FORMAT="a\x1b[2J" + "a" * 200)
        assert len(mistake(LOG_FORMAT="a" * 5000)) < 120

    def test_a_ca_file_is_opened(self, tmp_path: Path) -> None:
        file = tmp_path / "ca.pem"
        trustme.CA().cert_pem.write_to_path(str(file))
        assert read(TGC_CA_FILE=str(file)).tgc_ca_file == file
        file.write_text("no certificate")
        assert "PEM" in mistake(TGC_CA_FILE=str(file))


class TestMistakes:
    def test_all_are_told_at_once(self) -> None:
        told = mistakes({"PORT": "x", "RECO_CHANNEL": "#storage", "TGC_VERIFY_TLS": "?"})
        assert [sentence.split()[0] for sentence in told] == [
            "SLACK_BOT_TOKEN",
            "TGC_URL",
            "TGC_USERNAME",
            "TGC_PASSWORD",
            "TGC_VERIFY_TLS",
            "RECO_CHANNEL",
            "PORT",
            "SLACK_APP_TOKEN",
        ]
        assert "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing" in told[-1]

    def test_one_of_the_two_ways_to_slack_is_enough(self) -> None:
        environ = ENOUGH | {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "0123abcd"}
        assert read_settings(environ, need_slack=True).slack_signing_secret == Secret("0123abcd")

    @pytest.mark.parametrize("name", ["TGC_FINGERPRINT", "TGC_CA_FILE"])
    def test_no_check_and_a_pinned_certificate_contradict(self, name: str, tmp_path: Path) -> None:
        file = tmp_path / "ca.pem"
        trustme.CA().cert_pem.write_to_path(str(file))
        text = str(file) if name == "TGC_CA_FILE" else "ab" * 32
        assert "contradicts" in mistake(TGC_VERIFY_TLS="false", **{name: text})

    def test_a_password_in_a_url_is_not_shown(self) -> None:
        assert "hunter22" not in mistake(TGC_URL="https://admin:hunter22@tgc")
        assert "hunter22" not in mistake(DATABASE_URL="mysql://admin:hunter22@db/x")

    def test_a_secret_under_a_wrong_name_is_not_shown(self) -> None:
        assert "correct horse" not in mistake(RECO_CHANNEL="correct horse")
        assert "xoxp-1-2" not in mistake(RECO_CHANNEL="xoxp-1-2")


class TestMail:
    def test_it_is_read_whole(self) -> None:
        settings = read(**MAIL)
        assert settings.smtp_url == Secret(MAIL["SMTP_URL"])
        assert settings.mail_to == ("storage@example.com", "alice@example.com")
        assert settings.warnings == ()

    @pytest.mark.parametrize(
        ("url", "server"),
        [
            (MAIL["SMTP_URL"], ("mail.example.com", 465, True, Login("bot@example.com", "p@ss-w0rd"))),
            ("smtp://bot:pw@mail.example.com", ("mail.example.com", 587, False, Login("bot", "pw"))),
            ("smtp://[::1]:2525/", ("::1", 2525, False, None)),
            ("smtp://localhost", ("localhost", 25, False, None)),
        ],
    )
    def test_the_url_names_the_server(self, url: str, server: tuple[str, int, bool, Login | None]) -> None:
        parsed = parse_smtp_url(url)
        assert (parsed.host, parsed.port, parsed.is_tls, parsed.login) == server

    def test_a_server_without_addresses_is_a_mistake(self) -> None:
        assert mistakes(ENOUGH | {"SMTP_URL": "smtp://localhost", "MAIL_TO": " , "}) == (
            "MAIL_FROM is missing, and SMTP_URL is given: give the address that mail comes from.",
            f"MAIL_TO is missing, and SMTP_URL is given: give {VARIABLES['MAIL_TO'].meaning}.",
        )

    def test_what_mails_to_others_needs_no_addresses_of_the_bot(self) -> None:
        environ = ENOUGH | {"SMTP_URL": "smtp://localhost", "MAIL_FROM": "bot@example.com"}
        assert read_settings(environ, need_slack=False).mail_to == ()


class TestFiles:
    @pytest.mark.parametrize("name", SECRET_NAMES)
    def test_a_secret_may_come_from_a_file(self, name: str, tmp_path: Path) -> None:
        more = {"SLACK_SIGNING_SECRET": "0123abcd", "DATABASE_URL": "sqlite+aiosqlite:////var/bot.db"}
        texts = ENOUGH | MAIL | more
        text = texts.pop(name)
        (tmp_path / "secret").write_text(f"{text}\r\n")
        settings = read_settings(texts | {f"{name}_FILE": str(tmp_path / "secret")}, need_slack=True)
        assert getattr(settings, name.lower()) == Secret(text)
        assert settings.warnings == ()

    def test_both_ways_at_once_are_a_mistake(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("hunter22")
        assert mistake(TGC_PASSWORD_FILE=str(tmp_path / "secret")) == (
            "TGC_PASSWORD and TGC_PASSWORD_FILE are both given: keep one of them."
        )

    @pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
    def test_a_file_without_a_text_is_a_mistake(self, content: bytes | None, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        if content is not None:
            file.write_bytes(content)
        sentence = mistake(TGC_PASSWORD="", TGC_PASSWORD_FILE=str(file))
        assert sentence.startswith("TGC_PASSWORD_FILE names ")

    def test_a_secret_given_as_a_path_is_not_shown(self) -> None:
        assert "hunter22" not in mistake(TGC_PASSWORD="", TGC_PASSWORD_FILE="hunter22")


class TestDatabaseAlone:
    def test_no_other_setting_must_be_there_or_right(self) -> None:
        assert read_database_url({"TGC_URL": "ftp://x"}) == Secret("sqlite+aiosqlite:///tintri-bot.db")
        assert read_database_url({"DATABASE_URL": "postgresql://u:p@db/x"}).reveal() == "postgresql+asyncpg://u:p@db/x"

    def test_it_may_come_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "url").write_text("sqlite+aiosqlite:///here.db\n")
        assert read_database_url({"DATABASE_URL_FILE": str(tmp_path / "url")}).reveal().endswith("///here.db")

    def test_a_wrong_one_is_told_and_not_shown(self) -> None:
        with pytest.raises(SettingsError) as caught:
            read_database_url({"DATABASE_URL": "mysql://u:secret@db/x"})
        (mistake,) = caught.value.mistakes
        assert mistake.startswith("DATABASE_URL is not usable: give sqlite")
        assert "secret" not in mistake


class TestWarnings:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"TGC_VERIFY_TLS": "false"}, ["TGC_VERIFY_TLS=false"]),
            ({"TGC_URL": "http://tgc.example.com"}, ["TGC_URL is http"]),
            ({"SLACK_API_URL": "http://slack.example.com/api/"}, ["SLACK_API_URL is http"]),
            ({"TGC_URL": "http://127.0.0.1:8080", "SLACK_API_URL": "http://localhost/api/"}, []),
            ({"TGC_URL": "http://[::1]"}, []),
            ({"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "abc"}, ["SLACK_CLIENT_ID and SLACK_CLIENT_SECRET"]),
            ({"SLACK_CLIENT_ID": "1.2"}, []),
            ({"RECO_CHANEL": "C0"}, ["did you mean RECO_CHANNEL?"]),
            ({"SLACK_BOT_TOKENS": "x"}, ["did you mean SLACK_BOT_TOKEN?"]),
            ({"DATABASE_URI": "x"}, ["did you mean DATABASE_URL?"]),
            ({"TGC_COLOUR": "blue"}, ["'TGC_COLOUR' is ignored"]),
            ({"RECO_CHANNEL_FILE": "/run/x"}, ["'RECO_CHANNEL_FILE' is ignored"]),
            ({"MAIL_TO": "alice@example.com"}, ["MAIL_TO is given without SMTP_URL"]),
            ({"PATH": "/bin", "HOSTNAME": "web-1", "SLACK_WEBHOOK": "x"}, []),
        ],
    )
    def test_what_may_not_be_meant_is_told(self, changes: dict[str, str], words: list[str]) -> None:
        warnings = read(**changes).warnings
        assert len(warnings) == len(words)
        assert all(word in sentence for word, sentence in zip(words, warnings, strict=True))


class TestMachineZone:
    def test_the_variable_comes_first(self, tmp_path: Path) -> None:
        (tmp_path / "timezone").write_text("Asia/Tokyo\n")
        assert machine_zone({"TZ": ":Europe/Paris"}, tmp_path) == ZoneInfo("Europe/Paris")

    def test_a_posix_rule_is_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "timezone").write_text("Asia/Tokyo\n")
        assert machine_zone({"TZ": "CET-1CEST"}, tmp_path) == ZoneInfo("Asia/Tokyo")

    def test_the_link_to_the_zone_file_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/America/Argentina/Ushuaia")
        assert machine_zone({}, tmp_path) == ZoneInfo("America/Argentina/Ushuaia")

    def test_a_machine_that_tells_nothing_is_in_utc(self, tmp_path: Path) -> None:
        assert machine_zone({}, tmp_path) == ZoneInfo("UTC")

    def test_it_is_the_default(self) -> None:
        assert read(RECO_TIMEZONE="", TZ="Asia/Kolkata").reco_timezone == ZoneInfo("Asia/Kolkata")


class TestEnvironment:
    def test_the_process_wins_over_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "4000")
        monkeypatch.delenv("HOST", raising=False)
        file = tmp_path / ".env"
        file.write_text("PORT=5000\nexport HOST='::1' # here\n")
        values = environment(file)
        assert (values["PORT"], values["HOST"]) == ("4000", "::1")

    def test_a_value_is_taken_as_it_stands(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TGC_PASSWORD", raising=False)
        file = tmp_path / ".env"
        file.write_text("TGC_PASSWORD=a${HOME}b#c\n")
        assert environment(file)["TGC_PASSWORD"] == "a${HOME}b#c"

    def test_the_file_may_be_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "4000")
        assert environment(tmp_path / ".env")["PORT"] == "4000"

    def test_every_malformed_line_is_told_by_number_alone(self, tmp_path: Path) -> None:
        file = tmp_path / ".env"
        file.write_text("# fine\nPORT=1\n\n\nTGC_PASSWORD hunter22\nHOST=x\nhunter22\nLOG_LEVEL='open hunter22\n")
        with pytest.raises(SettingsError) as caught:
            environment(file)
        assert [sentence.partition(" is ")[0] for sentence in caught.value.mistakes] == [
            ".env line 5",
            ".env line 7",
            ".env line 8",
        ]
        assert "hunter22" not in str(caught.value)

    @fuzzed(few=200, many=20_000)
    def test_any_bytes_are_values_or_mistakes_that_show_nothing_of_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fuzz: Fuzz
    ) -> None:
        monkeypatch.delenv(MARK, raising=False)
        file = tmp_path / ".env"

        @given(st.lists(LINES | st.binary(max_size=20), max_size=5).map(b"\n".join))
        @example(f"A={MARK}\0{MARK}".encode())
        @example(f"A='{MARK}\\".encode())
        @example(f"A=${{{MARK}}}".encode())
        def check(content: bytes) -> None:
            file.write_bytes(content)
            try:
                values = environment(file)
            except SettingsError as error:
                sentences = error.mistakes
                assert sentences
            else:
                sentences = ()
                assert all(isinstance(value, str) for value in values.values())
                with suppress(SettingsError):
                    sentences = read_settings(ENOUGH | values, need_slack=True).warnings
            for sentence in sentences:
                assert MARK not in sentence
                assert sentence.isprintable()

        fuzz(check)

    @pytest.mark.parametrize("make", [Path.mkdir, lambda file: file.write_bytes(b"\xff")])
    def test_a_file_that_is_no_text_is_told(self, tmp_path: Path, make: object) -> None:
        assert callable(make)
        make(tmp_path / ".env")
        with pytest.raises(SettingsError, match=r"\.env cannot be read"):
            environment(tmp_path / ".env")


class TestExample:
    """`.env.example` and the fields of Settings tell the same."""

    text = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")

    def test_each_name_follows_its_meaning_and_none_is_missing(self) -> None:
        pairs = re.findall(r"^# (.+)\n#?([A-Z_]+)=", self.text, re.MULTILINE)
        assert pairs == [(variable.meaning, name) for name, variable in VARIABLES.items()]

    def test_it_names_the_secrets_that_a_file_may_hold(self) -> None:
        assert set(re.findall(r"([A-Z_]+)_FILE\b", self.text)) == {*SECRET_NAMES, "TGC_CA", "CONFIG"}

    def test_its_values_are_the_defaults(self) -> None:
        shown = dict(re.findall(r"^#?([A-Z_]+)=(.+)$", self.text, re.MULTILINE))
        assert read(**shown) == read()
        defaults = msgspec.structs.fields(Settings)
        told = {
            field.name.upper()
            for field in defaults
            if field.default not in (msgspec.NODEFAULT, None, Approvers(), (), Config())
        }
        assert shown.keys() == told

    def test_it_can_be_used_as_it_is_once_filled_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        file = tmp_path / ".env"
        file.write_text(self.text, encoding="utf-8")
        assert read_settings(environment(file) | ENOUGH, need_slack=True).reco_channel == "C0STORAGE"


def test_settings_have_a_variable_each() -> None:
    assert [name.lower() for name in VARIABLES] == [
        name for name in Settings.__struct_fields__ if name not in {"warnings", "config", "tgc_passwords"}
    ]


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [*ENOUGH.values(), "false", "* * * * *", "L L L L L", "0 0 * * 1#2/3", "1L/2", "https://[", "a:b@c"]
    ),
)
SECRETS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "xoxb-", "xapp-", "sqlite+aiosqlite://", "postgresql://a:", "smtps://a:"]),
    st.just(MARK),
    TEXTS,
)
NAMES = [name for name in VARIABLES if name not in SECRET_NAMES]


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, TEXTS)),
    st.fixed_dictionaries({}, optional=dict.fromkeys(SECRET_NAMES, SECRETS)),
    st.fixed_dictionaries({}, optional={f"{name}_FILE": SECRETS for name in SECRET_NAMES}),
    st.dictionaries(st.text(max_size=20) | st.sampled_from(["TGC_\n", "RECO_X", "TZ"]), TEXTS, max_size=3),
    st.booleans(),
)
def test_no_mapping_breaks_the_reading_or_shows_a_secret(
    plain: dict[str, str], secrets: dict[str, str], files: dict[str, str], others: dict[str, str], need_slack: bool
) -> None:
    try:
        settings = read_settings(others | plain | secrets | files, need_slack=need_slack)
    except SettingsError as error:
        sentences = error.mistakes
        assert sentences
    else:
        sentences = settings.warnings
        assert MARK not in repr(settings)
    for sentence in sentences:
        assert MARK not in sentence
        assert sentence.isprintable()
        json.dumps(sentence).encode("ascii")


@given(st.sampled_from(sorted(VARIABLES)), TEXTS)
def test_a_parser_takes_a_text_or_says_what_to_give(name: str, text: str) -> None:
    try:
        VARIABLES[name].parse(text or "x")
    except ValueError as error:
        assert re.match(r"(give|take|this is|a SQLite)", str(error))  # noqa: PT017 (both outcomes are right)
