"""What the demo writes on the terminal: readable at 80 columns, and plain where it goes into a pipe."""

import os
import sys
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bot.demo_blocks import Line

MAX_WIDTH = 100
NO_BAR = Text()


class ReaderGoneError(Exception):
    """Whoever read the demo's output has closed it."""


class Terminal(Console):
    """Standard output."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # not every terminal knows an arrow
        super().__init__(highlight=False)
        self.width = min(self.width, MAX_WIDTH)

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except OSError as error:  # a terminal that was closed
            raise ReaderGoneError from error

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGoneError


class Screen:
    """Writes one thing after another, an empty line between them."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def chapter(self, title: str) -> None:
        self._console.print(Rule(Text(title, "bold"), align="left", style="dim"), Text(), sep="\n")

    def say(self, *paragraphs: str) -> None:
        for paragraph in paragraphs:
            self._write(Line(Text(paragraph)))
            self._console.print()

    def act(self, person: str, *does: Text | str) -> None:
        """What a person types or presses."""
        self._write(Line(Text.assemble((person, "bold cyan"), " ", *does), first="● ", further="  "))
        self._console.print()

    def message(self, sender: str, where: str, lines: Iterable[Line], *, is_private: bool) -> None:
        """`is_private`: one person alone sees it."""
        self._write(Line(Text.assemble("  ", (sender, "bold"), " ", (where, "italic" if is_private else "dim"))))
        bar = Text("  ┊ ", "yellow") if is_private else Text("  ┃ ", "blue")
        for line in lines:
            self._write(line, bar)
        self._console.print()

    def facts(self, *lines: str) -> None:
        """Lines that are not wrapped, such as a path to copy."""
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)
        self._console.print()

    def problem(self, sentence: str, log: Path, log_lines: Iterable[str]) -> None:
        self._write(Line(Text(sentence, "bold red")))
        self.facts(f"The end of its log, {log}:", *log_lines)

    def _write(self, line: Line, bar: Text = NO_BAR) -> None:
        """Wrap the line, each row behind the bar."""
        room = self._console.width - len(bar) - len(line.further)
        for number, row in enumerate(line.text.wrap(self._console, room)):
            row.rstrip()
            self._console.print(Text.assemble(bar, line.further if number else line.first, row))
