"""`python -m benchmarks [NAME ...]`: measure all figures or some, print them, and keep all of them in results.json."""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.figure import Figure
from benchmarks.registry import FIGURES
from benchmarks.table import as_json, as_table

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    wanted = sys.argv[1:] or list(FIGURES)
    if unknown := sorted(set(wanted) - set(FIGURES)):
        sys.exit(f"There is no figure {', '.join(unknown)}: name some of {', '.join(FIGURES)}.")
    console = Console()
    figures: dict[str, list[Figure]] = {}
    for name in wanted:
        begun = time.monotonic()
        found = _measured(name)
        console.print(f"{name}: {time.monotonic() - begun:.0f} s{'' if found else ', failed'}", highlight=False)
        figures[name] = found
    console.print(as_table(figures))
    if not all(figures.values()):
        sys.exit(1)
    if wanted == list(FIGURES):
        RESULTS.write_bytes(as_json(figures))


def _measured(name: str) -> list[Figure]:
    ended = subprocess.run([sys.executable, "-m", "benchmarks.one", name], stdout=subprocess.PIPE, check=False)
    return msgspec.json.decode(ended.stdout, type=list[Figure]) if ended.returncode == 0 else []


if __name__ == "__main__":
    main()
