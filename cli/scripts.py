"""`link-actions scripts`: checks and publishes script files, shows published scripts, and runs them."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from actions.registry import load_kinds
from actions.text import utc_text
from cli.authoring import By, Json, author_name, mistakes_as_json
from cli.command_line import PlainCommand, PlainGroup
from cli.entry import command_settings
from cli.link_tables import show_warnings
from cli.output import complain, say, say_json
from cli.sandbox import open_sandbox
from cli.script_try import EXAMPLE as TRY_EXAMPLE
from cli.script_try import try_script
from cli.table import print_table
from runtime.authoring.diagnostic import InvalidFiles, Severity, in_order
from runtime.clock import SystemClock
from runtime.config.environment import load_settings
from runtime.config.settings import MAX_WORKERS
from runtime.monitoring.logs import configure_logs
from runtime.process.file_descriptors import raise_limit
from runtime.process.parent_watch import ParentWatch
from runtime.supervisor.composition import run_workers
from runtime.terminal.text import counted
from schemas.record_schema import load_schemas
from scripts.definitions.connect import connect_script_publisher
from scripts.definitions.publication import Change, NextScript
from scripts.definitions.script import Script, parse_reference
from scripts.definitions.script_publisher import ScriptPublisher
from scripts.files.desired import DesiredScript
from scripts.files.examples import TriedScripts, try_examples
from scripts.files.script_files import WHAT, check_script_files
from scripts.worker.app import run_script_worker

app = typer.Typer(cls=PlainGroup, add_completion=False, rich_markup_mode=None)

GROUP_EXAMPLE = """\b
Example:
  link-actions scripts check links/
  link-actions scripts publish links/"""

Paths = Annotated[list[Path], typer.Argument(metavar="PATH", help="Script files, or folders with .yaml or .yml files.")]
RUN_EXAMPLE = """\b
Example:
  link-actions scripts run
  link-actions scripts run --workers 2"""

_SCRIPTS = (sys.executable, "-m", "cli", "scripts", "run")


@app.callback(epilog=GROUP_EXAMPLE)
def scripts() -> None:
    """Check, publish, list, show and run scripts."""


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


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions scripts check links/")
def check(paths: Paths, *, as_json: Json = False) -> None:
    """Find every mistake in script files, and run all examples, without a broker.

    Each script runs in the sandbox of the worker, with the same limits.
    """
    with mistakes_as_json(as_json=as_json):
        checked, tried = _checked(paths)
        show_warnings(in_order(tried.mistakes), as_json=as_json)
    if not as_json:
        say(f"no mistakes: {counted(len(checked), 'script')}, {counted(tried.examples, 'example')}{_fuel(tried)}")


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions scripts publish links/")
def publish(paths: Paths, *, author: By = None, as_json: Json = False) -> None:
    """Publish new and changed scripts of script files.

    All are published or none: none if a file has a mistake or an example fails. Links go on running the version that
    they pin; publish them again for the new one.
    """
    name = author_name(author)
    with mistakes_as_json(as_json=as_json):
        checked, tried = _checked(paths)
        show_warnings(in_order(tried.mistakes), as_json=as_json)
    desired = [script.to_script(defined_by=name, defined_at=SystemClock().now_ms()) for script in checked]
    _show_changes(_publisher().publish(desired), as_json=as_json)


app.command("try", cls=PlainCommand, epilog=TRY_EXAMPLE)(try_script)


@app.command("list", cls=PlainCommand, epilog="\b\nExample:\n  link-actions scripts list --tenant acme")
def list_scripts(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only scripts of this tenant.")] = None,
    as_json: Json = False,
) -> None:
    """List the newest version of each published script."""
    published = _publisher().read()
    rows = []
    for reference in published:
        script = published.newest(reference)
        if tenant not in (None, reference.tenant_id) or script is None:
            continue
        if not isinstance(script, Script):
            complain(f"warn: {script}")
        elif as_json:
            say_json(_as_json(script))
        else:
            rows.append((str(reference), str(script.version), ", ".join(script.emits) or "none", script.defined_by))
    if not as_json:
        print_table(("script", "version", "emits", "author"), rows)
        say(counted(len(rows), "script"))


@app.command(cls=PlainCommand, epilog="\b\nExample:\n  link-actions scripts show acme/add-lead-score --version 2")
def show(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="As tenant/script_id.")],
    *,
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version instead of the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show one version of a script in full, its source last."""
    shown = _publisher().version(parse_reference(script), version)
    described = _as_json(shown)
    if as_json:
        say_json(described)
        return
    say(str(shown.reference))
    for name in ("version", "engine", "emits", "hosts", "fuel", "sha256", "defined_at", "defined_by"):
        value = described[name]
        say(f"{name:<12}{', '.join(value) or 'none' if isinstance(value, list) else value}")
    say(f"{'examples':<12}{len(shown.examples)}")
    say()
    for line in shown.source.splitlines():
        say(line)


def _checked(paths: Iterable[Path]) -> tuple[Sequence[DesiredScript], TriedScripts]:
    kinds = load_kinds(load_schemas())
    checked = check_script_files(paths, kinds)
    with open_sandbox() as sandbox:
        tried = try_examples(checked, kinds, sandbox)
    if any(mistake.severity is Severity.ERROR for mistake in tried.mistakes):
        raise InvalidFiles(tried.mistakes, WHAT)
    return checked, tried


def _fuel(tried: TriedScripts) -> str:
    return f"; one used up to {tried.most_fuel:,} fuel" if tried.examples else ""


def _show_changes(versions: Sequence[NextScript], *, as_json: bool) -> None:
    if as_json:
        for each in versions:
            say_json({"change": each.change.value, **_as_json(each.script)})
        return
    changed = [each for each in versions if each.change is not Change.UNCHANGED]
    if changed:
        rows = [(each.change.value, str(each.script.reference), str(each.script.version)) for each in changed]
        print_table(("change", "script", "version"), rows)
    counts = {change: sum(each.change is change for each in versions) for change in Change}
    say(", ".join(f"{count} {change.value}" for change, count in counts.items() if count) or "no scripts")


def _as_json(script: Script) -> dict[str, Any]:
    """Return a version with the keys of a script file and those assigned at publishing."""
    return {
        "tenant": script.tenant_id,
        "id": script.script_id,
        "version": script.version,
        "engine": script.engine,
        "emits": list(script.emits),
        "hosts": list(script.hosts),
        "fuel": script.fuel,
        "memory": script.memory,
        "sha256": script.sha256,
        "source": script.source,
        "defined_at": utc_text(script.defined_at),
        "defined_by": script.defined_by,
    }


def _publisher() -> ScriptPublisher:
    return connect_script_publisher(command_settings(), clock=SystemClock())
