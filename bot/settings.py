"""Every setting of the bot: its name, meaning, form and default, read once from a mapping.

The fields of `Settings` are the one list of names; `.env.example` and the sentences about mistakes follow it.
"""

import contextlib
import difflib
import io
import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from dotenv.parser import Binding, parse_stream

from bot.config_file import Config, ConfigError, PoolConfig, read_config
from bot.policies import Policies
from bot.pool_rules import Approvers, PoolRule, PoolRules, parse_approvers
from bot.routes import Route, Routes, parse_channel
from bot.setting_forms import (
    parse_ca_file,
    parse_fingerprint,
    parse_schedule,
    parse_text,
    parse_tgc_url,
    parse_web_url,
    parse_zone,
    tgc_address,
)
from bot.smtp_url import parse_smtp_url
from bot.tgc_sections import TgcSection

if TYPE_CHECKING:  # imported where it is needed: SQLAlchemy takes longer than all the rest
    from sqlalchemy.engine import URL

LogFormat = Literal["console", "json"]

DEFAULT_CONFIG_FILE = Path("tintri-bot.toml")
DEFAULT_TGC = "default"
"""The key of the TGC in the environment."""


class SettingsError(Exception):
    """Everything that is wrong with the settings, one sentence each."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Secret:
    """A text that only `reveal` shows; never empty."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("a secret is never empty")
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, _spec: str) -> str:
        return repr(self)


# What a text must look like. Each raises a ValueError that says what to give instead.

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST_ADDRESS = 254
_WAYS_TO_SAY = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0")}


def _parse_secret(text: str) -> Secret:
    return Secret(parse_text(text))


def _parse_bot_token(text: str) -> Secret:
    if text.startswith("xapp-"):
        raise ValueError("this is the app-level token, which belongs in SLACK_APP_TOKEN; give the bot token (xoxb-…)")
    return _parse_token(text, "xoxb-")


def _parse_app_token(text: str) -> Secret:
    if text.startswith("xoxb-"):
        raise ValueError("this is the bot token, which belongs in SLACK_BOT_TOKEN; give the app-level token (xapp-…)")
    return _parse_token(text, "xapp-")


def _parse_token(text: str, prefix: str) -> Secret:
    if not re.fullmatch(rf"{prefix}[!-~]+", text.strip()):
        raise ValueError(f"give a token that starts with {prefix}")
    return Secret(text.strip())


def _parse_signing_secret(text: str) -> Secret:
    if not re.fullmatch(r"(?!xox|xapp)[!-~]+", text.strip()):
        raise ValueError("give the Signing Secret of the app's page Basic Information, which is no token")
    return Secret(text.strip())


def _parse_slack_api_url(text: str) -> str:
    url = parse_web_url(text, "https://slack.com/api/").geturl()
    return url.removesuffix("/") + "/"


def _parse_path(text: str) -> Path:
    return Path(parse_text(text))


def _parse_flag(text: str) -> bool:
    for flag, ways in _WAYS_TO_SAY.items():
        if text.lower() in ways:
            return flag
    raise ValueError("give true or false")


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(text)

    return parse


def _parse_approvers(text: str) -> Approvers:
    return parse_approvers(filter(None, map(str.strip, text.split(","))))


def _parse_smtp_url(text: str) -> Secret:
    url = parse_text(text.strip())
    parse_smtp_url(url)
    return Secret(url)


def parse_address(text: str) -> str:
    """Raises ValueError, which says what to give instead."""
    if not _ADDRESS.fullmatch(text) or len(text) > _LONGEST_ADDRESS:
        raise ValueError("give mail addresses such as storage@example.com, without names and in ASCII")
    return text


def _parse_addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(parse_address, filter(None, map(str.strip, text.split(","))))))


def _parse_database_url(text: str) -> Secret:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    expected = "give sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
    try:
        url = make_url(parse_text(text))
    except (ArgumentError, ValueError):
        raise ValueError(expected) from None
    if url.drivername in {"postgres", "postgresql"}:  # what Heroku and others set
        url = url.set(drivername="postgresql+asyncpg")
    if url.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise ValueError(expected)
    if url.drivername == "sqlite+aiosqlite" and url.host:
        raise ValueError("a SQLite file comes after three slashes, give sqlite+aiosqlite:///FILE")
    if url.drivername == "sqlite+aiosqlite" and _is_in_memory(url):
        raise ValueError(
            "a database in memory forgets at each start who decided what, give a file, sqlite+aiosqlite:///FILE"
        )
    return Secret(url.render_as_string(hide_password=False))


