"""The figures as a table for people and as JSON for the repository."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import msgspec
from rich.table import Table

from benchmarks.figure import Figure

_PACKAGES = ("aiohttp", "aiosqlite", "asyncpg", "msgspec", "slack-bolt", "sqlalchemy")


_HEADERS = ("figure", "measured", "peer or limit", "ratio", "goal", "met")


def as_table(figures: Mapping[str, Sequence[Figure]]) -> Table:
    table = Table(*_HEADERS, title="Benchmarks")
    for column in (1, 3):
        table.columns[column].justify = "right"
    for found in figures.values():
        for figure in found:
            table.add_row(*_cells(figure))
        table.add_section()
    return table


def _cells(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer_value is None else f"{figure.peer}: {_number(figure.peer_value)} {figure.unit}"
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        peer,
        "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        "" if figure.goal is None else str(figure.goal),
        {True: "yes", False: "NO", None: ""}[figure.is_met],
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def as_markdown(figures: Mapping[str, Sequence[Figure]]) -> str:
    rows = [_HEADERS, ("---",) * len(_HEADERS), *(_cells(figure) for found in figures.values() for figure in found)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def as_json(figures: Mapping[str, Sequence[Figure]]) -> bytes:
    """With what it was measured on: versions and cores, nothing that names a machine."""
    document = {
        "measured_with": {
            "python": platform.python_version(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            **{package: version(package) for package in _PACKAGES},
        },
        "figures": {
            name: [msgspec.to_builtins(one) | {"ratio": one.ratio, "is_met": one.is_met} for one in found]
            for name, found in figures.items()
        },
    }
    return msgspec.json.format(msgspec.json.encode(_rounded(document)), indent=2) + b"\n"


def _rounded(value: object) -> object:
    match value:
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list():
            return [_rounded(item) for item in value]
        case _:
            return value
