import re
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import cli
from bot.manifest import SCOPES, manifest

ROOT = Path(__file__).parents[2]
EVENTS = "https://bot.example.com/slack/events"


def parse(text: str) -> Any:
    """The little of YAML that the template uses: mappings, lists of words, one list of mappings."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines()]
    value, rest = _parse_block(lines, 0)
    assert not rest
    return value


def _parse_block(lines: list[tuple[int, str]], indent: int) -> tuple[Any, list[tuple[int, str]]]:
    if lines[0][1].startswith("- ") and ": " not in lines[0][1]:
        words = [line[2:] for at, line in lines if at == indent]
        return words[: _length(lines, indent)], lines[_length(lines, indent) :]
    if lines[0][1].startswith("- "):
        item, rest = _parse_block([(indent + 2, lines[0][1][2:]), *lines[1:]], indent + 2)
        return [item], rest
    mapping: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        key, _, scalar = lines[0][1].partition(":")
        assert key not in mapping
        lines = lines[1:]
        if scalar:
            mapping[key] = _parse_scalar(scalar.strip())
        else:
            mapping[key], lines = _parse_block(lines, lines[0][0])
    return mapping, lines


def _length(lines: list[tuple[int, str]], indent: int) -> int:
    return next((count for count, (at, _) in enumerate(lines) if at < indent), len(lines))


def _parse_scalar(text: str) -> str | bool | int:
    if text in {"true", "false"}:
        return text == "true"
    if text.isdigit():
        return int(text)
    if text.startswith('"'):
        assert re.fullmatch(r'"[^"\\]*"', text)
        return text[1:-1]
    # A plain scalar may hold neither of these, and may not begin with a sign of YAML's.
    assert not re.search(r": | #|^[^\w/]", text)
    return text


class TestSocketMode:
    app = parse(manifest(request_url=None))

    def test_it_says_exactly_this(self) -> None:
        assert self.app == {
            "_metadata": {"major_version": 1},
            "display_information": {
                "name": "Tintri",
                "description": "Recommendations of the Tintri Global Center, decided in Slack",
                "background_color": "#1f2937",
            },
            "features": {
                "app_home": {
                    "home_tab_enabled": True,
                    "messages_tab_enabled": True,
                    "messages_tab_read_only_enabled": True,
                },
                "bot_user": {"display_name": "tintri", "always_online": True},
                "slash_commands": [
                    {
                        "command": "/tintri",
                        "description": "Recommendations of the Tintri Global Center",
                        "usage_hint": "reco | history | status | who | pause | resume | rules | audit | doctor | help",
                        "should_escape": False,
                    }
                ],
            },
            "oauth_config": {
                "scopes": {
                    "bot": [
                        "commands",
                        "chat:write",
                        "channels:history",
                        "groups:history",
                        "users:read",
                        "usergroups:read",
                    ]
                }
            },
            "settings": {
                "event_subscriptions": {"bot_events": ["app_home_opened"]},
                "interactivity": {"is_enabled": True},
                "org_deploy_enabled": False,
                "socket_mode_enabled": True,
                "token_rotation_enabled": False,
            },
        }

    def test_slacks_limits_are_kept(self) -> None:
        display, features = self.app["display_information"], self.app["features"]
        (command,) = features["slash_commands"]
        assert 1 <= len(display["name"]) <= 35
        assert 1 <= len(display["description"]) <= 140
        assert re.fullmatch("#[0-9a-f]{6}", display["background_color"])
        assert 1 <= len(features["bot_user"]["display_name"]) <= 80
        assert re.fullmatch(r"/[a-z]{1,31}", command["command"])
        assert 1 <= len(command["description"]) <= 2000
        assert 1 <= len(command["usage_hint"]) <= 1000

    def test_the_file_in_the_root_is_this_one(self) -> None:
        assert (ROOT / "manifest.yaml").read_text(encoding="utf-8") == manifest(request_url=None)


class TestHttpMode:
    def test_it_differs_by_the_url_and_the_mode_alone(self) -> None:
        app, socket_app = parse(manifest(request_url=EVENTS)), parse(manifest(request_url=None))
        assert app["features"]["slash_commands"][0].pop("url") == EVENTS
        assert app["settings"]["interactivity"].pop("request_url") == EVENTS
        assert app["settings"]["event_subscriptions"].pop("request_url") == EVENTS
        assert app["settings"].pop("socket_mode_enabled") is False
        assert socket_app["settings"].pop("socket_mode_enabled") is True
        assert app == socket_app

    @pytest.mark.parametrize(
        ("given", "called"),
        [
            ("https://bot.example.com", EVENTS),
            ("https://bot.example.com/", EVENTS),
            (EVENTS, EVENTS),
            ("https://bot.example.com:8443", "https://bot.example.com:8443/slack/events"),
            ("https://example.com/tintri/slack/events", "https://example.com/tintri/slack/events"),
        ],
    )
    def test_the_path_is_added_to_a_host_alone(self, given: str, called: str) -> None:
        assert parse(manifest(request_url=given))["settings"]["interactivity"]["request_url"] == called

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "bot.example.com",
            "http://bot.example.com",
            "https://",
            "https://user:pw@bot.example.com",
            "https://bot.example.com/?a=b",
            "https://bot.example.com/#a",
            'https://bot.example.com/"\nsettings: {}',
            f"https://bot.example.com/{'a' * 3000}",
        ],
    )
    def test_a_url_that_slack_cannot_call_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"^The request URL is .+: give .+\.$"):
            manifest(request_url=url)


def test_the_procfile_starts_the_bot() -> None:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    commands = dict(line.split(": python -m bot ") for line in lines if not line.startswith("#"))
    assert commands == {"release": "migrate", "web": "run", "worker": "run"}
    assert set(commands.values()) <= {
        command.callback.__name__ for command in cli.registered_commands if command.callback
    }


def test_it_asks_for_the_scopes_that_are_explained_and_no_others() -> None:
    (scopes,) = re.findall(r"^    bot:\n((?:      - .+\n)+)", manifest(request_url=None), re.MULTILINE)
    assert [scope.strip(" -") for scope in scopes.splitlines()] == list(SCOPES)
