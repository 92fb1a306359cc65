"""`link-actions scripts`: runs the scripts of links."""

import os
import sys
from typing import Annotated

import typer

from cli.command_line import PlainCommand, PlainGroup
from runtime.config.environment import load_settings
from runtime.config.settings import MAX_WORKERS
from runtime.monitoring.logs import configure_logs
from runtime.process.file_descriptors import raise_limit
from runtime.process.parent_watch import ParentWatch
from runtime.supervisor.composition import run_workers
from scripts.worker.app import run_script_worker

_SCRIPTS = (sys.executable, "-m", "cli", "scripts", "run")

GROUP_EXAMPLE = """\b
Example:
  link-actions scripts run"""
RUN_EXAMPLE = """\b
Example:
  link-actions scripts run
  link-actions scripts run --workers 2"""

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)


@app.callback(epilog=GROUP_EXAMPLE)
def scripts() -> None:
    """Run the scripts of links."""


@app.command("run", cls=PlainCommand, epilog=RUN_EXAMPLE)
def run(
    *,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=MAX_WORKERS, help="Number of processes, which this one restarts."),
    ] = None,
    drain: Annotated[bool, typer.Option("--drain", help="Exit once all updates now in the topic are done.")] = False,
    parent_fd: Annotated[int | None, typer.Option("--parent-fd", hidden=True)] = None,
) -> None:
    """Run scripts until SIGTERM: each script update's effects are emitted exactly once.

    It needs Linux with seccomp and Landlock; link-actions doctor says what is there.
    """
    supervisor = None if parent_fd is None else ParentWatch(parent_fd)
    settings = load_settings(os.environ)
    raise_limit()
    configure_logs(settings.log_level, settings.log_format, instance=settings.instance_id)
    number = settings.workers if workers is None else workers
    if supervisor is None and number > 1:
        raise typer.Exit(run_workers(settings, os.environ, workers=number, drain=drain, program=_SCRIPTS))
    run_script_worker(settings, drain=drain, parent_watch=supervisor)
