"""docs/settings.md, made of the definitions in bot/settings.py and bot/config_file.py: `python -m tests.docs.settings`.

Run by itself it writes the file.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from bot import config_file, tgc_sections
from bot.config_file import Config
from bot.settings import VARIABLES, Secret, Settings, SettingsError, read_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = """\
# Settings

Every setting there is. This file is made of the code's own definitions ([CONTRIBUTING.md](../CONTRIBUTING.md) says
how), and a test compares the two; the [README](../README.md) explains the settings in their context.

## The environment

They come from the environment, over the file `.env` in the current folder ([.env.example](../.env.example) is one to
fill in). An empty value is as none. Where a *file form* is named, that variable may name a file that holds the value,
in the place of the value itself; giving both is refused. Such values are secret: logs mask them, and nothing shows
them.
"""
_TOGETHER = """
Some depend on each other. The bot refuses to start with these sentences:
"""
_RISKS = """
And it starts, but warns, with these:
"""
_FILE = """
## The configuration file

A TOML file, `tintri-bot.toml` unless `CONFIG_FILE` names another one, holds what is said of single pools. Each mistake
in it is told at once, with its line. These keys stand at its top, above all sections:
"""
_POOLS = """
And these in a section `[pools."NAME"]` for each pool, or for each pattern (`*` is any text, `?` any character, and all
else, brackets too, is itself). A pool's own name comes first, then the first pattern that matches, from top to bottom;
case counts:
"""
_TGCS = """
And these in a section `[[tgc]]` for each Tintri Global Center beside the one in the environment, which may be missing
then. The first three and one of the two for the password must be there:
"""
_NEEDED_BY = {"every command": "`run`, `reco`", "run": "`run`"}
_SECTIONS = """
There may be sections `[[routes]]` as well, see [routes.md](routes.md), and `[[policies]]`, see
[policies.md](policies.md).
"""
_UNITS = {"hours": timedelta(hours=1), "days": timedelta(days=1), "minutes": timedelta(minutes=1)}
_COMPLETE = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "TGC_URL": "https://tgc.example.com",
    "TGC_USERNAME": "bot",
    "TGC_PASSWORD": "secret",
    "RECO_CHANNEL": "C0STORAGE",
}
_FINGERPRINT = "0" * 64


def reference() -> str:
    return "".join(
        (
            _HEAD,
            _table(("name", "meaning", "default", "needed by", "file form"), map(_variable, VARIABLES)),
            _TOGETHER,
            _list(_refusals()),
            _RISKS,
            _list(_warnings()),
            _FILE,
            _table(("key", "meaning", "value", "default"), map(_top_key, config_file._TOP)),
            _POOLS,
            _table(("key", "meaning", "value"), map(_pool_key, config_file._POOL)),
            _TGCS,
            _table(("key", "meaning", "value"), map(_tgc_key, tgc_sections.MEANINGS)),
            _SECTIONS,
        )
    )


def _variable(name: str) -> Iterable[str]:
    variable = VARIABLES[name]
    return (
        _code(name),
        _text(variable.meaning),
        _code(_default(name)),
        _NEEDED_BY.get(variable.needed_by or "", ""),
        _code(f"{name}_FILE" if variable.secret else ""),
    )


def _default(name: str) -> str:
    """As one would write it; nothing where there is none."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    match defaults[name.lower()]:
        case Secret() as secret:
            return secret.reveal()
        case bool() as flag:
            return str(flag).lower()
        case int() | str() | Path() as value:
            return str(value)
        case _:
            return ""


def _refusals() -> Iterator[str]:
    """As `run` says them."""
    yield from _mistakes({name: text for name, text in _COMPLETE.items() if name != "SLACK_APP_TOKEN"})
    yield from _mistakes(_COMPLETE | {"SMTP_URL": "smtp://mail.example.com"})
    yield from _mistakes(_COMPLETE | {"TGC_VERIFY_TLS": "false", "TGC_FINGERPRINT": _FINGERPRINT})


def _mistakes(environ: Mapping[str, str]) -> Iterable[str]:
    try:
        read_settings(environ, need_slack=True)
    except SettingsError as error:
        return error.mistakes
    raise AssertionError("these settings are refused")


def _warnings() -> Iterable[str]:
    risky = {
        "TGC_VERIFY_TLS": "false",
        "TGC_URL": "http://tgc.example.com",
        "SLACK_API_URL": "http://slack.example.com/api/",
        "MAIL_TO": "storage@example.com",
    }
    return read_settings(_COMPLETE | risky, need_slack=True).warnings


def _top_key(key: str) -> Iterable[str]:
    default = getattr(Config(), config_file.FIELDS[key])
    unit = _UNITS[key.rpartition("_")[2]]
    return (
        _code(key),
        _text(config_file.MEANINGS[key]),
        _form(config_file._TOP[key]),
        _code("" if default is None else str(default // unit)),
    )


def _pool_key(key: str) -> Iterable[str]:
    return _code(key), _text(config_file.MEANINGS[key]), _form(config_file._POOL[key])


def _tgc_key(key: str) -> Iterable[str]:
    return _code(key), _text(tgc_sections.MEANINGS[key]), _form(tgc_sections.TGC_FORMS[key])


def _form(parse: object) -> str:
    """What the bot tells to give, where something else was given."""
    assert callable(parse)
    try:
        parse(None)
    except ValueError as error:
        return _text(str(error).removeprefix("give "))
    raise AssertionError("nothing is no value")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(header)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _list(sentences: Iterable[str]) -> str:
    return "\n" + "".join(f"- {_text(sentence)}\n" for sentence in sentences)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _text(text: str) -> str:
    """Nothing of it read as Markdown."""
    return "".join(f"\\{sign}" if sign in "*|<" else sign for sign in text)


if __name__ == "__main__":
    DOCUMENT.write_text(reference(), encoding="utf-8")
