"""`link-actions edge check`: checks the installation of an edge and says how to fix what is wrong."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from cli.entry import topic_names
from cli.findings import show_findings
from consumer.doctor.cluster import check_cluster
from consumer.doctor.finding import Finding, failure, fine, warning
from consumer.doctor.local import check_registry, check_service_links
from edge.http.connection_limit import max_connections
from edge.keyring import BadKeyring, KeyState, load_keyring
from edge.network_classes import load_networks
from edge.settings import EdgeSettings
from edge.spool.inventory import contents_of
from edge.watched_file import BadFile
from runtime.config.environment import WrongSettings, load_settings_of
from runtime.errors import ExitCode, LinkActionsError
from runtime.kafka.admin.acls import Role
from runtime.monitoring.version import versions
from runtime.process.file_descriptors import limit
from runtime.state.disk import MORE_DESCRIPTORS, existing_part, require_writable
from runtime.terminal.text import counted

EXAMPLE = """\b
Example:
  link-actions edge check"""

FEW_CONNECTIONS = 1_000
"""A browser keeps its connection for up to 15 s, or 2 s while half of them are taken."""
_GIB = 1 << 30


def check(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON for programs, one object per line.")] = False
) -> None:
    """Check settings, keyring, networks, spool, schema registry, connection and rights.

    The exit code is 0 if the edge can run, 2 if settings, keyring or networks are wrong, and 3 if the disk, Kafka or
    the registry is at fault.
    """
    raise typer.Exit(show_findings(list(check_edge(os.environ)), as_json=as_json))


def check_edge(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Run all checks; with wrong settings, only those of the settings."""
    yield fine("program", ", ".join(f"{name} {version}" for name, version in versions().items()))
    try:
        settings = load_settings_of(EdgeSettings, environ)
    except WrongSettings as error:
        yield from (failure("settings", mistake, ExitCode.USAGE) for mistake in error.mistakes)
        return
    yield fine("settings", "valid")
    yield from check_service_links(environ, EdgeSettings)
    yield from check_keyring(settings)
    yield from check_networks(settings)
    yield check_descriptors(limit())
    yield from check_spool(settings)
    names = topic_names(settings)
    yield from check_registry(settings.schema_registry_url, names.clicks)
    yield from check_cluster(settings, names, Role.EDGE)


def check_keyring(settings: EdgeSettings) -> Iterator[Finding]:
    """Report the keys by state, and the tenants for which no links can be signed."""
    try:
        keyring = load_keyring(settings.edge_keyring)
    except BadKeyring as error:
        yield failure("keyring", f"{error}; fix it, or set LINK_ACTIONS_EDGE_KEYRING", ExitCode.USAGE)
        return
    states = Counter(keyring.states.values())
    yield fine("keyring", ", ".join(f"{counted(states[state], 'key')} {state}" for state in KeyState if states[state]))
    signing = {key.tenant_id for key_id, key in keyring.keys.items() if keyring.states[key_id] is KeyState.SIGNING}
    for tenant in sorted({key.tenant_id for key in keyring.keys.values()} - signing):
        yield warning("keyring", f"no key signs for tenant {tenant}", "add one with state: signing")


def check_networks(settings: EdgeSettings) -> Iterator[Finding]:
    """Report the number of networks that have a class."""
    if settings.edge_networks is None:
        return
    try:
        networks = load_networks(settings.edge_networks)
    except BadFile as error:
        yield failure("networks", f"{error}; fix it, or unset LINK_ACTIONS_EDGE_NETWORKS", ExitCode.USAGE)
        return
    yield fine("networks", f"{counted(len(networks), 'network')} with a class")


def check_descriptors(descriptors: int | None) -> Finding:
    """Report how many connections an edge takes within a limit of open files; None is no limit."""
    connections = max_connections(descriptors)
    seen = f"an edge takes {connections} connections"
    if connections < FEW_CONNECTIONS:
        return warning("descriptors", f"{seen}, for it may open {descriptors} files", MORE_DESCRIPTORS)
    return fine("descriptors", seen)


def check_spool(settings: EdgeSettings) -> Iterator[Finding]:
    """Report whether the spool can be written, has room up to its limit, and holds damaged files."""
    spool = settings.edge_spool_dir
    try:
        require_writable(spool)
        free = shutil.disk_usage(existing_part(spool)).free
        damaged = [name for folder in contents_of(spool) for name in folder.damaged]
    except (LinkActionsError, OSError) as error:
        yield failure("spool", f"{spool} cannot be written ({error}); set LINK_ACTIONS_EDGE_SPOOL_DIR")
        return
    if free < settings.edge_spool_limit:
        seen = f"{spool} has {free / _GIB:.1f} GiB free, and its limit is {settings.edge_spool_limit / _GIB:.1f} GiB"
        yield warning("spool", seen, "free some space, or lower LINK_ACTIONS_EDGE_SPOOL_LIMIT")
    else:
        yield fine("spool", f"{spool} can be written, {free / _GIB:.1f} GiB free")
    if damaged:
        yield warning("spool", f"{counted(len(damaged), 'file')} damaged", "run link-actions edge spool list")
