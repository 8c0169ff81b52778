import tomllib
from pathlib import Path

from tgc.client import API_CLIENT


def test_the_name_told_to_the_tgc_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert f"{project['name']}-{project['version']}" == API_CLIENT
