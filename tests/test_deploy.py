"""What deploy/ and docs/operating.md rely on is there: metrics, files, folders."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

import bot.metrics  # noqa: F401 - registers what is exported

ROOT = Path(__file__).parents[1]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def exported() -> set[str]:
    """The names under which Prometheus finds them."""
    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("tintri_bot_")]
    return {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in ours}


def test_every_alert_watches_metrics_that_are_exported() -> None:
    watched = set(re.findall(r"\btintri_bot_\w+", text_of("deploy/alerts.yaml")))
    assert watched
    assert watched - exported() == set()


def test_every_metric_is_described() -> None:
    described = re.findall(r"^\| `(tintri_bot_\w+)` \|", text_of("docs/operating.md"), re.MULTILINE)
    assert sorted(described) == sorted(exported())


def test_the_image_is_built_of_what_is_there() -> None:
    """What the Dockerfile copies is let through by its list, and exists."""
    allowed = re.findall(r"^!(.+)$", text_of("deploy/Dockerfile.dockerignore"), re.MULTILINE)
    assert [path for path in allowed if not (ROOT / path).exists()] == []
    assert {"requirements", "pyproject.toml"} <= set(allowed)
    named = re.findall(r"requirements/\w+\.txt", text_of("deploy/Dockerfile"))
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_the_bot_may_write_where_its_service_starts() -> None:
    service = dict(re.findall(r"^(\w+)=(.*)$", text_of("deploy/tintri-bot.service"), re.MULTILINE))
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert service["ProtectSystem"] == "strict"
