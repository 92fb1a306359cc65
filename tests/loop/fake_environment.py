"""A deployment on the in-memory Kafka: topics, links, clicks, and workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client import CollectorRegistry

from actions.registry import load_kinds
from consumer.app.assembly import LoopOptions, LoopPorts, build_loop, open_plans
from consumer.app.record_formats import RecordFormats, load_formats
from consumer.decision.outcome import BatchCounts
from consumer.loop.batch import Batch
from consumer.loop.loop import Loop
from consumer.loop.observer import Observer
from consumer.loop.plan_cache import PlanCache
from consumer.loop.punctuation import Punctuator
from consumer.monitoring.metric_catalogue import Stage
from consumer.monitoring.metrics import Metrics
from runtime.clock import Clock
from runtime.config.settings import Settings
from runtime.fake_kafka.cluster import ANY_PARTITION, Draft, FakeCluster
from runtime.fake_kafka.publisher import FakePublisher
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.topic_admin import FakeTopicAdmin
from runtime.fake_kafka.topic_reader import read_topic
from runtime.fake_kafka.transactions import Producer
from runtime.kafka.admin.topic_admin import create_topics
from runtime.kafka.client import transactional_id
from runtime.monitoring.health import Health
from runtime.monitoring.version import versions
from runtime.ports import Headers
from runtime.state.in_memory import MemoryState
from runtime.state.store import StateStore
from runtime.stream.batching import LingerPolicy
from runtime.stream.marker_file import FakeMarkerFile, MarkerFile
from runtime.stream.observer import TransactionResult
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from tests.builders import Record
from tests.loop.script import Script
from tests.loop.scripted_ports import ScriptedReader, ScriptedState, ScriptedStream
from tests.turned_clock import TurnedClock

PARTITIONS = 3
GROUP = "group"
FAR_AWAY = 1_000_000


SCHEMAS = load_schemas()
KINDS = load_kinds(SCHEMAS)
CLICKS, LINKS = Codec(SCHEMAS["LinkClicked"]), Codec(SCHEMAS["LinkDefined"])


@cache
def record_formats() -> RecordFormats:
    return load_formats(settings_of("anyone"), SCHEMAS, KINDS)


@cache
def settings_of(instance: str) -> Settings:
    return Settings(bootstrap_servers="twin:9092", group_id=GROUP, instance_id=instance)


class CountingObserver(Observer):
    """Adds up the counts of committed batches."""

    def __init__(self, clock: Clock) -> None:
        metrics = Metrics(CollectorRegistry(), kinds=KINDS, versions=versions())
        super().__init__(metrics, Health(clock.monotonic), clock)
        self.counts = BatchCounts()
        self.restored_records = 0
        self.batches: list[Batch] = []
        self.staged: list[Mapping[Stage, float]] = []
        self.lags: list[Mapping[int, int]] = []
        self.transactions: list[TransactionResult] = []

    def stages(self, stages: Mapping[Stage, float]) -> None:
        super().stages(stages)
        self.staged.append(stages)

    def lag(self, lag: Mapping[int, int]) -> None:
        super().lag(lag)
        self.lags.append(lag)

    def transaction(self, result: TransactionResult) -> None:
        super().transaction(result)
        self.transactions.append(result)

    def committed(self, batch: Batch) -> None:
        super().committed(batch)
        self.batches.append(batch)
        self.counts += batch.counts()

    def restored(self, read: Mapping[int, int], remaining: Mapping[int, int]) -> None:
        super().restored(read, remaining)
        self.restored_records += sum(read.values())


@dataclass(frozen=True)
class Build:
    """The classes that a worker is built of; a test may plant a bug in one."""

    stream: type[ScriptedStream] = ScriptedStream
    reader: type[ScriptedReader] = ScriptedReader
    loop: type[Loop] = Loop


class FakeEnvironment:
    """Deterministic: time passes only while a worker waits."""

    def __init__(self, partitions: int = PARTITIONS, cluster: FakeCluster | None = None) -> None:
        self.partitions = partitions
        self.clock = TurnedClock()
        self.cluster = cluster or FakeCluster(self.clock)
        self.names = record_formats().names
        self.links: list[Record] = []
        self._publisher = FakePublisher(self.cluster)
        create_topics(FakeTopicAdmin(self.cluster), self.names, partitions=partitions, replication_factor=1)

    def open_plans(self, state: StateStore | None = None, script: Script | None = None) -> PlanCache:
        """Return the link definitions, none of which is read yet."""
        reader = ScriptedReader(self.cluster, self.names.definitions, script or Script())
        return open_plans(reader, state or MemoryState(), record_formats())

    def define(self, *links: Record) -> None:
        """Publish versions of links."""
        self.links += links
        for link in links:
            key = f"{link['tenant_id']}/{link['link_id']}/{link['version']}".encode()
            self._publisher.publish(self.names.definitions, LINKS.encode(link), key)

    def click(self, *clicks: Record, partition: int = ANY_PARTITION, timestamp: int = 0) -> None:
        """Publish clicks, by their key unless a partition is named, now unless a time is."""
        for click in clicks:
            key = f"{click['tenant_id']}/{click['recipient_id']}".encode()
            self._publisher.publish(
                self.names.clicks, CLICKS.encode(click), key, partition=partition, timestamp=timestamp
            )

    def put(self, value: bytes | None, key: bytes | None = None, *, partition: int, headers: Headers = ()) -> None:
        """Publish anything as a click."""
        self._publisher.publish(self.names.clicks, value, key, partition=partition, headers=headers)

    def leave_open(self, topic: str, partition: int, key: bytes, value: bytes) -> Producer:
        """Write in a transaction that stays open."""
        producer = self.cluster.transactions.open_producer("stalled producer")
        log = self.cluster.topic(topic).log(partition)
        self.cluster.transactions.append(producer, log, self.cluster.maker(topic, partition, Draft(key, value)))
        return producer

    def read(self, topic: str) -> list[FakeRecord]:
        """Return the records that a subscriber sees."""
        return read_topic(self.cluster, topic)

    def expire_all_members(self) -> None:
        """Expire the sessions of all members."""
        group = self.cluster.group(GROUP, self.names.clicks)
        for member in group.members:
            group.leave(member)

    def expire_member(self, name: str) -> None:
        """Expire the session of one worker."""
        group = self.cluster.group(GROUP, self.names.clicks)
        for member in group.members:
            if member.startswith(f"{GROUP}-{name}/"):
                group.leave(member)

    def expire_transactions(self) -> None:
        """Have the broker abort open transactions and fence their producers."""
        for name in self.cluster.transactions.open_transactions:
            self.cluster.transactions.expire(name)


def never() -> bool:
    return False


class Worker:
    """One process: a loop with all its parts, on a disk that survives it."""

    def __init__(
        self,
        environment: FakeEnvironment,
        disk: ScriptedState,
        *,
        name: str = "one",
        script: Script | None = None,
        max_poll_records: int = FAR_AWAY,
        linger_seconds: float = 0.0,
        drain: bool = True,
        dead_letter_limit: float = 1.0,
        partitions: int | None = None,
        build: Build | None = None,
        in_flight: MarkerFile | None = None,
        punctuator: Punctuator | None = None,
    ) -> None:
        """Raises RetriableError where the script says so."""
        self.script = disk.script = script or Script()
        self.observer = CountingObserver(environment.clock)
        build = build or Build()
        cluster, names, partitions = environment.cluster, environment.names, partitions or environment.partitions
        self.stream = build.stream(
            cluster,
            names.clicks,
            group_id=GROUP,
            transactional_id=transactional_id(settings_of(name).kafka),
            script=self.script,
            max_poll_records=max_poll_records,
        )
        ports = LoopPorts(
            consumer=self.stream,
            changelog=build.reader(cluster, names.changelog, self.script),
            definitions=build.reader(cluster, names.definitions, self.script),
            state=disk,
            in_flight=in_flight or FakeMarkerFile(),
            known_topics=disk.known,
            observer=self.observer,
            clock=environment.clock,
            punctuator=punctuator,
        )
        options = LoopOptions(partitions, LingerPolicy(linger_seconds), drain, dead_letter_limit)
        self._loop = build_loop(ports, record_formats(), options, loop=build.loop)

    @property
    def counts(self) -> BatchCounts:
        return self.observer.counts

    def run(self, is_stopping: Callable[[], bool] = never) -> None:
        """Run until stopped or drained, and leave the group; whatever is raised leaves everything as it is."""
        self._loop.run(is_stopping)
        self.stream.close()

    def run_batches(self, number: int) -> None:
        """Run until that many batches are committed, and leave the group."""
        self.run(lambda: len(self.observer.batches) >= number)
