"""Who may write under which transactional id, and what is written in the transactions that are open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consumer.memory_kafka.group import Group
from consumer.memory_kafka.partition_log import PartitionLog
from consumer.memory_kafka.record import MemoryRecord


class Fenced(Exception):
    """A later producer with the same transactional id took over."""


class NoTransaction(Exception):
    """There is no open transaction to end."""


@dataclass(frozen=True, slots=True)
class Producer:
    """What a producer was given when it said its transactional id; the epoch tells it from those before and after."""

    transactional_id: str
    producer_id: int
    epoch: int


@dataclass(slots=True)
class _Transaction:
    """What one transaction has touched so far, in the order of touching."""

    logs: list[PartitionLog] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


class TransactionCoordinator:
    """Gives out epochs and ends transactions. Everything takes effect at once: there is no state in between."""

    def __init__(self) -> None:
        self._current: dict[str, Producer] = {}
        self._open: dict[str, _Transaction] = {}

    @property
    def open_transactions(self) -> list[str]:
        """The transactional ids that have a transaction open."""
        return [*self._open]

    def open_producer(self, transactional_id: str) -> Producer:
        """Return a producer whose epoch fences all before it; what those left open is aborted."""
        before = self._current.get(transactional_id)
        if before is None:
            producer = Producer(transactional_id, len(self._current), 0)
        else:
            producer = Producer(transactional_id, before.producer_id, before.epoch + 1)
        self._end(transactional_id, PartitionLog.mark_aborted, Group.drop)
        self._current[transactional_id] = producer
        return producer

    def expire(self, transactional_id: str) -> None:
        """Abort what is open and fence its producer, as the broker does after `transaction.timeout.ms`."""
        self.open_producer(transactional_id)

    def append(self, producer: Producer, log: PartitionLog, make: Callable[[int], MemoryRecord]) -> int:
        """Write a record into the producer's transaction, opening it at need; return the offset. Raises Fenced."""
        self.touch(producer, log)
        return log.append(make, producer.producer_id)

    def touch(self, producer: Producer, log: PartitionLog) -> None:
        """Make the partition part of the transaction: it gets a marker, even if no record arrives. Raises Fenced."""
        transaction = self._transaction(producer)
        if not any(each is log for each in transaction.logs):
            transaction.logs.append(log)

    def add_offsets(self, producer: Producer, group: Group, offsets: Mapping[int, int]) -> None:
        """Make the group's offsets part of the transaction; until it ends they are in doubt. Raises Fenced."""
        transaction = self._transaction(producer)
        if not any(each is group for each in transaction.groups):
            transaction.groups.append(group)
        group.stage(producer.producer_id, offsets)

    def commit(self, producer: Producer) -> None:
        """Make records and offsets of the transaction visible together. Raises Fenced, NoTransaction."""
        self._check(producer)
        self._end_of(producer, PartitionLog.mark_committed, Group.apply)

    def abort(self, producer: Producer) -> None:
        """Drop the transaction's records and offsets. Raises Fenced, NoTransaction."""
        self._check(producer)
        self._end_of(producer, PartitionLog.mark_aborted, Group.drop)

    def _transaction(self, producer: Producer) -> _Transaction:
        self._check(producer)
        return self._open.setdefault(producer.transactional_id, _Transaction())

    def _check(self, producer: Producer) -> None:
        if self._current.get(producer.transactional_id) != producer:
            raise Fenced(f"epoch {producer.epoch} of {producer.transactional_id} is over")

    def _end_of(
        self,
        producer: Producer,
        mark: Callable[[PartitionLog, int], None],
        settle: Callable[[Group, int], None],
    ) -> None:
        if not self._end(producer.transactional_id, mark, settle):
            raise NoTransaction(f"{producer.transactional_id} has written nothing yet")

    def _end(
        self, transactional_id: str, mark: Callable[[PartitionLog, int], None], settle: Callable[[Group, int], None]
    ) -> bool:
        transaction = self._open.pop(transactional_id, None)
        if transaction is None:
            return False
        producer_id = self._current[transactional_id].producer_id
        for log in transaction.logs:
            mark(log, producer_id)
        for group in transaction.groups:
            settle(group, producer_id)
        return True
