"""The clicks and the transaction, on the twin."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from consumer.fake_kafka.cluster import FakeCluster, UnknownTopic
from consumer.fake_kafka.errors import missing
from consumer.fake_kafka.fetching import Fetched, OffsetOutOfRange, fetch
from consumer.fake_kafka.group import Group, OffsetsInDoubt, UnknownMember
from consumer.fake_kafka.network import DirectNetwork, Lost, Network
from consumer.fake_kafka.partition_log import PartitionLog
from consumer.fake_kafka.refusal import Misuse, check_limit
from consumer.fake_kafka.transactional_writer import TransactionalWriter
from consumer.ports import AssignmentChange, Committed, ConsumerRecord, OutcomeUnknown, ProducerRecord, RetriableError

Answer = TypeVar("Answer")


class FakeTransactionalConsumer:
    """Member of a group and transactional producer. Implements `TransactionalConsumer` as the real one behaves."""

    def __init__(
        self,
        cluster: FakeCluster,
        topic: str,
        *,
        group_id: str,
        transactional_id: str,
        network: Network | None = None,
    ) -> None:
        """Join the group with the first `consume`, which brings partitions. Raises Unavailable without the topic."""
        self._cluster = cluster
        self._topic = topic
        self._group_id = group_id
        self._transactional_id = transactional_id
        self._network = network or DirectNetwork(cluster.lock)
        self._writer = TransactionalWriter(cluster, self._network, transactional_id)
        self._tracked: dict[int, int | None] = {}
        self._positions: dict[int, int] = {}
        self._held: set[int] = set()
        self._given: set[int] = set()
        self._taken: set[int] = set()
        self._ends_met: dict[int, int] = {}
        self._first = 0
        self._signature = ""
        self._is_closed = self._is_member = False
        with cluster.lock:
            self._member = self._join()

    @property
    def member(self) -> str:
        """The id under which the group knows this stream now; its session times out by `Group.leave`."""
        return self._member

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return what is there, or after the time-out what has come meanwhile. Raises Misuse once it is closed."""
        self._need_open()
        check_limit(limit)
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        change = AssignmentChange(frozenset(self._taken), frozenset(self._given))
        self._taken, self._given = set(), set()
        return change

    def refusal(self) -> str | None:
        """Return None: the twin's groups take everyone."""
        return None

    @property
    def is_member(self) -> bool:
        """Whether the last thing heard of the group was an assignment."""
        return self._is_member

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset that was met."""
        return self._ends_met.get(partition)

    def pause(self, partitions: Sequence[int]) -> None:
        """Hand out nothing of these partitions for now."""
        self._need_open()
        self._held.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """Hand out records of these partitions again."""
        self._need_open()
        self._held.difference_update(partitions)

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Go to what is committed, or to the beginning."""
        self._need_open()
        committed = self._ask("OffsetFetch", lambda: {p: self._committed_at(p) for p in partitions})
        for partition, found in committed.items():
            if partition not in self._positions:
                raise RetriableError(f"partition {partition} is not assigned")
            self._positions[partition] = (found.offset if found else 0) or self._first_offset(partition)
            self._ends_met.pop(partition, None)
        return committed

    def topic_id(self) -> str:
        """Return cluster and topic id."""
        return self._ask("Metadata", lambda: f"{self._cluster.cluster_id}/{self._cluster.topic(self._topic).topic_id}")

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return first and end offset."""

        def list_offsets() -> Mapping[int, tuple[int, int]]:
            logs = self._logs()
            return {partition: (logs[partition].start, logs[partition].end) for partition in partitions}

        return self._ask("ListOffsets", list_offsets)

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        self._need_open()
        return self._ask("ListOffsets", lambda: {partition: log.end for partition, log in enumerate(self._logs())})

    def committed(self) -> Mapping[int, int]:
        """Return what the group has committed of every partition."""
        self._need_open()
        found = self._ask("OffsetFetch", lambda: self._committed(range(len(self._logs()))))
        return {partition: offset or 0 for partition, offset in found.items()}

    def lag(self, partition: int, position: int) -> int:
        """Return how many offsets lie beyond this position."""
        self._need_open()
        with self._cluster.lock:
            return max(self._logs()[partition].end - position, 0)

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Tell how many offsets lie beyond what is committed."""
        return self._ask("ListOffsets", lambda: {partition: self._lag(partition) for partition in partitions})

    def begin_transaction(self) -> None:
        """Open a transaction."""
        self._writer.begin()

    def produce(self, record: ProducerRecord) -> None:
        """Write one record in the open transaction."""
        self._writer.append([record])

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Write records of topic, value, key and headers, in their order."""
        if records:
            self._writer.append(
                [ProducerRecord(topic, partition, key, value, h or ()) for topic, value, key, h in records]
            )

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Write, and let `commit` tell the offset after it."""
        offset = self._writer.append([record])
        self._tracked[record.partition] = None if offset is None else offset + 1

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit records and offsets at once; offsets below 0 are none, as for the library."""
        self._check_partitions(offsets)
        offsets = {partition: offset for partition, offset in offsets.items() if offset >= 0}
        self._signature = self._member
        self._writer.commit(self._group(), self._member, offsets)
        tracked, self._tracked = self._tracked, {}
        known = {partition: offset for partition, offset in tracked.items() if offset is not None}
        if len(known) < len(tracked):
            raise OutcomeUnknown("the broker does not tell where the records are")
        return known

    def abort_transaction(self) -> None:
        """Abort the open transaction."""
        self._tracked = {}
        self._writer.abort()

    def reinit_producer(self) -> None:
        """Take the next epoch, which ends what is open under the id."""
        self._tracked = {}
        self._writer.renew()

    def close(self) -> None:
        """Leave the group; an open transaction stays open until it times out or is fenced."""
        self._need_open()
        self._is_closed = True
        with suppress(Lost):
            self._network.ask("LeaveGroup", lambda: self._group().leave(self._member))

    def _check_partitions(self, partitions: Collection[int]) -> None:
        count = len(self._logs())
        for partition in partitions:
            if not 0 <= partition < count:
                raise missing(UnknownTopic(f"{self._topic} has no partition {partition}"))

    def _need_open(self) -> None:
        if self._is_closed:
            raise Misuse("the stream is closed")

    def _poll(self, limit: int) -> Sequence[ConsumerRecord]:
        """Do as the library does: what is not answered is asked again by the next call."""
        with suppress(Lost):
            self._follow_group()
            try:
                fetched = self._fetch(limit)
            except OffsetOutOfRange as error:
                raise RetriableError(f"a position is out of range: {error}") from error
            self._positions.update(fetched.positions)
            self._ends_met.update(fetched.ends_met)
            return fetched.records
        return []

    def _fetch(self, limit: int) -> Fetched:
        ready = [
            (partition, position) for partition, position in self._positions.items() if partition not in self._held
        ]
        self._first += 1
        turn = self._first % max(len(ready), 1)
        if not ready:
            return Fetched()
        return self._network.ask("Fetch", lambda: fetch(self._logs(), [*ready[turn:], *ready[:turn]], limit))

    def _follow_group(self) -> None:
        """Give up and take partitions; one that was put out loses all and joins anew."""
        while (holding := self._sync()) is None:
            self._is_member = False
            self._lose(set(self._positions))
            self._member = self._network.ask("JoinGroup", self._join)
        self._lose(set(self._positions) - set(holding))
        self._take([partition for partition in holding if partition not in self._positions])
        self._is_member = True

    def _sync(self) -> Collection[int] | None:
        """Return what the member shall hold; None where the group knows it no more."""
        held = tuple(self._positions)
        try:
            return self._network.ask("SyncGroup", lambda: self._group().sync(self._member, held)).partitions
        except UnknownMember:
            return None

    def _join(self) -> str:
        return self._group().join(self._transactional_id)

    def _lose(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            del self._positions[partition]
            self._held.discard(partition)
            self._ends_met.pop(partition, None)
        self._given.difference_update(partitions)
        self._taken.update(partitions)

    def _take(self, partitions: Collection[int]) -> None:
        self._positions.update({partition: self._first_offset(partition) for partition in partitions})
        self._held.update(partitions)
        self._given.update(partitions)

    def _first_offset(self, partition: int) -> int:
        with self._cluster.lock:
            return self._logs()[partition].start

    def _lag(self, partition: int) -> int:
        log = self._logs()[partition]
        return max(log.end - max(self._group().committed(partition) or 0, log.start), 0)

    def _committed_at(self, partition: int) -> Committed | None:
        group = self._group()
        offset = group.committed(partition)
        is_own = bool(self._signature) and group.signature(partition) == self._signature
        return None if offset is None else Committed(offset, is_own)

    def _committed(self, partitions: Collection[int]) -> Mapping[int, int | None]:
        return {partition: self._group().committed(partition) for partition in partitions}

    def _ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        try:
            return self._network.ask(name, request)
        except Lost as error:
            raise RetriableError(f"{name} was not answered in time") from error
        except OffsetsInDoubt as error:
            raise RetriableError(str(error)) from error

    def _group(self) -> Group:
        try:
            return self._cluster.group(self._group_id, self._topic)
        except UnknownTopic as error:
            raise missing(error) from error

    def _logs(self) -> list[PartitionLog]:
        try:
            return self._cluster.topic(self._topic).logs
        except UnknownTopic as error:
            raise missing(error) from error
