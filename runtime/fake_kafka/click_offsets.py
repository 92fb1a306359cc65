"""Offsets of the clicks on the in-memory Kafka: watermarks, committed offsets and the group's lag."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from runtime.fake_kafka.cluster import FakeCluster, UnknownTopic
from runtime.fake_kafka.errors import missing, require_logs
from runtime.fake_kafka.group import Group, OffsetsInDoubt
from runtime.fake_kafka.network import Lost, Network
from runtime.fake_kafka.partition_log import PartitionLog
from runtime.ports import Committed, RetriableError

Answer = TypeVar("Answer")


class ClickOffsets:
    """Asks the cluster for offsets. Methods raise RetriableError if an answer is lost."""

    def __init__(self, cluster: FakeCluster, network: Network, topic: str, group: Callable[[], Group]) -> None:
        self._cluster = cluster
        self._network = network
        self._topic = topic
        self._group = group

    def topic_id(self) -> str:
        """Return the cluster id and the topic id."""
        return self._ask("Metadata", lambda: f"{self._cluster.cluster_id}/{self._cluster.topic(self._topic).topic_id}")

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each partition."""

        def list_offsets() -> Mapping[int, tuple[int, int]]:
            logs = self.logs()
            return {partition: (logs[partition].start, logs[partition].end) for partition in partitions}

        return self._ask("ListOffsets", list_offsets)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        return self._ask("ListOffsets", lambda: {partition: log.end for partition, log in enumerate(self.logs())})

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of every partition, 0 if there is none."""
        group = self._group
        found = self._ask("OffsetFetch", lambda: {p: group().committed(p) for p in range(len(self.logs()))})
        return {partition: offset or 0 for partition, offset in found.items()}

    def committed_by(self, metadata: str, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Return the committed offsets of these partitions; those committed with this metadata are the caller's own."""
        return self._ask("OffsetFetch", lambda: {p: self._committed_by(metadata, p) for p in partitions})

    def lag(self, partition: int, position: int) -> int:
        """Return the distance from the position to the end offset."""
        with self._cluster.lock:
            return max(self.logs()[partition].end - position, 0)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return the group's lag per partition."""
        return self._ask("ListOffsets", lambda: {partition: self._group_lag(partition) for partition in partitions})

    def logs(self) -> list[PartitionLog]:
        """Return the partitions of the clicks. Raises Unavailable without the topic."""
        return require_logs(self._cluster, self._topic)

    def require_partitions(self, partitions: Collection[int]) -> None:
        """Raise Unavailable if one of the partitions does not exist."""
        count = len(self.logs())
        for partition in partitions:
            if not 0 <= partition < count:
                raise missing(UnknownTopic(f"{self._topic} has no partition {partition}"))

    def _group_lag(self, partition: int) -> int:
        log = self.logs()[partition]
        return max(log.end - max(self._group().committed(partition) or 0, log.start), 0)

    def _committed_by(self, metadata: str, partition: int) -> Committed | None:
        group = self._group()
        offset = group.committed(partition)
        is_own = bool(metadata) and group.offset_metadata(partition) == metadata
        return None if offset is None else Committed(offset, is_own)

    def _ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        try:
            return self._network.ask(name, request)
        except Lost as error:
            raise RetriableError(f"{name} was not answered in time") from error
        except OffsetsInDoubt as error:
            raise RetriableError(str(error)) from error
