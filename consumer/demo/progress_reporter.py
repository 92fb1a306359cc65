"""Prints what happens, a line per event; on a terminal also a progress bar."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

PLAIN_LINE_SECONDS = 3.0
"""Interval of progress lines without a terminal."""

ShowProgress = Callable[[int, int], None]
"""Shows how many clicks have been sent and processed so far."""


class ProgressReporter:
    """Writes lines that begin with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def say(self, sentence: str, *, style: str = "") -> None:
        """Write one line."""
        line = Text.assemble((f"{self.seconds:5.1f} s  ", "dim"), (sentence, style))
        self.console.print(line, soft_wrap=not self.console.is_terminal)

    @contextmanager
    def waiting(self, sentence: str) -> Iterator[None]:
        """Print what is being waited for; on a terminal a spinner shows it while it lasts."""
        if self.console.is_terminal:
            with self.console.status(Text(sentence)):
                yield
        else:
            self.say(sentence)
            yield

    @contextmanager
    def progress(self, total: int) -> Iterator[ShowProgress]:
        """Yield a function that shows how many of `total` clicks have been sent and processed."""
        if self.console.is_terminal:
            with self._bars(total) as show:
                yield show
        else:
            yield self._lines()

    @contextmanager
    def _bars(self, total: int) -> Iterator[ShowProgress]:
        columns = (TextColumn("         {task.description}"), BarColumn(bar_width=50), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as bars:
            tasks = [bars.add_task(name, total=total) for name in ("sent", "processed")]

            def show(sent: int, done: int) -> None:
                for task, count in zip(tasks, (sent, done), strict=True):
                    bars.update(task, completed=min(count, total))

            yield show

    def _lines(self) -> ShowProgress:
        printed_at = self.seconds

        def show(sent: int, done: int) -> None:
            nonlocal printed_at
            if self.seconds - printed_at >= PLAIN_LINE_SECONDS:
                printed_at = self.seconds
                self.say(f"{sent:,} clicks sent, {done:,} processed")

        return show
