"""The composition root of `link-actions run`: everything is built here, from the settings, and passed in."""

import gc
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from consumer.app.clients import ClientFactory
from consumer.app.member_id_file import MemberIdFile
from consumer.app.missing_changelog import require_changelog
from consumer.clock import SystemClock
from consumer.config.settings import Settings
from consumer.decision.cores import CORES, fastest
from consumer.decision.decision import Rules
from consumer.errors import Unavailable
from consumer.kafka.admin.acls import Role, acls_of
from consumer.kafka.admin.namesakes import require_sole, session_seconds
from consumer.kafka.admin.permission import explaining_denials
from consumer.kafka.admin.topic_admin import KafkaTopicAdmin, inspect_topics
from consumer.kafka.backend import best_backend
from consumer.kafka.client import static_membership
from consumer.kafka.credentials import Credentials
from consumer.loop.batch_decider import BatchDecider
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.crash_guard import PoisonPillGuard
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.history_check import HistoryCheck
from consumer.loop.known_topics import TOPICS_FILE
from consumer.loop.loop import Loop, LoopDependencies
from consumer.loop.marker_file import LocalMarkerFile
from consumer.loop.observer import Observer
from consumer.loop.pace import LingerPolicy
from consumer.monitoring.health import STALLED_AFTER_SECONDS, Health
from consumer.monitoring.http import LOOPBACK, HttpServer, routes
from consumer.monitoring.metric_catalogue import LAST_PROGRESS
from consumer.monitoring.metrics import Metrics
from consumer.monitoring.version import versions
from consumer.monitoring.watchdog import Watchdog
from consumer.ports import RetriableError, TransactionalConsumer
from consumer.process.malloc import limit_arenas, trim
from consumer.process.parent_watch import ParentWatch
from consumer.process.shutdown import stopping_on_signals
from consumer.state.disk import require_writable
from consumer.state.factory import open_state, state_folder
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

_LOG = structlog.get_logger(__name__)

WrapStream = Callable[[TransactionalConsumer], TransactionalConsumer]


def run_worker(
    settings: Settings,
    *,
    drain: bool,
    wrap_stream: WrapStream = lambda stream: stream,
    bond: ParentWatch | None = None,
    stalled_after_seconds: float = STALLED_AFTER_SECONDS,
) -> None:
    """Run until SIGTERM or SIGINT or, draining, until all is done; then leave the group and close the state.

    `wrap_stream` lets a test come between the loop and Kafka, `stalled_after_seconds` see a stall soon. With a `bond`
    the port is the supervisor's to know and answers on the loopback only. Raises a LinkActionsError for what a
    person must mend.
    """
    limit_arenas()
    with ExitStack() as stack:
        try:
            health = Health(SystemClock().monotonic, stalled_after_seconds=stalled_after_seconds)
            stack.enter_context(Watchdog(health))
            _run(settings, stack, health, drain=drain, wrap_stream=wrap_stream, bond=bond)
        except RetriableError as error:
            # Once it turns, the loop waits for a broker as long as it takes; a start that finds none is a mistake.
            raise Unavailable(f"The worker cannot start ({error}); run link-actions doctor") from error
    _LOG.info("worker.stopped")


def _run(
    settings: Settings,
    stack: ExitStack,
    health: Health,
    *,
    drain: bool,
    wrap_stream: WrapStream,
    bond: ParentWatch | None,
) -> None:
    clock = SystemClock()
    require_writable(state_folder(settings))
    schemas = load_schemas()
    membership = static_membership(settings.kafka) if bond else {}
    credentials = stack.enter_context(Credentials(settings.kafka_config))
    wire = ClientFactory(settings, schemas, load_kinds(schemas), credentials=credentials, membership=membership)
    stack.enter_context(explaining_denials(settings.kafka, acls_of(Role.WORKER, settings.kafka, wire.names)))
    metrics = Metrics(CollectorRegistry(), kinds=wire.kinds, versions=versions())
    metrics.set(LAST_PROGRESS, clock.now_ms() / 1000)
    host = LOOPBACK if bond else settings.http_host
    server = HttpServer(settings.http_port, routes(metrics.exposition, health, versions()), host=host)
    server.start()
    stack.callback(server.stop)
    if bond:
        bond.tell_port(server.port)
    partitions = _require_topics(settings, wire.names)
    is_stopping = stack.enter_context(stopping_on_signals(health))
    state = open_state(settings)
    stack.callback(state.close)
    metrics.watch_state(state.size)
    stream = wrap_stream(_open_stream(settings, wire, stack, is_stopping))
    stack.callback(stream.close)
    definitions = wire.definitions(state)
    deciding, topics = (_page(settings, stack, name) for name in ("deciding", TOPICS_FILE))
    decider = BatchDecider(
        definitions, wire.click_layouts, rules_of(settings, partitions), clock, open_core=CORES[fastest()]
    )
    restorer = ChangelogRestorer(wire.open_reader(wire.names.changelog), state, on_complete=trim)
    parts = LoopDependencies(
        stream=stream,
        definitions=definitions,
        restorer=restorer,
        history=HistoryCheck(stream, restorer, topics, partitions=partitions, group=settings.group_id),
        decider=decider,
        writer=wire.writer(stream),
        bad_share=DeadLetterLimit(settings.dead_letter_limit),
        caution=PoisonPillGuard(deciding, decider.force_dead_letter),
        observer=Observer(metrics, health, clock),
        clock=clock,
    )
    tune_gc()
    _LOG.info(
        "worker.started",
        instance=settings.instance_id,
        partitions=partitions,
        core=fastest(),
        interface=best_backend(),
    )
    Loop(parts, LingerPolicy(settings.commit_interval_ms / 1000, drain), partitions=partitions).run(is_stopping)


def _require_topics(settings: Settings, names: TopicNames) -> int:
    """Return the partition count; a changelog that was there before is told apart from one that was never made."""
    report = inspect_topics(KafkaTopicAdmin(settings.kafka), names)
    require_changelog(settings, names, report)
    return report.require()


def _page(settings: Settings, stack: ExitStack, name: str) -> LocalMarkerFile:
    page = LocalMarkerFile(state_folder(settings) / name)
    stack.callback(page.close)
    return page


def _open_stream(
    settings: Settings, wire: ClientFactory, stack: ExitStack, is_stopping: Callable[[], bool]
) -> TransactionalConsumer:
    """Open the stream where no other worker has this name: its producer would fence that one."""
    member = MemberIdFile(_page(settings, stack, "member"))
    require_sole(
        wire.open_group().namesakes,
        settings.instance_id,
        former_member_id=member.read(),
        session_seconds=session_seconds(settings.kafka),
        clock=SystemClock(),
        is_stopping=is_stopping,
    )
    return wire.open_stream(member.write)


def tune_gc() -> None:
    """Let it look rarely, and never at what was built by now.

    A batch makes some hundred thousand objects and no cycles; looking for some took 0.9 µs of each click. The start
    leaves none either that would be worth 0.03 s of looking.
    """
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)


def rules_of(settings: Settings, partitions: int) -> Rules:
    """Return what holds for every batch."""
    retention = settings.dedupe_retention
    return Rules(partitions, None if retention is None else retention // timedelta(milliseconds=1))
