"""librdkafka's mock brokers, to force what a real Kafka does only occasionally.

Not for exactly once: they show aborted records, and store no offsets that a transaction sends.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import cimpl

_LEADER = 1
COORDINATOR = 2
"""Number of the broker that looks after all groups."""
_PRODUCER = 0


class MockCluster:
    """Two brokers with one topic: the first leads all partitions, the second looks after all groups."""

    def __init__(self, library: ctypes.CDLL, cluster: ctypes.c_void_p, topic: str) -> None:
        self.topic = topic
        self.bootstrap_servers = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()
        self._library = library
        self._cluster = cluster

    def elect_again(self, partition: int) -> None:
        """Give the leader a new epoch, as after a restart; no client is notified."""
        self._library.rd_kafka_mock_partition_set_leader(self._cluster, self.topic.encode(), partition, _LEADER)

    def coordinate(self, *, group: str, transactional_id: str) -> None:
        """Make the second broker the group coordinator, and the first the transaction coordinator."""
        self._library.rd_kafka_mock_coordinator_set(self._cluster, b"group", group.encode(), COORDINATOR)
        self._library.rd_kafka_mock_coordinator_set(self._cluster, b"transaction", transactional_id.encode(), _LEADER)

    def take_coordinator_away(self) -> None:
        """Remove the second broker, also from the metadata."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, COORDINATOR)

    def bring_coordinator_back(self) -> None:
        """Resume it."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, COORDINATOR)


@contextmanager
def mock_cluster(topic: str, partitions: int) -> Iterator[MockCluster]:
    """Start it, and end it with the block."""
    library = _library()
    reason = ctypes.create_string_buffer(512)
    owner = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, None, reason, ctypes.c_size_t(len(reason))))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(owner, 2))
    try:
        library.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, 1)
        for partition in range(partitions):
            library.rd_kafka_mock_partition_set_leader(cluster, topic.encode(), partition, _LEADER)
        yield MockCluster(library, cluster, topic)
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(owner)


def _library() -> ctypes.CDLL:
    """Return the library that the clients of this process run on: a symbol is looked for in what the module needs."""
    library = ctypes.CDLL(cimpl.__file__)
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library
