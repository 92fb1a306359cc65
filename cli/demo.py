"""`link-actions demo`: runs everything end to end on sample data and verifies the result."""

import os
import signal
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from cli.command_line import PlainCommand
from cli.demo_service import serve
from cli.output import say_json
from consumer.demo.environment import PARTITIONS, open_environment
from consumer.demo.example_person import choose_example_person
from consumer.demo.in_memory_scenario import run_in_memory
from consumer.demo.progress_reporter import ProgressReporter
from consumer.demo.report import print_report
from consumer.demo.sample import make_sample
from consumer.demo.scenario import run_scenario
from runtime.clock import SystemClock
from runtime.config.settings import LogLevel
from runtime.errors import ExitCode
from runtime.monitoring.logs import configure_logs

app = typer.Typer(add_completion=False, rich_markup_mode=None)

BROWSED_CLICKS = 500
"""Clicks that go through an edge, where there is a Kafka."""

EXAMPLE = """\b
Example:
  link-actions demo --clicks 200000 --seed 7
  link-actions demo --serve"""


def demo(
    *,
    clicks: Annotated[int, typer.Option(min=1_000, max=5_000_000, help="How many clicks to send.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed generates the same clicks.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep logs, state and, on your own broker, topics.")] = False,
    serves: Annotated[
        bool, typer.Option("--serve", help="Instead run an edge and a worker, and show links to click, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the result as one JSON object for programs.")] = False,
) -> None:
    """Run everything end to end on sample data: broker, links, an edge, two workers, crashes, a verification.

    The exit code is 0 if every update was seen exactly once, and 1 if not. Without LINK_ACTIONS_BOOTSTRAP_SERVERS it
    starts a broker and removes it afterwards.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    configure_logs(LogLevel.ERROR, None, client_library=None)
    reporter = ProgressReporter(Console(stderr=as_json, highlight=False))
    now_ms = SystemClock().now_ms()
    with open_environment(os.environ, reporter, keep=keep) as environment:
        if serves:
            serve(environment, reporter, os.environ, as_json=as_json)
            return
        browsed = 0 if environment is None else BROWSED_CLICKS
        sample = make_sample(clicks, seed=seed, now_ms=now_ms, partitions=PARTITIONS, browsed=browsed)
        if environment is None:
            summary = run_in_memory(sample, reporter)
        else:
            summary = run_scenario(environment, sample, reporter, os.environ)
            environment.keeps_folder = keep or not summary.findings.is_exact
    if as_json:
        say_json(summary.as_json())
    else:
        print_report(
            reporter.console, summary, choose_example_person(summary.findings.clicks, summary.findings.updates)
        )
    raise typer.Exit(ExitCode.DONE if summary.findings.is_exact else ExitCode.UNEXPECTED)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    """Stop everything on SIGTERM, as on Ctrl-C."""
    raise KeyboardInterrupt


app.command("demo", cls=PlainCommand, epilog=EXAMPLE)(demo)
