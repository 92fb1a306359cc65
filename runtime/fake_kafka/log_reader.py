"""Reads partitions of a topic from given positions on the in-memory Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from runtime.fake_kafka.cluster import FakeCluster, FakeTopic, UnknownTopic
from runtime.fake_kafka.errors import missing
from runtime.fake_kafka.network import DirectNetwork, Lost, Network
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.refusal import Misuse, check_limit
from runtime.ports import ConsumerRecord, RetriableError

Answer = TypeVar("Answer")


class FakeLogReader:
    """Reads committed records, outside any group. Implements `LogReader`.

    Raises Misuse if the real one would raise an error of the library that is not handled.
    """

    def __init__(self, cluster: FakeCluster, topic: str, network: Network | None = None) -> None:
        self._cluster = cluster
        self._network = network or DirectNetwork(cluster.lock)
        self._name = topic
        self._positions: dict[int, int] = {}
        self._is_closed = False

    @property
    def positions(self) -> Mapping[int, int]:
        """Next offset of each assigned partition."""
        return self._positions

    def topic_id(self) -> str:
        """Return the cluster id and the topic id. Raises RetriableError."""
        return self._ask("Metadata", lambda: f"{self._cluster.cluster_id}/{self._topic().topic_id}")

    def assign(self, partition: int, position: int) -> None:
        """Read this partition from a position. Raises Misuse if it is assigned already or the position is negative."""
        self._require_open()
        if partition in self._positions:
            raise Misuse(f"partition {partition} is assigned already; unassign it first")
        if position < 0:
            raise Misuse(f"partition {partition} has no position {position}")
        self._positions[partition] = position

    def unassign(self, partition: int) -> None:
        """Stop reading this partition."""
        self._require_open()
        self._positions.pop(partition, None)

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first offset and end offset, open transactions included. Raises RetriableError."""

        def list_offsets() -> Mapping[int, tuple[int, int]]:
            logs = {partition: self._topic().log(partition) for partition in partitions}
            return {partition: (log.start, log.end) for partition, log in logs.items()}

        try:
            return self._ask("ListOffsets", list_offsets)
        except UnknownTopic as error:  # the topic exists, the partition does not: it has no leader
            raise RetriableError(str(error)) from error

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return available records; if there are none, those that arrive within the timeout."""
        self._require_open()
        check_limit(limit)
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def close(self) -> None:
        """Close the reader; closing it twice is harmless."""
        self._is_closed = True

    def _require_open(self) -> None:
        if self._is_closed:
            raise Misuse("the reader is closed")

    def _poll(self, limit: int) -> list[FakeRecord]:
        """Return the records of one fetch; none if the answer is lost, since the library retries."""
        assigned = dict(self._positions)

        def fetch() -> tuple[list[FakeRecord], dict[int, int]]:
            records: list[FakeRecord] = []
            positions: dict[int, int] = {}
            for partition, position in assigned.items():
                log = self._topic().log(partition)
                found, positions[partition] = log.read_committed(position, limit - len(records))
                records += found
            return records, positions

        try:
            records, positions = self._network.ask("Fetch", fetch)
        except Lost:
            return []
        self._positions.update(positions)
        return records

    def _ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        try:
            return self._network.ask(name, request)
        except Lost as error:
            raise RetriableError(f"{name} was not answered in time") from error

    def _topic(self) -> FakeTopic:
        try:
            return self._cluster.topic(self._name)
        except UnknownTopic as error:
            raise missing(error) from error
