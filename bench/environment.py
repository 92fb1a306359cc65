"""The environment of a shape: its topics on the broker, with the same clicks for every candidate."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from actions.registry import load_kinds
from bench.candidate import Job
from bench.links import definitions, write_plain_definitions
from bench.registry_double import RegistryDouble
from bench.workload import Click, Workload, click_key
from runtime.config.settings import Settings
from runtime.kafka.admin.topic_admin import KafkaTopicAdmin, create_topics
from runtime.registry.codecs import writing_codec
from runtime.registry.registry import SchemaRegistry, connect_registry
from schemas.codec import Codec
from schemas.record_schema import load_schemas
from schemas.topics import TopicNames

PARTITIONS = 4
CHANGES_PER_SECOND = 100
"""New versions of links per second while a shape with several versions is drained."""
Record = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Codecs:
    """The codecs of all records."""

    clicks: Codec
    definitions: Codec
    updates: Codec


class Environment:
    """The topics of a shape. Its name prefixes theirs, so that shapes stay apart."""

    def __init__(self, servers: str, folder: Path, workload: Workload, registry: RegistryDouble | None = None) -> None:
        self.servers = servers
        self.workload = workload
        self.prefix = f"{workload.shape.name}."
        self._folder = folder / workload.shape.name
        self._registry_url = registry.url if registry else None
        self._admin = AdminClient({"bootstrap.servers": servers})
        self.names = self._names("bench")
        self.codecs = self._open_codecs()

    def records(self) -> Iterator[Record]:
        """Yield key and value of each click."""
        return (self.record(click) for _, _, click in self.workload.clicks_in_order())

    def record(self, click: Click) -> Record:
        """Return key and value of a click."""
        return click_key(click), self.codecs.clicks.encode(click)

    def publish_links(self) -> None:
        """Create the topics that all candidates share, and publish the links."""
        self._create_topics("bench")
        self._send(self.names.definitions, definitions(self.workload.shape, self.codecs.definitions))

    def publish_clicks(self) -> None:
        """Put all clicks into their topic."""
        self._send(self.names.clicks, self.records())

    def job(self, group: str) -> Job:
        """Make what a candidate gets for itself."""
        folder = self._folder / group
        folder.mkdir(parents=True)
        plain = folder / "definitions.json"
        write_plain_definitions(self.workload.shape, plain, self.codecs.updates.frame)
        self._create_topics(group)
        return Job(
            servers=self.servers,
            group=group,
            prefix=self.prefix,
            clicks=self.names.clicks,
            updates=self.names.update("interest"),
            changelog=self._names(group).changelog,
            definitions=plain,
            folder=folder,
            registry_url=self._registry_url,
        )

    def ends(self, topic: str) -> Mapping[int, int]:
        """Return the present end offsets of a topic."""
        with closing(Consumer({"bootstrap.servers": self.servers, "group.id": "bench-ends"})) as consumer:
            places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
            return {place.partition: consumer.get_watermark_offsets(place, timeout=10)[1] for place in places}

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Publish further versions of the links, which no click names, where the shape is about that."""
        if self.workload.shape.versions == 1:
            yield
            return
        done = Event()
        thread = Thread(target=self._change, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def clean(self, job: Job) -> None:
        """Drop what a candidate has left: its own topics, and the updates, which have been checked by now."""
        places = [TopicPartition(job.updates, number, end) for number, end in self.ends(job.updates).items()]
        for kept in self._admin.delete_records(places).values():
            kept.result()
        self._delete(name for name in self._admin.list_topics(timeout=10).topics if job.group in name)

    def close(self) -> None:
        """Drop all topics."""
        self._delete(name for name in self._admin.list_topics(timeout=10).topics if name.startswith(self.prefix))

    def _change(self, done: Event) -> None:
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5})
        versions = range(self.workload.shape.versions + 1, 1_000)
        for key, value in definitions(self.workload.shape, self.codecs.definitions, versions):
            producer.produce(self.names.definitions, value, key)
            producer.poll(0)
            if done.wait(1 / CHANGES_PER_SECOND):
                break
        producer.flush()

    def _send(self, topic: str, records: Iterable[Record]) -> None:
        """Send in this order: which click is the first of two is part of what must come out."""
        config = {"bootstrap.servers": self.servers, "partitioner": "murmur2_random", "enable.idempotence": True}
        producer = Producer({**config, "linger.ms": 50, "log_level": 2, "queue.buffering.max.messages": 1_000_000})
        for number, (key, value) in enumerate(records):
            while True:
                try:
                    producer.produce(topic, value, key)
                except BufferError:
                    producer.poll(1)
                else:
                    break
            if number % 10_000 == 0:
                producer.poll(0)
        producer.flush()

    def _names(self, group: str) -> TopicNames:
        return TopicNames(self.prefix, group, tuple(load_kinds(load_schemas())))

    def _create_topics(self, group: str) -> None:
        settings = Settings(bootstrap_servers=self.servers, group_id=group, topic_prefix=self.prefix)
        create_topics(KafkaTopicAdmin(settings.kafka), self._names(group), partitions=PARTITIONS, replication_factor=1)

    def _delete(self, names: Iterable[str]) -> None:
        """Delete the topics; one that is gone already, which the broker's list may still name, is no matter."""
        wanted = list(names)
        for deleted in self._admin.delete_topics(wanted).values() if wanted else ():
            try:
                deleted.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise

    def _open_codecs(self) -> Codecs:
        schemas = load_schemas()
        registry: SchemaRegistry | None = None
        if self._registry_url:
            registry = connect_registry(self._registry_url)
        return Codecs(
            clicks=writing_codec(self.names.clicks, schemas["LinkClicked"], registry),
            definitions=writing_codec(self.names.definitions, schemas["LinkDefined"], registry),
            updates=writing_codec(self.names.update("interest"), schemas["ChangeInterest"], registry),
        )
