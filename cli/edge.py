"""`link-actions edge`: answers clicks; shows and publishes its spool."""

import os
import sys
from dataclasses import asdict
from functools import partial
from textwrap import indent
from typing import Annotated

import typer

from cli.command_line import PlainCommand, PlainGroup
from cli.edge_check import EXAMPLE as CHECK_EXAMPLE
from cli.edge_check import check
from cli.entry import warn_of_hidden_settings
from cli.output import say, say_json
from cli.table import print_table
from consumer.inspect.record_view import time_of
from edge.app import run_edge, spooled_topics
from edge.kafka_producer import open_spool_producer
from edge.publisher import ProducerFailed
from edge.settings import EdgeSettings
from edge.spool.inventory import FolderContents, contents_of
from edge.takeover import publish_abandoned
from runtime.config.environment import load_settings_of
from runtime.config.settings import EDGE_PREFIX, MAX_WORKERS, settings_help
from runtime.errors import Unavailable
from runtime.kafka.credentials import Credentials
from runtime.monitoring.logs import configure_logs
from runtime.process.file_descriptors import raise_limit
from runtime.process.parent_watch import ParentWatch
from runtime.supervisor.composition import run_workers
from runtime.terminal.text import counted

_EDGE = (sys.executable, "-m", "cli", "edge", "run")
_OWN = [name for name in EdgeSettings.model_fields if name.startswith(EDGE_PREFIX.lower())]

EXAMPLE = f"""\b
Example:
  link-actions edge run
  link-actions edge run --workers 2
\b
Settings of the edge (link-actions run --help shows those of all programs):
{indent(settings_help(_OWN, EdgeSettings), "  ")}"""

GROUP_EXAMPLE = """\b
Example:
  link-actions edge check
  link-actions edge run
  link-actions edge spool list"""
SPOOL_EXAMPLE = """\b
Example:
  link-actions edge spool list
  link-actions edge spool publish"""

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)


@app.callback(epilog=GROUP_EXAMPLE)
def edge() -> None:
    """Answer clicks."""


@app.command("run", cls=PlainCommand, epilog=EXAMPLE)
def run(
    *,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=MAX_WORKERS, help="Number of processes, which this one restarts."),
    ] = None,
    parent_fd: Annotated[int | None, typer.Option("--parent-fd", hidden=True)] = None,
) -> None:
    """Answer clicks until SIGTERM; then finish what is being answered and publish what is left.

    Every click is on disk before its answer goes out, and is deleted once the broker has it.
    """
    supervisor = None if parent_fd is None else ParentWatch(parent_fd)
    settings = load_settings_of(EdgeSettings, os.environ)
    raise_limit()
    configure_logs(settings.log_level, settings.log_format, instance=settings.instance_id)
    if supervisor is None:
        warn_of_hidden_settings(os.environ, EdgeSettings)
    number = settings.workers if workers is None else workers
    if supervisor is None and number > 1:
        raise typer.Exit(run_workers(settings, os.environ, workers=number, drain=False, program=_EDGE))
    raise typer.Exit(run_edge(settings, parent_watch=supervisor))


app.command("check", cls=PlainCommand, epilog=CHECK_EXAMPLE)(check)

spool = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)
app.add_typer(spool, name="spool")


@spool.callback(epilog=SPOOL_EXAMPLE)
def spool_group() -> None:
    """Show and publish what edges keep on disk."""


@spool.command("list", cls=PlainCommand, epilog=SPOOL_EXAMPLE)
def list_spool(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")] = False
) -> None:
    """List the folders of the spool: clicks that the broker does not have yet, damaged files and refused records."""
    found = list(contents_of(_settings().edge_spool_dir))
    if as_json:
        for each in found:
            say_json(asdict(each))
    elif found:
        print_table(("folder", "process", "clicks", "oldest", "damaged files", "refused records"), map(_row, found))
    else:
        say("the spool is empty")


@spool.command("publish", cls=PlainCommand, epilog=SPOOL_EXAMPLE)
def publish_spool() -> None:
    """Publish what ended edges left, and remove their folders; those of running edges are left alone.

    A running edge does the same. Use this for a volume that no edge will use again. Damaged files stay.
    """
    settings = _settings()
    with Credentials(settings.kafka_config) as credentials:
        open_producer = partial(open_spool_producer, settings.kafka, credentials, "command")
        try:
            number = publish_abandoned(settings.edge_spool_dir, open_producer, spooled_topics(settings), lambda: False)
        except (ProducerFailed, OSError) as error:
            raise Unavailable(f"Not everything is published ({error}); run the command again") from error
    say(f"published {counted(number, 'click')}")


def _settings() -> EdgeSettings:
    settings = load_settings_of(EdgeSettings, os.environ)
    configure_logs(settings.log_level, settings.log_format, client_library=None)
    return settings


def _row(contents: FolderContents) -> tuple[object, ...]:
    oldest = "" if contents.oldest_ms is None else time_of(contents.oldest_ms)
    process = "runs" if contents.is_in_use else "ended"
    return contents.name, process, contents.records, oldest, ", ".join(contents.damaged), ", ".join(contents.refused)
