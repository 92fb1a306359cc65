"""`link-actions run`: the worker."""

import os
import sys
from textwrap import indent
from typing import Annotated

import typer

from cli.command_line import PlainCommand
from cli.entry import warn_of_hidden_settings
from consumer.app.worker import run_worker
from runtime.config.environment import load_settings
from runtime.config.settings import MAX_WORKERS, Settings, settings_help
from runtime.monitoring.logs import configure_logs
from runtime.process.file_descriptors import raise_limit
from runtime.process.parent_watch import ParentWatch
from runtime.supervisor.composition import run_workers

_WORKER = (sys.executable, "-m", "cli", "run")

EXAMPLE = f"""\b
Example:
  link-actions run
  link-actions run --workers 4
\b
Settings:
{indent(settings_help(), "  ")}"""


def run(
    *,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=MAX_WORKERS, help="Number of worker processes, which this one restarts."),
    ] = None,
    drain: Annotated[bool, typer.Option("--drain", help="Exit once all clicks now in the topic are done.")] = False,
    parent_fd: Annotated[int | None, typer.Option("--parent-fd", hidden=True)] = None,
) -> None:
    """Turn clicks into updates until SIGTERM; the worker then finishes its batch and exits within seconds.

    Use --workers to use more cores of one machine. On several machines, give each its own LINK_ACTIONS_INSTANCE_ID.
    """
    supervisor = None if parent_fd is None else ParentWatch(parent_fd)
    settings = load_settings(os.environ)
    raise_limit()
    configure_logs(settings.log_level, settings.log_format, instance=settings.instance_id)
    if supervisor is None:
        warn_of_hidden_settings(os.environ, Settings)
    number = settings.workers if workers is None else workers
    if supervisor is None and number > 1:
        raise typer.Exit(run_workers(settings, os.environ, workers=number, drain=drain, program=_WORKER))
    run_worker(settings, drain=drain, parent_watch=supervisor)


app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command("run", cls=PlainCommand, epilog=EXAMPLE)(run)
