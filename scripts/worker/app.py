"""The composition root of `link-actions scripts run`: opens everything that the script worker needs, from settings."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Role, acls_of
from runtime.kafka.admin.permission import explaining_denials
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, require_topics
from runtime.kafka.client import static_membership
from runtime.kafka.clients import KafkaClients
from runtime.kafka.credentials import Credentials
from runtime.monitoring.health import STALLED_AFTER_SECONDS, Health
from runtime.monitoring.http import LOOPBACK, HttpServer, routes
from runtime.monitoring.version import versions
from runtime.monitoring.watchdog import Watchdog
from runtime.ports import RetriableError
from runtime.process.malloc import limit_arenas
from runtime.process.parent_watch import ParentWatch
from runtime.process.shutdown import stopping_on_signals
from runtime.registry.registry import connect_registry
from runtime.state.disk import require_writable
from runtime.stream.batching import LingerPolicy
from runtime.stream.marker_file import LocalMarkerFile
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames
from scripts.sandbox.jail import standing_walls
from scripts.sandbox.process import Sandbox, SandboxFailed
from scripts.worker.assembly import KIND, ScriptFormats, ScriptPorts, build_script_loop
from scripts.worker.observer import ScriptObserver

_LOG = structlog.get_logger(__name__)

FOLDER = "scripts"
"""Folder in the state folder."""
IN_FLIGHT_FILE = "running"


def run_script_worker(settings: Settings, *, drain: bool, parent_watch: ParentWatch | None = None) -> None:
    """Run until SIGTERM or SIGINT or, draining, until the topic is done; then leave the group.

    Raises a LinkActionsError if a person must fix something.
    """
    limit_arenas()
    _require_walls(without_walls=settings.scripts_without_walls)
    with ExitStack() as stack:
        health = Health(SystemClock().monotonic, stalled_after_seconds=STALLED_AFTER_SECONDS)
        stack.enter_context(Watchdog(health))
        try:
            _ScriptWorker(settings, stack, health, parent_watch).run(drain=drain)
        except RetriableError as error:
            raise Unavailable(f"The script worker cannot start ({error}); run link-actions doctor") from error
        except SandboxFailed as error:
            raise Unavailable(f"{error}; run link-actions doctor") from error
    _LOG.info("script_worker.stopped")


@dataclass(frozen=True, slots=True)
class _ScriptWorker:
    """One script worker while it starts and runs; the `stack` closes everything that it opens."""

    settings: Settings
    stack: ExitStack
    health: Health
    parent_watch: ParentWatch | None

    def run(self, *, drain: bool) -> None:
        """Open everything, then run the loop."""
        schemas = load_schemas()
        kinds = load_kinds(schemas)
        names = TopicNames(self.settings.topic_prefix, self.settings.group_id, tuple(kinds))
        folder = self.settings.state_dir / FOLDER / self.settings.instance_id
        require_writable(folder)
        observer = self._serve_metrics()
        own = self.settings.kafka.of_scripts
        credentials = self.stack.enter_context(Credentials(self.settings.kafka_config))
        membership = static_membership(own) if self.parent_watch else {}
        clients = KafkaClients(own, credentials=credentials, membership=membership)
        self.stack.enter_context(explaining_denials(own, acls_of(Role.SCRIPTS, self.settings.kafka, names)))
        topic = names.update(KIND)
        needed = (topic, names.script_definitions, names.hits, names.script_runs, names.script_dead_letters)
        partitions = require_topics(KafkaTopicAdmin(own), (*needed, names.return_urls))[topic].partitions
        is_stopping = self.stack.enter_context(stopping_on_signals(self.health))
        consumer = clients.open_transactional_consumer(topic)
        self.stack.callback(consumer.close)
        sandbox = Sandbox(folder / "guest")
        self.stack.callback(sandbox.close)
        registry = self.settings.schema_registry_url
        ports = ScriptPorts(
            consumer=consumer,
            definitions=clients.open_reader(names.script_definitions),
            hits=clients.open_reader(names.hits),
            in_flight=self._open_marker(folder),
            sandbox=sandbox,
            observer=observer,
            clock=SystemClock(),
        )
        formats = ScriptFormats(
            names, schemas, kinds, connect_registry(registry) if registry else None, versions()["link-actions"]
        )
        linger = LingerPolicy(self.settings.commit_interval_ms / 1000)
        loop = build_script_loop(ports, formats, partitions=partitions, linger=linger, drain=drain)
        _LOG.info("script_worker.started", instance=self.settings.instance_id, partitions=partitions)
        loop.run(is_stopping)

    def _open_marker(self, folder: Path) -> LocalMarkerFile:
        marker = LocalMarkerFile(folder / IN_FLIGHT_FILE)
        self.stack.callback(marker.close)
        return marker

    def _serve_metrics(self) -> ScriptObserver:
        """Open the HTTP port, on which a supervisor may wait from now on."""
        observer = ScriptObserver(CollectorRegistry(), self.health, SystemClock())
        host = LOOPBACK if self.parent_watch else self.settings.http_host
        found = routes(observer.metrics.exposition, self.health, versions())
        server = HttpServer(self.settings.http_port, found, host=host)
        server.start()
        self.stack.callback(server.stop)
        if self.parent_watch:
            self.parent_watch.tell_port(server.port)
        return observer


def _require_walls(*, without_walls: bool) -> None:
    """Raise Unavailable if a wall behind the sandbox is missing and nobody has said that this may be."""
    missing = standing_walls().missing
    if not missing:
        return
    if not without_walls:
        raise Unavailable(
            f"Scripts would run without {' and '.join(missing)}, which this kernel or container does not offer;"
            " run the script worker elsewhere, or set LINK_ACTIONS_SCRIPTS_WITHOUT_WALLS=true if you trust every author"
        )
    _LOG.warning("sandbox.weakened", missing=list(missing))
