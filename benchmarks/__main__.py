"""`python -m benchmarks [NAME ...]`: measure all figures or some, and print them.

All of them are kept, in results.json and in the table of docs/performance.md.
"""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
from rich.console import Console

from benchmarks.figure import Figure
from benchmarks.registry import FIGURES
from benchmarks.table import as_json, as_markdown, as_table

RESULTS = Path(__file__).with_name("results.json")
DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- written by make bench -->\n", "<!-- until here -->\n"


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
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(_BEGIN)
        _, _, after = rest.partition(_END)
        DOCUMENT.write_text(f"{before}{_BEGIN}{as_markdown(figures)}{_END}{after}", encoding="utf-8")


def _measured(name: str) -> list[Figure]:
    ended = subprocess.run([sys.executable, "-m", "benchmarks.one", name], stdout=subprocess.PIPE, check=False)
    return msgspec.json.decode(ended.stdout, type=list[Figure]) if ended.returncode == 0 else []


if __name__ == "__main__":
    main()
