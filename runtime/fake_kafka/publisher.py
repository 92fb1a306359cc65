"""Publishes clicks and link definitions to the in-memory Kafka, outside the loop."""

from collections import Counter
from collections.abc import Sequence

from runtime.fake_kafka.cluster import ANY_PARTITION, Draft, FakeCluster, RecordTooLarge, UnknownTopic


class FakePublisher:
    """Appends each record at once and counts the results, like `runtime.kafka.publisher.Publisher`."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.confirmed = 0
        self.failed: Counter[str] = Counter()
        """Number of failed records by the cluster's error."""

    def publish(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        *,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int = ANY_PARTITION,
        timestamp: int = 0,
    ) -> None:
        """Append one record; a timestamp of 0 is now."""
        cluster = self._cluster
        with cluster.lock:
            try:
                chosen = cluster.choose_partition(topic, key) if partition == ANY_PARTITION else partition
                cluster.append(topic, chosen, Draft(key, value, headers, timestamp))
            except (UnknownTopic, RecordTooLarge) as error:
                self.failed[str(error)] += 1
            else:
                self.confirmed += 1

    def finish(self) -> None:
        """Return at once: no record is in flight."""
