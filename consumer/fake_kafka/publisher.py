"""Publishing to the twin outside the loop: the clicks, and the link definitions."""

from collections import Counter
from collections.abc import Sequence

from consumer.fake_kafka.cluster import ANY_PARTITION, Draft, FakeCluster, RecordTooLarge, UnknownTopic


class FakePublisher:
    """Writes each record at once and counts what became of it, as `consumer.kafka.publisher.Publisher` does."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.confirmed = 0
        self.failed: Counter[str] = Counter()
        """Records that were not written, by what the cluster said."""

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
        """Write one record. A timestamp of 0 is now."""
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
        """Return at once: nothing is on its way."""
