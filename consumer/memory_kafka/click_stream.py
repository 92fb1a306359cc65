"""The clicks and the transaction, on the twin."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from consumer.memory_kafka.cluster import MemoryCluster, UnknownTopic
from consumer.memory_kafka.errors import missing
from consumer.memory_kafka.group import Group, OffsetsInDoubt, UnknownMember
from consumer.memory_kafka.partition_log import PartitionLog
from consumer.memory_kafka.record import MemoryRecord
from consumer.memory_kafka.transactional_writer import TransactionalWriter
from consumer.streams import AssignmentChange, Outgoing, Record, Unreachable


class MemoryClickStream:
    """Member of a group and transactional producer. Implements `ClickStream` as the real one behaves."""

    def __init__(self, cluster: MemoryCluster, topic: str, *, group_id: str, transactional_id: str) -> None:
        """Join the group; partitions come with `consume`. Raises Unavailable where the topic is missing."""
        self._cluster = cluster
        self._topic = topic
        self._group_id = group_id
        self._transactional_id = transactional_id
        self._writer = TransactionalWriter(cluster, transactional_id)
        self._tracked: dict[int, int] = {}
        self._positions: dict[int, int | None] = {}
        self._held: set[int] = set()
        self._given: set[int] = set()
        self._taken: set[int] = set()
        self._ends_met: dict[int, int] = {}
        self._first = 0
        with cluster.lock:
            self._member = self._group().join(transactional_id)

    @property
    def member(self) -> str:
        """The id under which the group knows this stream now; its session times out by `Group.leave`."""
        return self._member

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[Record]:
        """Return what is there, or after the time-out what has come meanwhile."""
        records = self._poll(limit)
        if not records and timeout_seconds > 0:
            self._cluster.clock.sleep(timeout_seconds)
            records = self._poll(limit)
        return records

    def take_changes(self) -> AssignmentChange:
        """Return how the assignment changed since the last call."""
        change = AssignmentChange(frozenset(self._taken), frozenset(self._given))
        self._taken, self._given = set(), set()
        return change

    def end_met(self, partition: int) -> int | None:
        """Return the end offset that was met."""
        return self._ends_met.get(partition)

    def hold(self, partitions: Sequence[int]) -> None:
        """Hand out nothing of these partitions for now."""
        self._held.update(partitions)

    def release(self, partitions: Sequence[int]) -> None:
        """Hand out records of these partitions again."""
        self._held.difference_update(partitions)

    def rewind(self, partitions: Sequence[int]) -> Mapping[int, int | None]:
        """Go back to what is committed, or to the beginning."""
        with self._cluster.lock:
            committed = {partition: self._committed(partition) for partition in partitions}
            for partition, offset in committed.items():
                if partition not in self._positions:
                    raise Unreachable(f"partition {partition} is not assigned")
                self._positions[partition] = offset or 0
                self._ends_met.pop(partition, None)
        return committed

    def ends(self) -> Mapping[int, int]:
        """Return the end offset of every partition."""
        with self._cluster.lock:
            return {partition: log.end for partition, log in enumerate(self._logs())}

    def committed(self) -> Mapping[int, int]:
        """Return what the group has committed of every partition."""
        with self._cluster.lock:
            return {partition: self._committed(partition) or 0 for partition, _ in enumerate(self._logs())}

    def behind(self, partition: int, position: int) -> int:
        """Return how many offsets lie beyond this position."""
        with self._cluster.lock:
            return max(self._logs()[partition].end - position, 0)

    def begin(self) -> None:
        """Open a transaction."""
        self._writer.begin()

    def produce(self, record: Outgoing) -> None:
        """Write one record in the open transaction."""
        self._writer.append(record)

    def produce_all(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Write records of topic, value, key and headers, in their order."""
        for topic, value, key, headers in records:
            self._writer.append(Outgoing(topic, partition, key, value, headers or ()))

    def track(self, record: Outgoing) -> None:
        """Write, and let `commit` tell the offset after it."""
        offset = self._writer.append(record)
        if offset is not None:
            self._tracked[record.partition] = offset + 1

    def commit(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit records and offsets at once."""
        with self._cluster.lock:
            self._writer.commit(self._group(), self._member, offsets)
        tracked, self._tracked = self._tracked, {}
        return tracked

    def abort(self) -> None:
        """Abort the open transaction."""
        self._tracked = {}
        self._writer.abort()

    def renew(self) -> None:
        """Take the next epoch, which ends what is open under the id."""
        self._tracked = {}
        self._writer.renew()

    def close(self) -> None:
        """Leave the group; an open transaction stays open until it times out or is fenced."""
        with self._cluster.lock:
            self._group().leave(self._member)

    def _poll(self, limit: int) -> list[Record]:
        with self._cluster.lock:
            self._follow_group()
            self._find_positions()
            ready = [p for p, position in self._positions.items() if position is not None and p not in self._held]
            self._first += 1
            turn = self._first % max(len(ready), 1)
            return self._fetch([*ready[turn:], *ready[:turn]], limit)

    def _fetch(self, partitions: Sequence[int], limit: int) -> list[Record]:
        """Take equal shares of the partitions while there is something to take."""
        records: list[Record] = []
        while partitions and len(records) < limit:
            before = len(records)
            share = max((limit - before) // len(partitions), 1)
            for partition in partitions:
                records += self._fetch_one(partition, min(share, limit - len(records)))
            if len(records) == before:
                break
        return records

    def _fetch_one(self, partition: int, limit: int) -> list[MemoryRecord]:
        log = self._logs()[partition]
        records, position = log.read_committed(self._positions[partition] or 0, limit)
        self._positions[partition] = position
        if position == log.stable_end:
            self._ends_met[partition] = position
        return records

    def _follow_group(self) -> None:
        """Give up and take partitions; one that was put out loses all and joins anew."""
        group = self._group()
        try:
            holding = group.sync(self._member)
        except UnknownMember:
            self._lose(set(self._positions))
            self._member = group.join(self._transactional_id)
            holding = group.sync(self._member)
        self._lose(set(self._positions) - set(holding))
        self._take([partition for partition in holding if partition not in self._positions])

    def _find_positions(self) -> None:
        """Start new partitions where the group is, as soon as no open transaction holds their offsets."""
        for partition, position in self._positions.items():
            if position is None:
                with suppress(OffsetsInDoubt):
                    self._positions[partition] = self._group().committed(partition) or 0

    def _lose(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            del self._positions[partition]
            self._ends_met.pop(partition, None)
        self._given.difference_update(partitions)
        self._taken.update(partitions)

    def _take(self, partitions: Collection[int]) -> None:
        self._positions.update(dict.fromkeys(partitions))
        self._held.update(partitions)
        self._given.update(partitions)

    def _committed(self, partition: int) -> int | None:
        try:
            return self._group().committed(partition)
        except OffsetsInDoubt as error:
            raise Unreachable(str(error)) from error

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
