"""The composition root of `link-actions run`: opens everything that the loop needs, from the settings."""

import gc
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from consumer.app.assembly import LoopOptions, LoopPorts, build_loop
from consumer.app.member_id_file import MemberIdFile
from consumer.app.missing_changelog import require_changelog
from consumer.app.record_formats import Kinds, load_formats, topic_names
from consumer.decision.cores import best_core
from consumer.loop.history_check import TOPICS_FILE
from consumer.loop.observer import Observer
from consumer.monitoring.metric_catalogue import LAST_PROGRESS
from consumer.monitoring.metrics import Metrics
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from runtime.errors import Unavailable
from runtime.kafka.admin.acls import Role, acls_of
from runtime.kafka.admin.namesakes import open_group_members, require_sole, session_seconds
from runtime.kafka.admin.permission import explaining_denials
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, inspect_topics
from runtime.kafka.admin.topics import worker_topic_specs
from runtime.kafka.backend import best_backend
from runtime.kafka.client import static_membership
from runtime.kafka.clients import KafkaClients
from runtime.kafka.credentials import Credentials
from runtime.monitoring.health import STALLED_AFTER_SECONDS, Health
from runtime.monitoring.http import LOOPBACK, HttpServer, routes
from runtime.monitoring.version import versions
from runtime.monitoring.watchdog import Watchdog
from runtime.ports import RetriableError, TransactionalConsumer
from runtime.process.malloc import limit_arenas, trim
from runtime.process.parent_watch import ParentWatch
from runtime.process.shutdown import stopping_on_signals
from runtime.state.disk import require_writable
from runtime.state.factory import matcher_name, open_state, state_folder
from runtime.state.store import StateStore
from runtime.stream.marker_file import LocalMarkerFile
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)

IN_FLIGHT_FILE, MEMBER_FILE = "deciding", "member"
"""In the state folder of an instance."""

WrapConsumer = Callable[[TransactionalConsumer], TransactionalConsumer]


def run_worker(
    settings: Settings,
    *,
    drain: bool,
    wrap_consumer: WrapConsumer = lambda consumer: consumer,
    parent_watch: ParentWatch | None = None,
    stalled_after_seconds: float = STALLED_AFTER_SECONDS,
) -> None:
    """Run until SIGTERM or SIGINT or, draining, until the topic is done; then leave the group and close the state.

    A test may pass `wrap_consumer` to intercept the loop's calls to Kafka. With a `parent_watch` the HTTP port serves
    the supervisor, on the loopback only. Raises a LinkActionsError if a person must fix something.
    """
    limit_arenas()
    with ExitStack() as stack:
        try:
            health = Health(SystemClock().monotonic, stalled_after_seconds=stalled_after_seconds)
            stack.enter_context(Watchdog(health))
            _Worker(settings, stack, health, parent_watch).run(wrap_consumer, drain=drain)
        except RetriableError as error:
            # Once it runs, the loop waits for a broker as long as it takes; a start that finds none is a mistake.
            raise Unavailable(f"The worker cannot start ({error}); run link-actions doctor") from error
    _LOG.info("worker.stopped")


@dataclass(frozen=True, slots=True)
class _Worker:
    """One worker while it starts and runs; the `stack` closes everything that it opens."""

    settings: Settings
    stack: ExitStack
    health: Health
    parent_watch: ParentWatch | None

    def run(self, wrap_consumer: WrapConsumer, *, drain: bool) -> None:
        """Open everything, then run the loop."""
        settings, stack = self.settings, self.stack
        require_writable(state_folder(settings))
        schemas = load_schemas()
        kinds = load_kinds(schemas)
        names = topic_names(settings.kafka, kinds)
        credentials = stack.enter_context(Credentials(settings.kafka_config))
        membership = static_membership(settings.kafka) if self.parent_watch else {}
        clients = KafkaClients(settings.kafka, credentials=credentials, membership=membership)
        stack.enter_context(explaining_denials(settings.kafka, acls_of(Role.WORKER, settings.kafka, names)))
        metrics = self._serve_metrics(kinds)
        partitions = _require_topics(settings, names)
        is_stopping = stack.enter_context(stopping_on_signals(self.health))
        state = self._open_state(metrics)
        consumer = wrap_consumer(self._open_consumer(clients, names, is_stopping))
        stack.callback(consumer.close)
        ports = LoopPorts(
            consumer=consumer,
            changelog=clients.open_reader(names.changelog),
            definitions=clients.open_reader(names.definitions),
            state=state,
            in_flight=self._open_marker(IN_FLIGHT_FILE),
            known_topics=self._open_marker(TOPICS_FILE),
            observer=Observer(metrics, self.health, SystemClock()),
            clock=SystemClock(),
            on_restored=trim,
        )
        loop = build_loop(
            ports, load_formats(settings, schemas, kinds), LoopOptions.of(settings, partitions, drain=drain)
        )
        tune_gc()
        self._log_start(partitions)
        loop.run(is_stopping)

    def _serve_metrics(self, kinds: Kinds) -> Metrics:
        """Open the HTTP port, on which a supervisor may wait from now on."""
        metrics = Metrics(CollectorRegistry(), kinds=kinds, versions=versions())
        metrics.set(LAST_PROGRESS, SystemClock().now_ms() / 1000)
        host = LOOPBACK if self.parent_watch else self.settings.http_host
        server = HttpServer(self.settings.http_port, routes(metrics.exposition, self.health, versions()), host=host)
        server.start()
        self.stack.callback(server.stop)
        if self.parent_watch:
            self.parent_watch.tell_port(server.port)
        return metrics

    def _open_state(self, metrics: Metrics) -> StateStore:
        state = open_state(self.settings)
        self.stack.callback(state.close)
        metrics.watch_state(state.size)
        return state

    def _open_marker(self, name: str) -> LocalMarkerFile:
        marker = LocalMarkerFile(state_folder(self.settings) / name)
        self.stack.callback(marker.close)
        return marker

    def _open_consumer(
        self, clients: KafkaClients, names: TopicNames, is_stopping: Callable[[], bool]
    ) -> TransactionalConsumer:
        """Open the consumer unless another worker has this instance id: the new producer would fence that worker."""
        member = MemberIdFile(self._open_marker(MEMBER_FILE))
        require_sole(
            open_group_members(clients.settings, clients.credentials).namesakes,
            self.settings.instance_id,
            former_member_id=member.read(),
            session_seconds=session_seconds(self.settings.kafka),
            clock=SystemClock(),
            is_stopping=is_stopping,
        )
        return clients.open_transactional_consumer(names.clicks, member.write)

    def _log_start(self, partitions: int) -> None:
        _LOG.info(
            "worker.started",
            instance=self.settings.instance_id,
            partitions=partitions,
            core=best_core(),
            matcher=matcher_name(),
            backend=best_backend(),
        )


def _require_topics(settings: Settings, names: TopicNames) -> int:
    """Return the partition count. Raises Contradictory if the changelog existed before and is missing now."""
    report = inspect_topics(KafkaTopicAdmin(settings.kafka), names, worker_topic_specs(names))
    require_changelog(settings, names, report)
    return report.require()


def tune_gc() -> None:
    """Collect rarely, and never scan what exists now.

    A batch makes some hundred thousand objects and no cycles; scanning them took 0.9 µs per click. The garbage of the
    start is not worth the 0.03 s that collecting it first would take.
    """
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)
