"""A worker as a thread, on the twin of Kafka: what can be had of a worker where there is no broker."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from consumer.app.assembly import LoopOptions, LoopPorts, build_loop
from consumer.app.record_formats import load_formats
from consumer.clock import SystemClock
from consumer.config.settings import Settings
from consumer.demo.failure import DemoFailed
from consumer.fake_kafka.cluster import FakeCluster
from consumer.fake_kafka.log_reader import FakeLogReader
from consumer.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from consumer.kafka.client import transactional_id
from consumer.loop.marker_file import FakeMarkerFile
from consumer.loop.observer import Observer
from consumer.monitoring.health import Health
from consumer.monitoring.metrics import Metrics
from consumer.monitoring.version import versions
from consumer.state.in_memory import MemoryState
from schemas.record_schema import load_schemas

CUT_SECONDS = 60.0


class CutOff(BaseException):
    """Ends a worker's thread where it stands, as a crash would: nothing is aborted, closed or left."""


class CutOffStream(FakeTransactionalConsumer):
    """A stream that breaks off in the next transaction once it is told to."""

    def __init__(self, cluster: FakeCluster, topic: str, settings: Settings) -> None:
        super().__init__(cluster, topic, group_id=settings.group_id, transactional_id=transactional_id(settings.kafka))
        self.is_cut = threading.Event()

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit, unless told to break off: then all is written and nothing committed."""
        if self.is_cut.is_set():
            raise CutOff
        return super().commit_transaction(offsets)


class ThreadWorker:
    """One worker's loop on a thread; its state outlives it, as on a disk."""

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
        self._stream: CutOffStream | None = None
        self._future: Future[None] | None = None

    def start(self) -> None:
        """Start it, a first time or again."""
        self._stream = CutOffStream(self._cluster, self._formats.names.clicks, self._settings)
        self._future = self._executor.submit(self._run, self._stream)

    def cut_off(self) -> None:
        """End it in the middle of a transaction, and have the group miss it. Raises DemoFailed."""
        if self._stream is None or self._future is None:
            raise DemoFailed(f"{self.name} does not run")
        self._stream.is_cut.set()
        try:
            ended_by = self._future.exception(CUT_SECONDS)
        except TimeoutError as error:
            raise DemoFailed(f"{self.name} had no click to do for {CUT_SECONDS:g} s") from error
        if not isinstance(ended_by, CutOff):
            self._future.result()
        with self._cluster.lock:
            self._cluster.group(self._settings.group_id, self._formats.names.clicks).leave(self._stream.member)

    def require_running(self) -> None:
        """Raise what ended it."""
        if self._future is not None and self._future.done():
            self._future.result()

    def ask_to_leave(self) -> None:
        """Have its loop end."""
        self._stopping.set()

    def require_left(self) -> None:
        """Wait until it has ended; raises what went wrong in it."""
        if self._future is not None:
            self._future.result()

    def _run(self, stream: CutOffStream) -> None:
        clock, names = SystemClock(), self._formats.names
        metrics = Metrics(CollectorRegistry(), kinds=self._formats.kinds, versions=versions())
        ports = LoopPorts(
            consumer=stream,
            changelog=FakeLogReader(self._cluster, names.changelog),
            definitions=FakeLogReader(self._cluster, names.definitions),
            state=self._state,
            in_flight=FakeMarkerFile(),
            known_topics=self._known,
            observer=Observer(metrics, Health(clock.monotonic), clock),
            clock=clock,
        )
        build_loop(ports, self._formats, LoopOptions.of(self._settings, self._partitions)).run(self._stopping.is_set)
        stream.close()
