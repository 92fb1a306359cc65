"""`link-actions run`: the worker."""

import os
from textwrap import indent
from typing import Annotated

import typer

from consumer.monitoring.logs import configure_logs
from consumer.settings import load_settings, settings_help
from consumer.worker import run_worker

EXAMPLE = f"""\b
Example:
  link-actions run
\b
Settings:
{indent(settings_help(), "  ")}"""


def run(
    *,
    drain: Annotated[bool, typer.Option("--drain", help="End once everything in the topic now is done.")] = False,
) -> None:
    """Turn clicks into updates until SIGTERM, which finishes the batch and leaves within seconds.

    Start more of them to go faster; each needs a LINK_ACTIONS_INSTANCE_ID and a LINK_ACTIONS_HTTP_PORT of its own.
    """
    settings = load_settings(os.environ)
    configure_logs(settings.log_level, settings.log_format)
    run_worker(settings, drain=drain)


app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command("run", epilog=EXAMPLE)(run)
