"""`link-actions state`: what is remembered, as a whole."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from consumer.app.clients import KafkaClients
from consumer.cli.command_line import PlainCommand, PlainGroup
from consumer.cli.entry import command_settings, topic_names
from consumer.cli.output import say
from consumer.cli.reconcile import EXAMPLE as RECONCILE_EXAMPLE
from consumer.cli.reconcile import reconcile
from consumer.config.settings import Settings
from consumer.kafka.admin.connection import Connection
from consumer.kafka.admin.consumer_group import ConsumerGroup
from consumer.kafka.admin.topic_admin import KafkaTopicAdmin
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.maintenance.changelog_writer import ChangelogWriter
from consumer.maintenance.repartition import Parts, Progress, Repartitioning
from consumer.state.disk import failure_at_start, require_writable
from consumer.state.factory import open_state
from consumer.terminal.text import counted

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
    """Look after what is remembered, as a whole."""


@app.command(cls=PlainCommand, epilog=EXAMPLE)
def repartition(
    partitions: Annotated[int, typer.Option(min=1, max=10_000, help="How many there shall be; never fewer than now.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, count, and write nothing.")] = False,
) -> None:
    """Give all topics more partitions and move what is remembered to where it belongs then.

    End all workers first, once they have done every click. Stopped in the middle, it goes on when it is run again, and
    until it has come to its end no worker starts.
    """
    settings = command_settings()
    with ExitStack() as stack:
        tell = stack.enter_context(_telling())
        parts = _open(settings, stack)
        work = Repartitioning(parts, partitions, tell)
        moved = work.rehearse() if dry_run else work.run()
    entries = counted(moved, "entry", "entries")
    if dry_run:
        say(f"{entries} would be moved; nothing was written")
    else:
        say(f"{entries} moved; there {_are(partitions)} now, and workers may start")


def _are(partitions: int) -> str:
    return "is 1 partition" if partitions == 1 else f"are {partitions} partitions"


app.command(cls=PlainCommand, epilog=RECONCILE_EXAMPLE)(reconcile)


def _open(settings: Settings, stack: ExitStack) -> Parts:
    """Build what it works with. The memory is read anew into a folder of its own, which goes when it is done."""
    names = topic_names(settings)
    folder = stack.enter_context(_own_folder(settings.state_dir))
    copies = open_state(settings.model_copy(update={"state_dir": folder}))
    stack.callback(copies.close)
    reader = KafkaClients(settings.kafka).open_reader(names.changelog)
    stack.callback(reader.close)
    return Parts(
        names=names,
        topics=KafkaTopicAdmin(settings.kafka),
        group=ConsumerGroup(Connection(settings.kafka), settings.group_id),
        restorer=ChangelogRestorer(reader, copies),
        changelog=stack.enter_context(ChangelogWriter(settings, names.changelog)),
    )


@contextmanager
def _own_folder(state: Path) -> Iterator[Path]:
    """Make a folder in that of the state, and delete it afterwards."""
    require_writable(state)
    try:
        state.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix="repartition-", dir=state)
    except OSError as error:
        raise failure_at_start(state, error) from error
    with folder as name:
        yield Path(name)


@contextmanager
def _telling() -> Iterator["_Teller"]:
    """Give what shows the progress: a bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Teller(None)
        return
    with Bar(console=console, transient=True) as bar:
        yield _Teller(bar)


class _Teller:
    """Shows how many partitions are done."""

    def __init__(self, bar: Bar | None) -> None:
        self._bar = bar
        self._task = bar.add_task("moving", total=None) if bar else None

    def __call__(self, progress: Progress) -> None:
        if self._bar is not None and self._task is not None:
            done = f"partition {progress.partition}: {progress.moved:,} of {progress.entries:,} moved"
            self._bar.update(self._task, description=done, completed=progress.partition + 1, total=progress.partitions)
