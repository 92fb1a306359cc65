"""A worker as a thread, on the twin of Kafka: what can be had of a worker where there is no broker."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from consumer.app.clients import ClientFactory
from consumer.app.worker import rules_of
from consumer.clock import SystemClock
from consumer.config.settings import Settings
from consumer.decision.cores import CORES, fastest
from consumer.demo.failure import DemoFailed
from consumer.fake_kafka.cluster import FakeCluster
from consumer.fake_kafka.log_reader import FakeLogReader
from consumer.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from consumer.kafka.client import transactional_id
from consumer.loop.batch_decider import BatchDecider
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.crash_guard import PoisonPillGuard
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.history_check import HistoryCheck
from consumer.loop.loop import Loop, LoopDependencies
from consumer.loop.marker_file import FakeMarkerFile
from consumer.loop.observer import Observer
from consumer.loop.pace import LingerPolicy
from consumer.monitoring.health import Health
from consumer.monitoring.metrics import Metrics
from consumer.monitoring.version import versions
from consumer.ports import LogReader
from consumer.state.in_memory import MemoryState

CUT_SECONDS = 60.0


class CutOff(BaseException):
    """Ends a worker's thread where it stands, as a crash would: nothing is aborted, closed or left."""


@dataclass(frozen=True, slots=True)
class MemoryWire(ClientFactory):
    """Reads from the twin."""

    cluster: FakeCluster

    def open_reader(self, topic: str) -> LogReader:
        """Open a reader of one topic."""
        return FakeLogReader(self.cluster, topic)


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

    def __init__(self, wire: MemoryWire, partitions: int, executor: ThreadPoolExecutor) -> None:
        self.name = wire.settings.instance_id
        self._wire = wire
        self._partitions = partitions
        self._executor = executor
        self._state, self._known = MemoryState(), FakeMarkerFile()
        self._stopping = threading.Event()
        self._stream: CutOffStream | None = None
        self._future: Future[None] | None = None

    def start(self) -> None:
        """Start it, a first time or again."""
        self._stream = CutOffStream(self._wire.cluster, self._wire.names.clicks, self._wire.settings)
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
        with self._wire.cluster.lock:
            self._wire.cluster.group(self._wire.settings.group_id, self._wire.names.clicks).leave(self._stream.member)

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
        wire, clock = self._wire, SystemClock()
        settings = wire.settings
        definitions = wire.definitions(self._state)
        observer = Observer(
            Metrics(CollectorRegistry(), kinds=wire.kinds, versions=versions()), Health(clock.monotonic), clock
        )
        decider = BatchDecider(
            definitions, wire.click_layouts, rules_of(settings, self._partitions), clock, open_core=CORES[fastest()]
        )
        restorer = ChangelogRestorer(wire.open_reader(wire.names.changelog), self._state)
        parts = LoopDependencies(
            stream=stream,
            definitions=definitions,
            restorer=restorer,
            history=HistoryCheck(stream, restorer, self._known, partitions=self._partitions, group=settings.group_id),
            decider=decider,
            writer=wire.writer(stream),
            bad_share=DeadLetterLimit(settings.dead_letter_limit),
            caution=PoisonPillGuard(FakeMarkerFile(), decider.force_dead_letter),
            observer=observer,
            clock=clock,
        )
        pace = LingerPolicy(settings.commit_interval_ms / 1000)
        Loop(parts, pace, partitions=self._partitions).run(self._stopping.is_set)
        stream.close()
