"""Sections `[[tgc]]` of the configuration file: the Tintri Global Centers beside the one in the environment."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from bot.setting_forms import (
    parse_ca_file,
    parse_fingerprint,
    parse_schedule,
    parse_text,
    parse_tgc_url,
    parse_zone,
    tgc_address,
)

T = TypeVar("T")

_NEEDED = {
    "name": 'give a name such as "berlin"',
    "url": 'give the URL, such as "https://tgc.example.com"',
    "user": "give the account that the bot logs in with",
}


class TgcSection(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, as the file has it. None where the file says nothing."""

    name: str
    """The TGC's key in every record."""
    url: str
    user: str
    password_env: str | None = None
    """Of this and `password_file` one is given."""
    password_file: Path | None = None
    ca_file: Path | None = None
    fingerprint: str | None = None
    verify_tls: bool = True
    zone: ZoneInfo | None = None
    schedule: str | None = None


Mistake = Callable[[int, str, str], None]
"""Is told the section's number, the key that is meant, and a sentence."""


def tgc_sections(
    tables: Sequence[Mapping[str, Any]], given: Sequence[Collection[str]], mistake: Mistake
) -> tuple[TgcSection, ...]:
    """Those that are whole; what is wrong with the others is told. `given`: the keys of each, usable or not."""
    sections: list[TgcSection] = []
    for number, (values, keys) in enumerate(zip(tables, given, strict=True), 1):
        for key, sentence in _wrong(values, keys, sections):
            mistake(number, key, sentence)
        if values.keys() >= _NEEDED.keys():
            sections.append(TgcSection(**values))
    return tuple(sections)


def _wrong(values: Mapping[str, Any], given: Collection[str], before: Sequence[TgcSection]) -> list[tuple[str, str]]:
    wrong = [(key, f"{key} is missing: {what}") for key, what in _NEEDED.items() if key not in given]
    if values.get("name") in {section.name for section in before}:
        wrong.append(("name", "name is given twice: give each TGC another name"))
    same = next((one for one in before if "url" in values and tgc_address(one.url) == tgc_address(values["url"])), None)
    if same is not None:
        wrong.append(("url", f"url is that of {same.name}, too: give each TGC once"))
    if "password" not in given and ("password_env" in given) == ("password_file" in given):
        wrong.append(("password_env", f"password_env or password_file, one of the two is needed: {_WHERE_PASSWORDS}"))
    if values.get("verify_tls") is False and ("ca_file" in values or "fingerprint" in values):
        why = "contradicts ca_file and fingerprint: take it out, so that the certificate is checked"
        wrong.append(("verify_tls", f"verify_tls = false {why}"))
    return wrong


_WHERE_PASSWORDS = "give the name of the environment variable, or of the file, that holds the password"


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9-]{1,32}", value):
        raise ValueError("give 1 to 32 of a to z, 0 to 9 and -")
    return value


def _user(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("give the account that the bot logs in with")
    return parse_text(value.strip())


def _password(_value: object) -> str:
    raise ValueError(f"a password does not belong in this file; as password_env or password_file {_WHERE_PASSWORDS}")


def _password_env(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("give the name of an environment variable such as TGC_BERLIN_PASSWORD, not the password")
    return value


def _password_file(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("give the path of a file that holds the password")
    return Path(parse_text(value))


def _verify_tls(value: object) -> bool:
    match value:
        case bool():
            return value
        case _:
            raise ValueError("give true or false")


def _by(parse: Callable[[str], T], example: str) -> Callable[[object], T]:
    def form(value: object) -> T:
        match value:
            case str():
                return parse(value.strip())
            case _:
                raise ValueError(f"give {example}")

    return form


MEANINGS = {
    "name": "what it is called, in all records; the one in the environment is called default",
    "url": "its URL, which no other of them has",
    "user": "the account that the bot logs in with",
    "password_env": "which environment variable holds the password of that account",
    "password_file": "or which file holds it",
    "ca_file": "a file of CA certificates (PEM) that sign its certificate",
    "fingerprint": "the SHA-256 of its own certificate, when nothing known signs it",
    "verify_tls": "whether its certificate is checked; false only on purpose",
    "zone": "its time zone; without it RECO_TIMEZONE",
    "schedule": "when to look for new recommendations, by its zone; without it RECO_SCHEDULE",
}
"""Of each key, for the documents."""
TGC_FORMS: Mapping[str, Callable[[object], object]] = {
    "name": _name,
    "url": _by(parse_tgc_url, 'a URL such as "https://tgc.example.com"'),
    "user": _user,
    "password": _password,
    "password_env": _password_env,
    "password_file": _password_file,
    "ca_file": _by(parse_ca_file, 'the path of a file such as "/etc/ssl/tgc.pem"'),
    "fingerprint": _by(parse_fingerprint, "64 hexadecimal digits in quotes, with or without colons"),
    "verify_tls": _verify_tls,
    "zone": _by(parse_zone, 'an IANA time zone such as "Europe/Berlin"'),
    "schedule": _by(parse_schedule, 'five cron fields such as "15 6,18 * * *"'),
}
"""What each key must be; raises ValueError that says what to give instead."""
