"""Tells what happens while it happens: a line each, and on a terminal a bar for what is under way."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

PLAIN_LINE_SECONDS = 3.0
"""How often a line tells how far things are where there is no terminal."""

ShowProgress = Callable[[int, int], None]
"""Takes how many clicks were sent and how many are done by now."""


class ProgressReporter:
    """Writes to one console, each line with the seconds since the start before it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._begun

    def say(self, sentence: str, *, style: str = "") -> None:
        """Write one line."""
        line = Text.assemble((f"{self.seconds:5.1f} s  ", "dim"), (sentence, style))
        self.console.print(line, soft_wrap=not self.console.is_terminal)

    @contextmanager
    def waiting(self, sentence: str) -> Iterator[None]:
        """Say what is waited for; on a terminal only while it lasts, with something that turns."""
        if self.console.is_terminal:
            with self.console.status(Text(sentence)):
                yield
        else:
            self.say(sentence)
            yield

    @contextmanager
    def progress(self, total: int) -> Iterator[ShowProgress]:
        """Give a function that shows how many of `total` clicks were sent and are done."""
        if self.console.is_terminal:
            with self._bars(total) as show:
                yield show
        else:
            yield self._lines()

    @contextmanager
    def _bars(self, total: int) -> Iterator[ShowProgress]:
        columns = (TextColumn("         {task.description}"), BarColumn(bar_width=50), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as bars:
            tasks = [bars.add_task(name, total=total) for name in ("sent", "done")]

            def show(sent: int, done: int) -> None:
                for task, count in zip(tasks, (sent, done), strict=True):
                    bars.update(task, completed=min(count, total))

            yield show

    def _lines(self) -> ShowProgress:
        told_at = self.seconds

        def show(sent: int, done: int) -> None:
            nonlocal told_at
            if self.seconds - told_at >= PLAIN_LINE_SECONDS:
                told_at = self.seconds
                self.say(f"{sent:,} clicks sent, {done:,} done")

        return show
