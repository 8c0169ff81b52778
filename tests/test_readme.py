"""What the documents promise is there: settings, commands, scopes, buttons, links."""

import re
import tomllib
from pathlib import Path

import pytest

from bot import config_file
from bot.__main__ import cli
from bot.manifest import manifest
from bot.rendering.answers import render_help

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/audit.md",
    "docs/command-line.md",
    "docs/doctor.md",
    "docs/install.md",
    "docs/policies.md",
    "docs/settings.md",
    "docs/troubleshooting.md",
    "docs/using.md",
    "docs/operating.md",
    "docs/performance.md",
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README = text_of("README.md")


def table(first_header: str) -> list[list[str]]:
    """The cells of each row of the README's table with this header."""
    found = re.search(rf"^\| {first_header} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert found
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


def test_the_settings_table_and_the_example_name_the_same_in_the_same_order() -> None:
    example = re.findall(r"^#?([A-Z_]+)=", text_of(".env.example"), re.MULTILINE)
    assert [row[0].strip("`") for row in table("name")] == example


def test_the_settings_table_and_the_example_give_the_same_defaults() -> None:
    example = dict(re.findall(r"^#([A-Z_]+)=(.+)$", text_of(".env.example"), re.MULTILINE))
    defaults = {row[0].strip("`"): row[2] for row in table("name")}
    assert {name: default.strip("`") for name, default in defaults.items() if default.startswith("`")} == example


def test_the_settings_marked_secret_are_those_that_a_file_may_hold() -> None:
    marked = {row[0].strip("`") for row in table("name") if "*secret*" in row[1]}
    comments = " ".join(line for line in text_of(".env.example").splitlines() if line.startswith("# "))
    assert marked == set(re.findall(r"([A-Z_]+)_FILE\b", comments)) - {"TGC_CA", "CONFIG"}


def test_the_scopes_are_the_manifests() -> None:
    asked = re.search(r"^ {4}bot:\n((?: {6}- .+\n)+)", manifest(request_url=None), re.MULTILINE)
    assert asked
    assert [row[0].strip("`") for row in table("scope")] == re.findall(r"- ([\w:]+)$", asked[1], re.MULTILINE)


def test_the_commands_typed_in_slack_are_those_of_the_help() -> None:
    assert [row[0].strip("`") for row in table("typed")] == re.findall(r"/tintri[\w ]*", render_help(None).text)


def test_every_button_of_a_card_and_its_thread_is_explained() -> None:
    card = re.search(r'yield blocks\.button\("Accept"[\s\S]+?(?=\n\n\n)', text_of("bot/rendering/card.py"))
    assert card
    labels = re.findall(r'blocks\.button\("([\w ]+)"', card[0] + text_of("bot/rendering/notices.py"))
    assert {row[0].strip("*") for row in table("button")} == set(labels)


def test_every_command_and_button_in_slack_is_described() -> None:
    using = text_of("docs/using.md")
    commands = re.findall(r"/tintri[\w ]*", render_help(None).text)
    assert [command for command in commands if f"| `{command}` |" not in using] == []
    drawn = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot/rendering").glob("*.py"))
    labels = set(re.findall(r'(?:button|[=,] )\("([A-Z][\w ]+…?)", (?:ids\.|action_id)', drawn))
    assert labels >= {"Accept", "Newer", "Previous", "Press me", "Never move…"}
    assert sorted(label for label in labels if f"**{label}**" not in using) == []


def test_the_keys_of_the_configuration_file_are_shown() -> None:
    example = re.search(r"^```toml\n(.+?)\n```", README, re.MULTILINE | re.DOTALL)
    assert example
    top, _, _ = example[1].partition("\n[")
    assert set(tomllib.loads(top)) == set(config_file._TOP)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_exist(document: str) -> None:
    code = "\n".join(
        block or words for block, words in re.findall(r"^ {4}(.+)$|`([^`\n]+)`", text_of(document), re.MULTILINE)
    )
    targets = re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE)
    commands = [command.callback.__name__ for command in cli.registered_commands if command.callback]
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= set(targets)
    assert set(re.findall(r"\btintri-bot ([a-z]+)", code)) <= set(commands)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_links_lead_somewhere(document: str) -> None:
    text = text_of(document)
    folder = (ROOT / document).parent
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("https://")]
    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_named_exist(document: str) -> None:
    """In backquotes: a path of the repository."""
    named = re.findall(
        r"`((?:bot|handlers|playground|tgc|tests|requirements|docs|deploy)/[\w./-]*)`", text_of(document)
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_architecture_names_every_module() -> None:
    text = text_of("docs/architecture.md")
    modules = {path.stem for package in ("tgc", "handlers", "bot") for path in (ROOT / package).glob("[a-z]*.py")}
    modules |= {
        path.stem
        for package in ("doctor", "rendering", "storage")
        for path in (ROOT / "bot" / package).glob("[a-z]*.py")
    }
    assert sorted(module for module in modules if f"`{module}`" not in text) == []
