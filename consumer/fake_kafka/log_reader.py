"""Reading a topic's partitions from given positions, on the twin."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from consumer.fake_kafka.cluster import FakeCluster, FakeTopic, UnknownTopic
from consumer.fake_kafka.errors import missing
from consumer.fake_kafka.network import DirectNetwork, Lost, Network
from consumer.fake_kafka.record import FakeRecord
from consumer.fake_kafka.refusal import Misuse, check_limit
from consumer.ports import ConsumerRecord, RetriableError

Answer = TypeVar("Answer")


class FakeLogReader:
    """Reads committed records, outside any group. Implements `LogReader`.

    Raises Misuse where the real one fails with an error of the library that no one handles.
    """

    def __init__(self, cluster: FakeCluster, topic: str, network: Network | None = None) -> None:
        self._cluster = cluster
        self._network = network or DirectNetwork(cluster.lock)
        self._name = topic
        self._positions: dict[int, int] = {}
        self._is_closed = False

    @property
    def positions(self) -> Mapping[int, int]:
        """Offset to read next, per partition that is being read."""
        return self._positions

    def topic_id(self) -> str:
        """Return cluster and topic id. Raises RetriableError."""
        return self._ask("Metadata", lambda: f"{self._cluster.cluster_id}/{self._topic().topic_id}")

    def assign(self, partition: int, position: int) -> None:
        """Read this partition too. Raises Misuse where it is being read, and for a position that no log has."""
        self._need_open()
        if partition in self._positions:
            raise Misuse(f"partition {partition} is being read; stop it first")
        if position < 0:
            raise Misuse(f"partition {partition} has no position {position}")
        self._positions[partition] = position

    def unassign(self, partition: int) -> None:
        """Read this partition no longer."""
        self._need_open()
        self._positions.pop(partition, None)

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first offset and end offset, open transactions included. Raises RetriableError."""

        def list_offsets() -> Mapping[int, tuple[int, int]]:
            logs = {partition: self._topic().log(partition) for partition in partitions}
            return {partition: (log.start, log.end) for partition, log in logs.items()}

        try:
            return self._ask("ListOffsets", list_offsets)
        except UnknownTopic as error:  # the topic is there, the partition is not: no leader has it
            raise RetriableError(str(error)) from error

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return what is there, or after the time-out what has come meanwhile."""
        self._need_open()
        check_limit(limit)
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def close(self) -> None:
        """Refuse to read from now on; to close again does no harm."""
        self._is_closed = True

    def _need_open(self) -> None:
        if self._is_closed:
            raise Misuse("the reader is closed")

    def _poll(self, limit: int) -> list[FakeRecord]:
        """Return what one fetch brings; nothing where no answer comes, for the library tries again by itself."""
        wanted = dict(self._positions)

        def fetch() -> tuple[list[FakeRecord], dict[int, int]]:
            records: list[FakeRecord] = []
            positions: dict[int, int] = {}
            for partition, position in wanted.items():
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
