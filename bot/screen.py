"""Standard output as a command uses it: tables and bars for people, lines for pipes and cron."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from bot.rendering.escape import clean
from bot.rendering.plain import plain_report
from bot.rendering.terminal import report_tables
from bot.rendering.views import CardView, Report

Show = Callable[[Sequence[CardView]], None]


class Screen:
    """Writes what was read and done, and asks."""

    def __init__(self, console: Console, zone: tzinfo) -> None:
        self.zone = zone
        self._console = console

    @property
    def is_terminal(self) -> bool:
        return self._console.is_terminal

    def report(self, report: Report) -> None:
        if self.is_terminal:
            self._console.print(*report_tables(report, zone=self.zone), sep="\n")
        else:
            self.write(plain_report(report, zone=self.zone))

    def say(self, sentence: str) -> None:
        """One line, whatever stands in the names in it."""
        line = clean(sentence)
        if self.is_terminal:
            self._console.print(Text(line))
        else:
            self.write(f"{line}\n")

    def write(self, text: str) -> None:
        """As it is, for programs too."""
        typer.echo(text, file=self._console.file, nl=False)

    def ask(self, question: str) -> bool:
        """Ask on the terminal. Raises typer.Abort where somebody presses Ctrl-C, or there is nobody."""
        # asyncio's own handler would only note the signal, and wait on for the line.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return typer.confirm(question, err=True)
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def live(self) -> Iterator[Show]:
        """What is shown in the block stands at the bottom of the terminal, each in the place of the last."""
        from bot.rendering.live import bars

        with Live(console=self._console, auto_refresh=False) as live:
            yield lambda views: live.update(bars(views), refresh=True)
