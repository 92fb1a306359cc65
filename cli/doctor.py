"""`link-actions doctor`: checks the installation and says how to fix what is wrong."""

import os
from typing import Annotated

import typer

from cli.command_line import PlainCommand
from cli.entry import topic_names
from cli.findings import show_findings
from consumer.decision.cores import best_core
from consumer.doctor.cluster import check_cluster
from consumer.doctor.finding import Finding
from consumer.doctor.local import (
    check_backend,
    check_core,
    check_properties,
    check_registry,
    check_settings,
    check_state,
    check_walls,
)
from runtime.kafka.admin.acls import Role
from runtime.kafka.backend import best_backend
from runtime.state.factory import state_folders
from scripts.sandbox.jail import standing_walls

EXAMPLE = """\b
Example:
  link-actions doctor"""


def doctor(
    *,
    role: Annotated[Role, typer.Option(help="Role of this user; only the worker gets all checks.")] = (Role.WORKER),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")] = False,
) -> None:
    """Check settings, versions, state, schema registry, connection, rights, topics and transactions.

    The exit code is 0 if the worker can run, 2 if settings are wrong, 3 if Kafka or the registry is at fault, and 6 if
    committed offsets, dedupe state and clicks disagree.
    """
    raise typer.Exit(show_findings(check_all(role), as_json=as_json))


def check_all(role: Role) -> list[Finding]:
    """Run all checks of the role; with wrong settings, only those of the settings."""
    settings, findings = check_settings(os.environ)
    if settings is None:
        return findings
    names = topic_names(settings)
    if role is Role.WORKER:
        findings += [
            check_core(best_core()),
            check_backend(best_backend()),
            *check_state(state_folders(settings, settings.workers)),
        ]
        findings.append(check_properties(settings))
    if role is Role.SCRIPTS:
        findings.append(check_walls(standing_walls().missing))
    findings += check_registry(settings.schema_registry_url, names.clicks)
    findings += check_cluster(settings, names, role)
    return findings


app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command("doctor", cls=PlainCommand, epilog=EXAMPLE)(doctor)
