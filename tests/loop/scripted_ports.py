"""The ports of the twin, each call of which may go wrong as a script says."""

from collections.abc import Mapping, Sequence
from typing import Any

from consumer.fake_kafka.cluster import FakeCluster
from consumer.fake_kafka.log_reader import FakeLogReader
from consumer.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from consumer.loop.marker_file import FakeMarkerFile
from consumer.ports import AssignmentChange, Committed, ConsumerRecord, ProducerRecord
from consumer.state.in_memory import MemoryPartitionStore, MemoryState
from tests.loop.script import Script


class ScriptedStream(FakeTransactionalConsumer):
    """Hands out at most `bite` records at once, so that a short topic makes many batches."""

    def __init__(
        self, cluster: FakeCluster, topic: str, *, group_id: str, transactional_id: str, script: Script, bite: int
    ) -> None:
        super().__init__(cluster, topic, group_id=group_id, transactional_id=transactional_id)
        self._call = script.call
        self._bite = bite

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return self._call("stream.consume", super().consume, min(limit, self._bite), timeout_seconds)

    def take_changes(self) -> AssignmentChange:
        return self._call("stream.take_changes", super().take_changes)

    def hold(self, partitions: Sequence[int]) -> None:
        self._call("stream.hold", super().hold, partitions)

    def release(self, partitions: Sequence[int]) -> None:
        self._call("stream.release", super().release, partitions)

    def rewind(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        return self._call("stream.rewind", super().rewind, partitions)

    def identity(self) -> str:
        return self._call("stream.identity", super().identity)

    def bounds(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        return self._call("stream.bounds", super().bounds, partitions)

    def ends(self) -> Mapping[int, int]:
        return self._call("stream.ends", super().ends)

    def committed(self) -> Mapping[int, int]:
        return self._call("stream.committed", super().committed)

    def lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return self._call("stream.lag", super().lag, partitions)

    def begin(self) -> None:
        self._call("stream.begin", super().begin)

    def produce(self, record: ProducerRecord) -> None:
        self._call("stream.produce", super().produce, record)

    def produce_all(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        self._call("stream.produce_all", super().produce_all, partition, records)

    def track(self, record: ProducerRecord) -> None:
        self._call("stream.track", super().track, record)

    def commit(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        return self._call("stream.commit", super().commit, offsets)

    def abort(self) -> None:
        self._call("stream.abort", super().abort)

    def renew(self) -> None:
        self._call("stream.renew", super().renew)


class ScriptedReader(FakeLogReader):
    """Reads the changelog or the definitions."""

    def __init__(self, cluster: FakeCluster, topic: str, script: Script) -> None:
        super().__init__(cluster, topic)
        self._call = script.call

    def identity(self) -> str:
        return self._call("reader.identity", super().identity)

    def start(self, partition: int, position: int) -> None:
        self._call("reader.start", super().start, partition, position)

    def stop(self, partition: int) -> None:
        self._call("reader.stop", super().stop, partition)

    def bounds(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        return self._call("reader.bounds", super().bounds, partitions)

    def read(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return self._call("reader.read", super().read, limit, timeout_seconds)


class ScriptedState(MemoryState):
    """A disk: it outlives the process, and each process puts its own script on it."""

    def __init__(self) -> None:
        super().__init__()
        self.script = Script()
        self.known = FakeMarkerFile()

    def reset(self, partition: int, changelog: str) -> MemoryPartitionStore:
        store = self._stores[partition] = ScriptedStore(changelog, self)
        return store


class ScriptedStore(MemoryPartitionStore):
    """One partition's part of the disk."""

    def __init__(self, changelog: str, state: ScriptedState) -> None:
        super().__init__(changelog)
        self._state = state

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        self._state.script.call("store.write", super().write, entries, position)
