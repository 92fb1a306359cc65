"""A worker as a thread on the in-memory fake of Kafka, for the demo without a broker."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from consumer.app.assembly import LoopOptions, LoopPorts, build_loop
from consumer.app.record_formats import load_formats
from consumer.demo.failure import DemoFailed
from consumer.loop.observer import Observer
from consumer.monitoring.metrics import Metrics
from runtime.clock import SystemClock
from runtime.config.settings import Settings
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.kafka.client import transactional_id
from runtime.monitoring.health import Health
from runtime.monitoring.version import versions
from runtime.state.in_memory import MemoryState
from runtime.stream.marker_file import FakeMarkerFile
from schemas.record_schema import load_schemas

CRASH_SECONDS = 60.0


class SimulatedCrash(BaseException):
    """Ends a worker's thread like a crash: nothing is aborted or closed, and it does not leave the group."""


class CrashingConsumer(FakeTransactionalConsumer):
    """A consumer that crashes at the next commit once `is_crashing` is set."""

    def __init__(self, cluster: FakeCluster, topic: str, settings: Settings) -> None:
        super().__init__(cluster, topic, group_id=settings.group_id, transactional_id=transactional_id(settings.kafka))
        self.is_crashing = threading.Event()

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit, or crash: then everything is written and nothing committed."""
        if self.is_crashing.is_set():
            raise SimulatedCrash
        return super().commit_transaction(offsets)


class ThreadWorker:
    """A worker's loop on a thread; its state survives restarts, as on a disk."""

    def __init__(self, cluster: FakeCluster, settings: Settings, partitions: int, executor: ThreadPoolExecutor) -> None:
        self.name = settings.instance_id
        schemas = load_schemas()
        self._cluster = cluster
        self._settings = settings
        self._formats = load_formats(settings, schemas, load_kinds(schemas))
        self._partitions = partitions
        self._executor = executor
        self._state, self._known = MemoryState(), FakeMarkerFile()
        self._stopping = threading.Event()
        self._consumer: CrashingConsumer | None = None
        self._future: Future[None] | None = None

    def start(self) -> None:
        """Start or restart it."""
        self._consumer = CrashingConsumer(self._cluster, self._formats.names.clicks, self._settings)
        self._future = self._executor.submit(self._run, self._consumer)

    def crash(self) -> None:
        """End it in the middle of a transaction and remove it from the group. Raises DemoFailed."""
        if self._consumer is None or self._future is None:
            raise DemoFailed(f"{self.name} is not running")
        self._consumer.is_crashing.set()
        try:
            ended_by = self._future.exception(CRASH_SECONDS)
        except TimeoutError as error:
            raise DemoFailed(f"{self.name} processed no click for {CRASH_SECONDS:g} s") from error
        if not isinstance(ended_by, SimulatedCrash):
            self._future.result()
        with self._cluster.lock:
            self._cluster.group(self._settings.group_id, self._formats.names.clicks).leave(self._consumer.member_id)

    def require_running(self) -> None:
        """Raise the error that ended it, if one did."""
        if self._future is not None and self._future.done():
            self._future.result()

    def stop(self) -> None:
        """Let its loop end."""
        self._stopping.set()

    def wait_until_stopped(self) -> None:
        """Wait until it has ended. Raises the error that ended it."""
        if self._future is not None:
            self._future.result()

    def _run(self, consumer: CrashingConsumer) -> None:
        clock, names = SystemClock(), self._formats.names
        metrics = Metrics(CollectorRegistry(), kinds=self._formats.kinds, versions=versions())
        ports = LoopPorts(
            consumer=consumer,
            changelog=FakeLogReader(self._cluster, names.changelog),
            definitions=FakeLogReader(self._cluster, names.definitions),
            state=self._state,
            in_flight=FakeMarkerFile(),
            known_topics=self._known,
            observer=Observer(metrics, Health(clock.monotonic), clock),
            clock=clock,
        )
        build_loop(ports, self._formats, LoopOptions.of(self._settings, self._partitions)).run(self._stopping.is_set)
        consumer.close()
