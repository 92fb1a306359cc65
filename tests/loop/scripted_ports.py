"""In-memory ports whose calls fail as a script says."""

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.log_reader import FakeLogReader
from runtime.fake_kafka.transactional_consumer import FakeTransactionalConsumer
from runtime.ports import AssignmentChange, Committed, ConsumerRecord, ProducerRecord
from runtime.state.in_memory import MemoryPartitionStore, MemoryState
from runtime.stream.marker_file import FakeMarkerFile
from tests.loop.script import Script


class ScriptedStream(FakeTransactionalConsumer):
    """Hands out at most `max_poll_records` records at once, so that a short topic makes many batches."""

    def __init__(
        self,
        cluster: FakeCluster,
        topic: str,
        *,
        group_id: str,
        transactional_id: str,
        script: Script,
        max_poll_records: int,
    ) -> None:
        super().__init__(cluster, topic, group_id=group_id, transactional_id=transactional_id)
        self._call = script.call
        self._max_poll_records = max_poll_records

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return self._call("consumer.consume", super().consume, min(limit, self._max_poll_records), timeout_seconds)

    def poll_assignment(self) -> AssignmentChange:
        return self._call("consumer.poll_assignment", super().poll_assignment)

    def pause(self, partitions: Sequence[int]) -> None:
        self._call("consumer.pause", super().pause, partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        self._call("consumer.resume", super().resume, partitions)

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        return self._call("consumer.seek_to_committed", super().seek_to_committed, partitions)

    def topic_id(self) -> str:
        return self._call("consumer.topic_id", super().topic_id)

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        return self._call("consumer.watermarks", super().watermarks, partitions)

    def end_offsets(self) -> Mapping[int, int]:
        return self._call("consumer.end_offsets", super().end_offsets)

    def committed(self) -> Mapping[int, int]:
        return self._call("consumer.committed", super().committed)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        return self._call("consumer.group_lag", super().group_lag, partitions)

    def begin_transaction(self) -> None:
        self._call("consumer.begin_transaction", super().begin_transaction)

    def produce(self, record: ProducerRecord) -> None:
        self._call("consumer.produce", super().produce, record)

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        self._call("consumer.produce_batch", super().produce_batch, partition, records)

    def produce_tracked(self, record: ProducerRecord) -> None:
        self._call("consumer.produce_tracked", super().produce_tracked, record)

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        return self._call("consumer.commit_transaction", super().commit_transaction, offsets)

    def abort_transaction(self) -> None:
        self._call("consumer.abort_transaction", super().abort_transaction)

    def reinit_producer(self) -> None:
        self._call("consumer.reinit_producer", super().reinit_producer)


class ScriptedReader(FakeLogReader):
    """Reads the changelog or the definitions."""

    def __init__(self, cluster: FakeCluster, topic: str, script: Script) -> None:
        super().__init__(cluster, topic)
        self._call = script.call

    def topic_id(self) -> str:
        return self._call("reader.topic_id", super().topic_id)

    def assign(self, partition: int, position: int) -> None:
        self._call("reader.assign", super().assign, partition, position)

    def unassign(self, partition: int) -> None:
        self._call("reader.unassign", super().unassign, partition)

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        return self._call("reader.watermarks", super().watermarks, partitions)

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        return self._call("reader.poll", super().poll, limit, timeout_seconds)


class ScriptedState(MemoryState):
    """A disk that survives the process; each process sets its own script."""

    def __init__(self) -> None:
        super().__init__()
        self.script = Script()
        self.known = FakeMarkerFile()

    def reset(self, partition: int, changelog: str) -> MemoryPartitionStore:
        store = self._stores[partition] = ScriptedStore(changelog, self)
        return store


class ScriptedStore(MemoryPartitionStore):
    """The store of one partition."""

    def __init__(self, changelog: str, state: ScriptedState) -> None:
        super().__init__(changelog)
        self._state = state

    def write(self, entries: Mapping[bytes, bytes | None], position: int) -> None:
        self._state.script.call("store.write", super().write, entries, position)
