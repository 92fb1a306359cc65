"""Creates and reads topics of the in-memory Kafka."""

from collections.abc import Iterable, Mapping

from runtime.fake_kafka.cluster import FakeCluster
from runtime.kafka.admin.topics import TopicSpec, TopicState
from runtime.kafka.client import DEFAULT_CLICK_BYTES


class FakeTopicAdmin:
    """Implements `TopicAdmin`, so that the in-memory Kafka gets the topics of an installation."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def read_topics(self, names: Iterable[str]) -> Mapping[str, TopicState]:
        """Return the state of those of the topics that exist."""
        with self._cluster.lock:
            found = [self._cluster.topics[name] for name in names if name in self._cluster.topics]
            return {
                topic.name: TopicState(len(topic.logs), frozenset({topic.cleanup}), topic.max_message_bytes)
                for topic in found
            }

    def create_topics(self, specs: Iterable[TopicSpec], *, partitions: int, replication_factor: int) -> None:
        """Create topics, without replicas."""
        del replication_factor
        with self._cluster.lock:
            for spec in specs:
                limit = int(spec.config.get("max.message.bytes", DEFAULT_CLICK_BYTES))
                self._cluster.create_topic(
                    spec.name, spec.partitions or partitions, cleanup=spec.cleanup, max_message_bytes=limit
                )
