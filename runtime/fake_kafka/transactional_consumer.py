"""The loop's consumer and producer on the in-memory Kafka."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from runtime.fake_kafka.click_offsets import ClickOffsets
from runtime.fake_kafka.cluster import FakeCluster
from runtime.fake_kafka.fetching import Fetched, OffsetOutOfRange, fetch
from runtime.fake_kafka.group_membership import GroupMembership
from runtime.fake_kafka.network import DirectNetwork, Lost, Network
from runtime.fake_kafka.refusal import Misuse, check_limit
from runtime.fake_kafka.transactional_producer import TransactionalProducer
from runtime.ports import AssignmentChange, Committed, ConsumerRecord, ProducerRecord, RetriableError


class FakeTransactionalConsumer:
    """Member of a group and transactional producer. Implements `TransactionalConsumer` like the real one."""

    def __init__(
        self,
        cluster: FakeCluster,
        topic: str,
        *,
        group_id: str,
        transactional_id: str,
        network: Network | None = None,
    ) -> None:
        """Join the group; the first `consume` returns its assignment. Raises Unavailable without the topic."""
        self._cluster = cluster
        self._network = network or DirectNetwork(cluster.lock)
        self._membership = GroupMembership(
            cluster, self._network, topic, group_id=group_id, transactional_id=transactional_id
        )
        self._offsets = ClickOffsets(cluster, self._network, topic, self._membership.group)
        self._producer = TransactionalProducer(cluster, self._network, transactional_id)
        self._fetches = 0
        self._offset_metadata = ""
        self._is_closed = False

    @property
    def member_id(self) -> str:
        """The current member id; `Group.leave` expires its session."""
        return self._membership.member_id

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return available records; if none, those that arrive within the timeout. Raises Misuse if closed."""
        self._require_open()
        check_limit(limit)
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        return self._membership.poll_assignment()

    def refusal(self) -> str | None:
        """Return None: the fake's groups accept every member."""
        return None

    @property
    def is_member(self) -> bool:
        """True if this worker is in the group, as far as it knows."""
        return self._membership.is_member

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset that was reached."""
        return self._membership.eof_offsets.get(partition)

    def pause(self, partitions: Sequence[int]) -> None:
        """Pause."""
        self._require_open()
        self._membership.paused.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Resume."""
        self._require_open()
        self._membership.paused.difference_update(partitions)

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Seek to the committed offset, or to the beginning."""
        self._require_open()
        positions = self._membership.positions
        committed = self._offsets.committed_by(self._offset_metadata, partitions)
        for partition, found in committed.items():
            if partition not in positions:
                raise RetriableError(f"partition {partition} is not assigned")
            positions[partition] = (found.offset if found else 0) or self._membership.first_offset(partition)
            self._membership.eof_offsets.pop(partition, None)
        return committed

    def topic_id(self) -> str:
        """Return the cluster id and the topic id."""
        return self._offsets.topic_id()

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each partition."""
        return self._offsets.watermarks(partitions)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        self._require_open()
        return self._offsets.end_offsets()

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of every partition."""
        self._require_open()
        return self._offsets.committed()

    def lag(self, partition: int, position: int) -> int:
        """Return the lag as of now."""
        self._require_open()
        return self._offsets.lag(partition, position)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return the group's lag."""
        return self._offsets.group_lag(partitions)

    def begin_transaction(self) -> None:
        """Open a transaction."""
        self._producer.begin_transaction()

    def produce(self, record: ProducerRecord) -> None:
        """Produce one record in the open transaction."""
        self._producer.produce([record])

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Produce records of topic, value, key and headers."""
        if records:
            self._producer.produce(
                [ProducerRecord(topic, partition, key, value, h or ()) for topic, value, key, h in records]
            )

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Produce one record; `commit_transaction` returns the offset after it."""
        self._producer.produce_tracked(record)

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit records and offsets; like the library, leave out offsets below 0."""
        self._offsets.require_partitions(offsets)
        offsets = {partition: offset for partition, offset in offsets.items() if offset >= 0}
        self._offset_metadata = member_id = self._membership.member_id
        return self._producer.commit_transaction(self._membership.group(), member_id, offsets)

    def abort_transaction(self) -> None:
        """Abort the open transaction."""
        self._producer.abort_transaction()

    def reinit_producer(self) -> None:
        """Take the next epoch, which ends what is open under the transactional id."""
        self._producer.reinit()

    def close(self) -> None:
        """Leave the group; an open transaction stays open until it times out or is fenced."""
        self._require_open()
        self._is_closed = True
        with suppress(Lost):
            self._membership.leave()

    def _require_open(self) -> None:
        if self._is_closed:
            raise Misuse("the stream is closed")

    def _poll(self, limit: int) -> Sequence[ConsumerRecord]:
        """Follow the group and fetch; like the library, leave a request without an answer to the next call."""
        membership = self._membership
        with suppress(Lost):
            membership.follow()
            try:
                fetched = self._fetch(limit)
            except OffsetOutOfRange as error:
                raise RetriableError(f"a position is out of range: {error}") from error
            membership.positions.update(fetched.positions)
            membership.eof_offsets.update(fetched.eof_offsets)
            return fetched.records
        return []

    def _fetch(self, limit: int) -> Fetched:
        positions, paused = self._membership.positions, self._membership.paused
        ready = [(partition, position) for partition, position in positions.items() if partition not in paused]
        self._fetches += 1
        first = self._fetches % max(len(ready), 1)
        if not ready:
            return Fetched()
        rotated = [*ready[first:], *ready[:first]]
        return self._network.ask("Fetch", lambda: fetch(self._offsets.logs(), rotated, limit))
