"""`link-actions state`: maintenance of the dedupe state."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings, topic_names
from cli.output import say
from cli.reconcile import EXAMPLE as RECONCILE_EXAMPLE
from cli.reconcile import reconcile
from consumer.maintenance.offline_state import open_offline_state
from consumer.maintenance.repartition import Progress, Repartitioner
from runtime.terminal.text import counted

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions state repartition --partitions 24 --dry-run
  link-actions state reconcile"""

EXAMPLE = """\b
Example:
  link-actions state repartition --partitions 24 --dry-run
  link-actions state repartition --partitions 24"""


@app.callback(epilog=GROUP_EXAMPLE)
def state() -> None:
    """Repartition or reconcile the dedupe state."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def repartition(
    partitions: Annotated[int, typer.Option(min=1, max=10_000, help="New partition count; never fewer than now.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count, but write nothing.")] = False,
) -> None:
    """Add partitions to all topics and move the dedupe state to its new partitions.

    Drain and stop all workers first. If the command is interrupted, run it again: it continues where it stopped, and no
    worker starts until it has finished.
    """
    settings = command_settings()
    with _progress_bar() as progress_bar, open_offline_state(settings, topic_names(settings)) as dependencies:
        work = Repartitioner(dependencies, partitions, progress_bar)
        moved = work.dry_run() if dry_run else work.run()
    entries = counted(moved, "entry", "entries")
    if dry_run:
        say(f"{entries} would be moved; nothing was written")
    else:
        say(f"{entries} moved to {counted(partitions, 'partition')}; workers may start")


app.command(cls=PlainCommand, epilog=RECONCILE_EXAMPLE)(reconcile)


@contextmanager
def _progress_bar() -> Iterator["_ProgressBar"]:
    """Yield a bar on a terminal, and a silent one elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _ProgressBar(None)
        return
    with Bar(console=console, transient=True) as bar:
        yield _ProgressBar(bar)


class _ProgressBar:
    """Shows how many partitions are done."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._task = bar.add_task("moving", total=None) if bar else None

    def __call__(self, progress: Progress) -> None:
        if self._bar is not None and self._task is not None:
            done = f"partition {progress.partition}: {progress.moved:,} of {progress.entries:,} moved"
            self._bar.update(self._task, description=done, completed=progress.partition + 1, total=progress.partitions)
