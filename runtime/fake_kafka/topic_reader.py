"""Reads a whole topic of the in-memory Kafka."""

from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.record import FakeRecord
from runtime.kafka.client import Isolation


def read_topic(cluster: FakeCluster, topic: str, isolation: Isolation = Isolation.READ_COMMITTED) -> list[FakeRecord]:
    """Return the current records, partition by partition in order. Raises UnknownTopic."""
    with cluster.lock:
        records: list[FakeRecord] = []
        for log in cluster.topic(topic).logs:
            read = log.read_committed if isolation is Isolation.READ_COMMITTED else log.read_uncommitted
            found, _ = read(log.start, log.end)
            records += found
        return records