def _is_in_memory(url: "URL") -> bool:
    name = (url.database or "").removeprefix("file:")
    return name in {"", ":memory:"} or url.query.get("mode") == "memory"


def _parse_host(text: str) -> str:
    expected = "give an address to listen on, such as 0.0.0.0"
    if not re.fullmatch(r"[\w.:-]+", text):
        raise ValueError(expected)
    try:
        text.encode("idna")  # as listening does, which fails at an empty or long part of a name
    except UnicodeError:
        raise ValueError(expected) from None
    return text


def _parse_log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError("give DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return text.upper()


def _parse_log_format(text: str) -> str:
    if text.lower() not in {"console", "json"}:
        raise ValueError("give console or json")
    return text.lower()


DEFAULT_DATABASE_FILE = Path("tintri-bot.db")
DEFAULT_DATABASE = Secret(f"sqlite+aiosqlite:///{DEFAULT_DATABASE_FILE}")


class Variable(msgspec.Struct, frozen=True):
    """What the environment variable of a field holds."""

    parse: Callable[[str], object]
    meaning: str
    """The line in `.env.example`; reads on after "NAME is missing: give"."""
    needed_by: Literal["every command", "run"] | None = None
    secret: bool = False
    """Never shown; `<name>_FILE` may name a file that holds it."""


class TgcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot knows of one TGC."""

    key: str
    url: str
    username: str
    password: Secret
    ca_file: Path | None
    fingerprint: str | None
    verify_tls: bool
    schedule: str
    zone: ZoneInfo
    section: str | None = None
    """Where the configuration file has it; None for the one in the environment."""

    def named(self, setting: str) -> str:
        """What people call a setting of it: `TGC_URL`, or `url of [[tgc]] berlin in tintri-bot.toml`."""
        return setting if self.section is None else f"{_IN_SECTION[setting]} of {self.section}"

    @property
    def unchecked_by(self) -> str:
        """What lets its certificate go unchecked, where it does."""
        return "TGC_VERIFY_TLS=false" if self.section is None else f"verify_tls = false of {self.section}"


_IN_SECTION = {
    "TGC_URL": "url",
    "TGC_USERNAME or TGC_PASSWORD": "user or password",
    "TGC_CA_FILE": "ca_file",
    "TGC_FINGERPRINT": "fingerprint",
    "RECO_SCHEDULE": "schedule",
    "RECO_TIMEZONE": "zone",
}
_TGC_IN_ENVIRONMENT = frozenset({"TGC_URL", "TGC_USERNAME", "TGC_PASSWORD"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings; a field's environment variable has its name in capitals."""

    slack_bot_token: Annotated[
        Secret | None,
        Variable(
            _parse_bot_token,
            "the bot token (xoxb-…), from the page OAuth & Permissions of the app at api.slack.com/apps",
            needed_by="run",
            secret=True,
        ),
    ] = None
    slack_app_token: Annotated[
        Secret | None,
        Variable(
            _parse_app_token,
            "the app-level token (xapp-…) with connections:write, for Socket Mode; without it the bot uses HTTP",
            secret=True,
        ),
    ] = None
    slack_signing_secret: Annotated[
        Secret | None,
        Variable(_parse_signing_secret, "the Signing Secret of the app, for HTTP mode", secret=True),
    ] = None
    slack_api_url: Annotated[
        str, Variable(_parse_slack_api_url, "where Slack's Web API is; https://slack-gov.com/api/ for GovSlack")
    ] = "https://slack.com/api/"
    tgc_url: Annotated[
        str | None,
        Variable(
            parse_tgc_url,
            "the URL of the Tintri Global Center, such as https://tgc.example.com",
            needed_by="every command",
        ),
    ] = None
    """`https://host` or `https://host:port`, without `/api`. With its account None where CONFIG_FILE names the TGCs."""
    tgc_username: Annotated[
        str | None, Variable(parse_text, "the TGC account that the bot logs in with", needed_by="every command")
    ] = None
    tgc_password: Annotated[
        Secret | None, Variable(_parse_secret, "the password of that account", needed_by="every command", secret=True)
    ] = None
    tgc_ca_file: Annotated[
        Path | None, Variable(parse_ca_file, "a file of CA certificates (PEM) that sign the TGC's certificate")
    ] = None
    tgc_fingerprint: Annotated[
        str | None,
        Variable(parse_fingerprint, "the SHA-256 of the TGC's own certificate, when nothing known signs it"),
    ] = None
    """64 hexadecimal digits, lower case."""
    tgc_verify_tls: Annotated[
        bool, Variable(_parse_flag, "whether the TGC's certificate is checked; false only on purpose")
    ] = True
    tgc_concurrency: Annotated[
        int, Variable(_whole_number(1, 100), "how many requests the TGC gets at once, from 1 to 100")
    ] = 16
    reco_channel: Annotated[
        str | None,
        Variable(parse_channel, "the id (C… or G…) of the channel for recommendations", needed_by="run"),
    ] = None
    reco_approvers: Annotated[
        Approvers,
        Variable(
            _parse_approvers,
            "who may act: ids of people (U…, W…) and user groups (S…) with commas, or * for everybody; empty: nobody",
        ),
    ] = Approvers()
    reco_schedule: Annotated[
        str, Variable(parse_schedule, "when to look for new recommendations, as cron fields in RECO_TIMEZONE")
    ] = "15 6,18 * * *"
    reco_timezone: Annotated[
        ZoneInfo, Variable(parse_zone, "the TGC's time zone, such as Europe/Berlin; the default is this machine's")
    ]
    reco_refresh_seconds: Annotated[
        int, Variable(_whole_number(1, 86_400), "how often pools with an open card are read again, 1 to 86400")
    ] = 120
    follow_seconds: Annotated[
        int, Variable(_whole_number(1, 3_600), "how often a running recommendation is read, 1 to 3600")
    ] = 15
    smtp_url: Annotated[
        Secret | None,
        Variable(
            _parse_smtp_url,
            "the mail server, smtps://USER:PASSWORD@HOST or smtp://HOST, for mail beside the cards; without it no mail",
            secret=True,
        ),
    ] = None
    mail_from: Annotated[str | None, Variable(parse_address, "the address that mail comes from")] = None
    mail_to: Annotated[
        tuple[str, ...], Variable(_parse_addresses, "the addresses that mail goes to, with commas between them")
    ] = ()
    database_url: Annotated[
        Secret,
        Variable(
            _parse_database_url,
            "the bot's database: sqlite+aiosqlite:///FILE, or postgresql+asyncpg://USER:PASSWORD@HOST/NAME",
            secret=True,
        ),
    ] = DEFAULT_DATABASE
    host: Annotated[str, Variable(_parse_host, "the address that the bot listens on")] = "0.0.0.0"  # noqa: S104 (a container's probes come from outside)
    port: Annotated[int, Variable(_whole_number(1, 65_535), "the port that the bot listens on")] = 3000
    log_level: Annotated[
        str, Variable(_parse_log_level, "how much is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL")
    ] = "INFO"
    log_format: Annotated[
        LogFormat, Variable(_parse_log_format, "how it is logged: console for people, json for machines")
    ] = "console"
    config_file: Annotated[
        Path,
        Variable(
            _parse_path, "a TOML file with what holds for single pools, and more TGCs; one that is named must be there"
        ),
    ] = DEFAULT_CONFIG_FILE
    config: Config = Config()
    """What that file says."""
    tgc_passwords: Mapping[str, Secret] = {}
    """Those of the TGCs in that file, by name."""
    warnings: tuple[str, ...] = ()
    """What works but may not be meant, one sentence each."""

    @property
    def tgcs(self) -> tuple[TgcSettings, ...]:
        """All of them: the one in the environment first, then those of the configuration file."""
        mine = (
            TgcSettings(
                key=DEFAULT_TGC,
                url=self.tgc_url,
                username=self.tgc_username,
                password=self.tgc_password,
                ca_file=self.tgc_ca_file,
                fingerprint=self.tgc_fingerprint,
                verify_tls=self.tgc_verify_tls,
                schedule=self.reco_schedule,
                zone=self.reco_timezone,
            )
            if self.tgc_url and self.tgc_username and self.tgc_password
            else None
        )
        return (*((mine,) if mine else ()), *map(self._of_section, self.config.tgcs))

    def _of_section(self, section: TgcSection) -> TgcSettings:
        return TgcSettings(
            key=section.name,
            url=section.url,
            username=section.user,
            password=self.tgc_passwords[section.name],
            ca_file=section.ca_file,
            fingerprint=section.fingerprint,
            verify_tls=section.verify_tls,
            schedule=section.schedule or self.reco_schedule,
            zone=section.zone or self.reco_timezone,
            section=f"[[tgc]] {section.name} in {self.config.file}",
        )

    @property
    def policies(self) -> Policies:
        return Policies(
            all=self.config.policies, file=self.config.file, zone=self.reco_timezone, tgc_keys=self._tgc_keys
        )

    @property
    def pool_rules(self) -> PoolRules:
        """What the configuration file says of single pools, over RECO_APPROVERS."""
        default = PoolRule(name="RECO_APPROVERS", named_in="RECO_APPROVERS", approvers=self.reco_approvers)
        return PoolRules(
            default=default,
            by_pool=tuple((pattern, self._rule(pattern, pool)) for pattern, pool in self.config.pools),
            tgc_keys=self._tgc_keys,
        )

    def _rule(self, pattern: str, pool: PoolConfig) -> PoolRule:
        section = f'[pools."{pattern}"] in {self.config.file}'
        named_in, approvers = (
            ("RECO_APPROVERS", self.reco_approvers)
            if pool.approvers is None
            else (f"approvers of {section}", pool.approvers)
        )
        return PoolRule(
            name=section,
            named_in=named_in,
            approvers=approvers,
            second_approver=pool.second_approver,
            ticket=pool.ticket,
        )

    @property
    def routes(self) -> Routes:
        """What the configuration file says of channels, over RECO_CHANNEL."""
        default = Route(channels=(self.reco_channel,) if self.reco_channel else ())
        return Routes(default=default, by_match=self.config.routes, zone=self.reco_timezone, tgc_keys=self._tgc_keys)

    @property
    def _tgc_keys(self) -> frozenset[str]:
        return frozenset(tgc.key for tgc in self.tgcs)

    def secrets(self) -> tuple[Secret, ...]:
        """What no log line may show."""
        mine = (
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
            self.tgc_password,
            *self.tgc_passwords.values(),
            *(Secret(password) for password in (self._smtp_password,) if password),
            self._database_password,
        )
        return tuple(secret for secret in mine if secret is not None)

    @property
    def _smtp_password(self) -> str | None:
        login = parse_smtp_url(self.smtp_url.reveal()).login if self.smtp_url else None
        return login.password if login else None

    @property
    def _database_password(self) -> Secret | None:
        if self.database_url == DEFAULT_DATABASE:
            return None
        from sqlalchemy.engine import make_url

        password = make_url(self.database_url.reveal()).password
        return Secret(str(password)) if password else None


VARIABLES: Mapping[str, Variable] = {
    field.upper(): hint.__metadata__[0]
    for field, hint in get_type_hints(Settings, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}


def environment(dotenv: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The process's environment over the file `dotenv`, which may be missing.

    Raises SettingsError for a file that cannot be read, and for each line of it that is no `NAME=value`.
    """
    try:
        text = dotenv.read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict(environ)
    except (OSError, UnicodeError):
        raise SettingsError((f"{dotenv.name} cannot be read: make it a readable text file in UTF-8.",)) from None
    # A comment or an empty end has neither key nor error; a name alone has no value.
    bindings = [binding for binding in parse_stream(io.StringIO(text)) if binding.key is not None or binding.error]
    mistakes = tuple(
        f"{dotenv.name} line {_line(binding)} is not understood: write NAME=value, and close every quote."
        for binding in bindings
        if binding.value is None
    )
    if mistakes:
        raise SettingsError(mistakes)
    return {binding.key: binding.value for binding in bindings if binding.key and binding.value} | dict(environ)


def _line(binding: Binding) -> int:
    """The parser counts from the empty lines before a binding."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def read_settings(environ: Mapping[str, str], *, need_slack: bool) -> Settings:
    """Raises SettingsError with all mistakes at once; `need_slack` is for the command `run`."""
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    config = Config()
    config_mistakes: tuple[str, ...] = ()
    try:
        config = _config(environ)
        needs_tgc = not config.tgcs or _has_tgc(environ)  # part of one is not enough
    except ConfigError as error:
        config_mistakes = error.mistakes
        needs_tgc = not error.names_tgcs or _has_tgc(environ)
    needed = {name for name, variable in VARIABLES.items() if _is_needed(variable, need_slack=need_slack)}
    if not needs_tgc:
        needed -= _TGC_IN_ENVIRONMENT
    for name, variable in VARIABLES.items():
        try:
            text = _text(environ, name, variable)
            if text is not None:
                values[name.lower()] = _parsed(environ, name, variable, text)
            elif name in needed:
                mistakes.append(f"{name} is missing: give {variable.meaning}.")
        except ValueError as mistake:
            mistakes.append(str(mistake))
    mistakes += _mistakes_together(environ, values, need_slack=need_slack)
    mistakes += config_mistakes
    mistakes += _same_as_in_environment(config, values.get("tgc_url"))
    values["config"] = config
    values["tgc_passwords"] = passwords = {}
    for section in config.tgcs:
        try:
            passwords[section.name] = _password_of(section, config, environ)
        except ValueError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise SettingsError(tuple(mistakes))
    values.setdefault("reco_timezone", machine_zone(environ))
    settings = Settings(**values)
    return msgspec.structs.replace(settings, warnings=(*_risks(settings), *_unheeded(environ, config)))


def _is_needed(variable: Variable, *, need_slack: bool) -> bool:
    return variable.needed_by == "every command" or (variable.needed_by == "run" and need_slack)


def _has_tgc(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) or environ.get(f"{name}_FILE") for name in _TGC_IN_ENVIRONMENT)


def _same_as_in_environment(config: Config, tgc_url: str | None) -> Iterator[str]:
    for section in config.tgcs:
        if tgc_url is not None and tgc_address(section.url) == tgc_address(tgc_url):
            yield (
                f"{config.file} [[tgc]] {section.name}: url is that of TGC_URL, too: "
                "give each TGC once, here or in the environment."
            )


def _password_of(section: TgcSection, config: Config, environ: Mapping[str, str]) -> Secret:
    """Raises ValueError with the whole sentence."""
    where = f"{config.file} [[tgc]] {section.name}:"
    if section.name == DEFAULT_TGC and _has_tgc(environ):
        raise ValueError(f"{where} the TGC in the environment has the name {DEFAULT_TGC}, so give this one another.")
    if section.password_file is not None:
        text = _password_in(section.password_file, where)
    else:
        text = environ.get(section.password_env or "", "")
        if not text:
            raise ValueError(f"{where} {section.password_env} is not set: put the password into that variable.")
    try:
        return _parse_secret(text)
    except ValueError as error:
        raise ValueError(f"{where} the password is not usable: {error}.") from None


def _password_in(file: Path, where: str) -> str:
    # The path is not shown: it may be the password itself.
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        raise ValueError(f"{where} password_file cannot be read: give a readable text file.") from None
    if not text:
        raise ValueError(f"{where} password_file is empty: put the password into it.")
    return text


def _config(environ: Mapping[str, str]) -> Config:
    """Raises ConfigError. Only the file that nobody needs to name may be missing."""
    try:
        path = _parse_path(environ.get("CONFIG_FILE", "").strip() or str(DEFAULT_CONFIG_FILE))
    except ValueError:
        return Config()  # the variable's own mistake is told
    try:
        return read_config(path)
    except FileNotFoundError:
        if path == DEFAULT_CONFIG_FILE:
            return Config()
        shown = _quoted(str(path), environ)
        raise ConfigError((f"CONFIG_FILE is {shown}, which is not there: create it, or take the name out.",)) from None


def read_database_url(environ: Mapping[str, str]) -> Secret:
    """For commands that need the database alone: no other setting must be there, or right. Raises SettingsError."""
    name = "DATABASE_URL"
    variable = VARIABLES[name]
    try:
        text = _text(environ, name, variable)
        return DEFAULT_DATABASE if text is None else cast("Secret", _parsed(environ, name, variable, text))
    except ValueError as mistake:
        raise SettingsError((str(mistake),)) from None


def machine_zone(environ: Mapping[str, str], etc: Path = Path("/etc")) -> ZoneInfo:
    """The IANA zone of this machine, UTC where it tells none."""
    for name in _zone_names(environ, etc):
        try:
            return parse_zone(name)
        except ValueError:
            continue  # TZ may also hold a POSIX rule such as CET-1CEST
    return ZoneInfo("UTC")


def _zone_names(environ: Mapping[str, str], etc: Path) -> Iterator[str]:
    yield environ.get("TZ", "").removeprefix(":")
    with contextlib.suppress(OSError, UnicodeError):
        yield (etc / "timezone").read_text(encoding="utf-8").strip()
    yield str((etc / "localtime").resolve()).partition("zoneinfo/")[2]


def _text(environ: Mapping[str, str], name: str, variable: Variable) -> str | None:
    """The text of a variable, None where there is none. Raises ValueError with the whole sentence."""
    text = environ.get(name, "")
    if not variable.secret:
        return text.strip() or None
    path = environ.get(f"{name}_FILE", "")
    if text and path:
        raise ValueError(f"{name} and {name}_FILE are both given: keep one of them.")
    return _file_text(name, path) if path else text or None


def _file_text(name: str, path: str) -> str:
    # The path is not shown: it may be the secret itself, put under the wrong name.
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError):
        raise ValueError(f"{name}_FILE names a file that cannot be read: give a readable text file.") from None
    if not text:
        raise ValueError(f"{name}_FILE names an empty file: put the value into it.")
    return text


def _parsed(environ: Mapping[str, str], name: str, variable: Variable, text: str) -> object:
    """Raises ValueError with the whole sentence."""
    try:
        return variable.parse(text)
    except ValueError as error:
        shown = "not usable" if variable.secret else _quoted(text, environ)
        raise ValueError(f"{name} is {shown}: {error}.") from None


def _quoted(text: str, environ: Mapping[str, str]) -> str:
    """The text, short and safe to print, unless it holds a secret that was put under the wrong name."""
    secrets = {environ.get(name, "") for name, variable in VARIABLES.items() if variable.secret}
    if any(secret and secret in text for secret in secrets) or re.search(r"xox|xapp-|://.*@", text):
        return "not usable"
    return repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004


def _mistakes_together(environ: Mapping[str, str], values: Mapping[str, Any], *, need_slack: bool) -> Iterator[str]:
    ways_in = ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    if need_slack and not any(environ.get(name) or environ.get(f"{name}_FILE") for name in ways_in):
        yield (
            "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing: "
            "give the first for Socket Mode, or the second for HTTP mode."
        )
    for name in ("MAIL_FROM", *(("MAIL_TO",) if need_slack else ())):  # `reco --mail-to` names its own
        if "smtp_url" in values and not values.get(name.lower()) and not environ.get(name, "").strip(" ,"):
            yield f"{name} is missing, and SMTP_URL is given: give {VARIABLES[name].meaning}."
    if values.get("tgc_verify_tls") is False and ("tgc_ca_file" in values or "tgc_fingerprint" in values):
        yield (
            "TGC_VERIFY_TLS=false contradicts TGC_CA_FILE and TGC_FINGERPRINT: "
            "take it out, so that the certificate is checked."
        )


def _risks(settings: Settings) -> Iterator[str]:
    for tgc in settings.tgcs:
        if not tgc.verify_tls:
            yield (
                f"{tgc.unchecked_by} lets anybody on the network pose as the TGC and read its password: "
                f"give {tgc.named('TGC_FINGERPRINT')} or {tgc.named('TGC_CA_FILE')} instead."
            )
        if _travels_in_clear(tgc.url):
            yield f"{tgc.named('TGC_URL')} is http, so the password travels in clear text: give an https URL."
    if _travels_in_clear(settings.slack_api_url):
        yield "SLACK_API_URL is http, so the tokens travel in clear text: give an https URL."
    if settings.mail_to and settings.smtp_url is None:
        yield "MAIL_TO is given without SMTP_URL, so no mail is sent: give SMTP_URL, or take MAIL_TO out."


def _travels_in_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unheeded(environ: Mapping[str, str], config: Config) -> Iterator[str]:
    if environ.get("SLACK_CLIENT_ID") and environ.get("SLACK_CLIENT_SECRET"):
        yield (
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are ignored, for the bot serves one workspace: "
            "take them out of its environment."
        )
    known = {*VARIABLES, *(f"{name}_FILE" for name, variable in VARIABLES.items() if variable.secret)}
    known |= {section.password_env for section in config.tgcs if section.password_env}
    for name in sorted(environ.keys() - known):
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if nearest:
            yield f"{_quoted(name, environ)} is ignored, no setting has this name: did you mean {nearest[0]}?"
        elif name.startswith(("TGC_", "RECO_")):
            yield f"{_quoted(name, environ)} is ignored, no setting has this name: .env.example lists all."
