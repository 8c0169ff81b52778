"""`python -m benchmarks.one NAME`: measure one figure in a process that holds nothing else, and print it as JSON."""

import asyncio
import sys
from importlib import import_module

import msgspec

from bot.logs import configure


def main() -> None:
    configure("ERROR", "console", [])  # to stderr: what is printed here is the figures
    module = import_module(f"benchmarks.figures.{sys.argv[1]}")
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(module.measure())) + b"\n")


if __name__ == "__main__":
    main()
