"""What users install: the wheel, and the pinned requirements beside it."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.storage.database import open_database
from bot.storage.errors import DatabaseError

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("bot", "handlers", "playground", "tgc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.iterdir()
    return ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: ZipFile) -> None:
    """Of the page what was built of it, not its sources."""
    there = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    names = (path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts)
    assert there == {name for name in names if not name.startswith("playground/page/")}
    assert {name for name in there if name.startswith("playground/static/")} == {
        f"playground/static/{name}" for name in ("index.html", "page.css", "page.js", "licenses.md")
    }
    assert {f"{package}/py.typed" for package in PACKAGES} < there
    assert any(re.fullmatch(r"bot/storage/migrations/versions/\d{4}_\w+\.py", name) for name in there)


def test_the_wheel_brings_the_command_and_the_license(wheel: ZipFile) -> None:
    information = {name.partition(".dist-info/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    entry_points = wheel.read(information["entry_points.txt"]).decode()
    assert entry_points == "[console_scripts]\ntintri-bot = bot.__main__:main\n"
    assert "licenses/LICENSE" in information


def test_the_pages_packages_are_locked_without_an_address() -> None:
    page = ROOT / "playground" / "page"
    wanted = json.loads((page / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((page / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {name: package for name, package in locked.items() if name}
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def pins(name: str) -> dict[str, str]:
    """Versions by package, of a file in which every line must be a pin with its hashes, or a comment."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", "").splitlines() if line and not line.lstrip().startswith("#")]
    matches = [
        re.fullmatch(
            r"(?P<name>[a-z0-9-]+)(\[\w+\])?==(?P<version>[\w.]+)( ; [^:]+)?(\s+--hash=sha256:\w{64})+\s*", line
        )
        for line in lines
    ]
    assert [line for line, match in zip(lines, matches, strict=True) if match is None] == []
    return {match["name"]: match["version"] for match in matches if match}


def names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[\[><=]", requirement, maxsplit=1)[0] for requirement in requirements}


def test_what_pyproject_asks_for_is_pinned_with_hashes() -> None:
    project = PYPROJECT["project"]
    assert names(project["dependencies"]) <= pins("base.txt").keys()
    assert names(project["optional-dependencies"]["postgres"]) <= pins("postgres.txt").keys()
    assert names(project["optional-dependencies"]["dev"]) <= pins("dev.txt").keys()
    assert names(PYPROJECT["build-system"]["requires"]) <= pins("build.txt").keys()


def test_all_files_pin_the_same_versions() -> None:
    base, dev, build = pins("base.txt"), pins("dev.txt"), pins("build.txt")
    assert base.items() <= pins("postgres.txt").items() <= dev.items()
    assert {name: build[name] for name in build.keys() & dev.keys()} == {
        name: dev[name] for name in build.keys() & dev.keys()
    }


async def test_a_database_whose_driver_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(DatabaseError, match=r"^DATABASE_URL needs the package asyncpg, which is not installed: .*\.$"):
        async with open_database("postgresql+asyncpg://bot:secret@localhost/bot"):
            pass


def test_whatever_is_installed_is_held_against_its_hash() -> None:
    """Pip checks hashes only where it is told to, and a file without them would be taken as it comes."""
    for name in ("README.md", "Makefile", ".ci/run", "deploy/Dockerfile"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        installing = [line for line in lines if re.search(r"-r\s+requirements/", line)]
        assert installing, name
        assert [line for line in installing if "--require-hashes" not in line] == []
