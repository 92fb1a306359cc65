"""The group's progress and the records of all topics, on the in-memory fake of Kafka."""

from collections.abc import Iterable, Mapping

from consumer.demo.evidence import Evidence
from consumer.verify.reader import Seen
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.group import OffsetsInDoubt
from runtime.fake_kafka.topic_reader import read_topic
from runtime.kafka.client import Isolation
from schemas.topics import TopicNames


class InMemoryGroup:
    """The progress of one group in one topic."""

    def __init__(self, cluster: FakeCluster, group_id: str, topic: str) -> None:
        self._cluster = cluster
        self._group_id = group_id
        self._topic = topic
        self._known: dict[int, int] = {}

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of each partition, or the last known one while a commit is in doubt."""
        with self._cluster.lock:
            group = self._cluster.group(self._group_id, self._topic)
            for partition, _ in enumerate(self._cluster.topic(self._topic).logs):
                try:
                    self._known[partition] = group.committed(partition) or 0
                except OffsetsInDoubt:
                    self._known.setdefault(partition, 0)
            return dict(self._known)

    def is_done(self) -> bool:
        """Return whether no record is left."""
        committed = self.committed()
        with self._cluster.lock:
            logs = self._cluster.topic(self._topic).logs
            return not any(log.read_uncommitted(committed[number], 1)[0] for number, log in enumerate(logs))


def collect_in_memory_evidence(cluster: FakeCluster, names: TopicNames) -> Evidence:
    """Read the topics as a subscriber does (read_committed)."""
    topics = list(names.updates.values())
    updates = [record for topic in topics for record in _read(cluster, topic)]
    written = sum(len(read_topic(cluster, topic, Isolation.READ_UNCOMMITTED)) for topic in topics)
    return Evidence(
        prefix=names.prefix,
        definitions=list(_read(cluster, names.definitions)),
        clicks=list(_read(cluster, names.clicks)),
        updates=updates,
        dead_letters=list(_read(cluster, names.dead_letters)),
        hits=list(_read(cluster, names.hits)),
        never_committed=written - len(updates),
    )


def _read(cluster: FakeCluster, topic: str) -> Iterable[Seen]:
    partitions = len(cluster.topic(topic).logs)
    for record in read_topic(cluster, topic):
        yield Seen(
            topic=record.topic(),
            partition=record.partition(),
            offset=record.offset(),
            timestamp_ms=record.timestamp()[1],
            key=record.key(),
            value=record.value(),
            headers=[(name, value or b"") for name, value in record.headers() or []],
            partitions=partitions,
        )
