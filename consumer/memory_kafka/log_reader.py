"""Reading a topic's partitions from given positions, on the twin."""

from collections.abc import Mapping, Sequence

from consumer.memory_kafka.cluster import MemoryCluster, MemoryTopic, UnknownTopic
from consumer.memory_kafka.errors import missing
from consumer.streams import Record


class MemoryLogReader:
    """Reads committed records, outside any group. Implements `LogReader`."""

    def __init__(self, cluster: MemoryCluster, topic: str) -> None:
        self._cluster = cluster
        self._name = topic
        self._positions: dict[int, int] = {}

    @property
    def positions(self) -> Mapping[int, int]:
        """Offset to read next, per partition that is being read."""
        return self._positions

    def identity(self) -> str:
        """Return cluster and topic id."""
        with self._cluster.lock:
            return f"{self._cluster.cluster_id}/{self._topic().topic_id}"

    def start(self, partition: int, position: int) -> None:
        """Read this partition too."""
        self._positions[partition] = position

    def stop(self, partition: int) -> None:
        """Read this partition no longer."""
        self._positions.pop(partition, None)

    def bounds(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first offset and end offset, open transactions included."""
        with self._cluster.lock:
            logs = {partition: self._topic().log(partition) for partition in partitions}
            return {partition: (log.start, log.end) for partition, log in logs.items()}

    def read(self, limit: int, timeout_seconds: float) -> Sequence[Record]:
        """Return what is there, or after the time-out what has come meanwhile."""
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def close(self) -> None:
        """There is nothing to let go of."""

    def _poll(self, limit: int) -> list[Record]:
        records: list[Record] = []
        with self._cluster.lock:
            for partition, position in self._positions.items():
                log = self._topic().log(partition)
                found, self._positions[partition] = log.read_committed(position, limit - len(records))
                records += found
        return records

    def _topic(self) -> MemoryTopic:
        try:
            return self._cluster.topic(self._name)
        except UnknownTopic as error:
            raise missing(error) from error
