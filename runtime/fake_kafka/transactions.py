"""The transaction coordinator of the in-memory Kafka: producer epochs and open transactions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from runtime.fake_kafka.group import Group
from runtime.fake_kafka.partition_log import PartitionLog
from runtime.fake_kafka.record import FakeRecord
from runtime.fake_kafka.refusal import Refusal

Act = Callable[[], None]


class Fenced(Refusal):
    """A later producer has taken over the transactional id."""


class NoTransaction(Refusal):
    """The producer has no open transaction, or none with this partition."""


@dataclass(frozen=True, slots=True)
class Producer:
    """A producer's identity from `InitProducerId`; its epoch is unique within the transactional id."""

    transactional_id: str
    producer_id: int
    epoch: int


@dataclass(slots=True)
class _Transaction:
    """The partitions and groups in one transaction, in the order in which they were added."""

    began_at: float
    logs: list[PartitionLog] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


class TransactionCoordinator:
    """Assigns epochs and ends transactions.

    When a transaction ends, each of its partitions and groups gets a marker. `send_marker` delivers one, at once or
    later; the next request of the same transactional id waits for all of them.
    """

    def __init__(
        self, now: Callable[[], float] = lambda: 0.0, send_marker: Callable[[Act], None] = lambda arrive: arrive()
    ) -> None:
        self._now = now
        self._send_marker = send_marker
        self._current: dict[str, Producer] = {}
        self._open: dict[str, _Transaction] = {}
        self._was_committed: dict[str, bool] = {}
        self._markers: dict[str, list[Act]] = {}

    @property
    def open_transactions(self) -> list[str]:
        """The transactional ids with an open transaction, or with undelivered markers."""
        return [*self._open, *(name for name, markers in self._markers.items() if markers and name not in self._open)]

    def open_producer(self, transactional_id: str) -> Producer:
        """Return a producer whose epoch fences all earlier ones; abort their open transaction."""
        before = self._current.get(transactional_id)
        if before is None:
            producer = Producer(transactional_id, len(self._current), 0)
        else:
            producer = Producer(transactional_id, before.producer_id, before.epoch + 1)
        self._await_markers(transactional_id)
        self._end(transactional_id, committed=False)
        self._await_markers(transactional_id)
        self._was_committed.pop(transactional_id, None)
        self._current[transactional_id] = producer
        return producer

    def expire(self, transactional_id: str) -> None:
        """Abort an open transaction and fence its producer, as the broker does after `transaction.timeout.ms`."""
        self.open_producer(transactional_id)

    def expire_older_than(self, seconds: float) -> Sequence[str]:
        """Expire the transactions that have been open for longer; return their transactional ids."""
        due = [name for name, each in self._open.items() if self._now() - each.began_at > seconds]
        for name in due:
            self.expire(name)
        return due

    def touch(self, producer: Producer, log: PartitionLog) -> None:
        """Add a partition to the transaction, which is opened if necessary. Raises Fenced.

        The partition gets a marker even if no record arrives.
        """
        transaction = self._transaction(producer)
        if not any(each is log for each in transaction.logs):
            transaction.logs.append(log)

    def append(self, producer: Producer, log: PartitionLog, make: Callable[[int], FakeRecord]) -> int:
        """Append a record in the producer's transaction and return its offset. Raises Fenced."""
        self.touch(producer, log)
        return log.append(make, producer.producer_id)

    def check_part(self, producer: Producer, log: PartitionLog) -> None:
        """Raise Fenced, or NoTransaction if the partition is not in the open transaction, as a leader verifies."""
        self._check(producer)
        transaction = self._open.get(producer.transactional_id)
        if transaction is None or not any(each is log for each in transaction.logs):
            raise NoTransaction(f"the partition is not in a transaction of {producer.transactional_id}")

    def add_offsets(self, producer: Producer, group: Group, offsets: Mapping[int, int], metadata: str = "") -> None:
        """Add the group's offsets to the transaction. Raises Fenced."""
        transaction = self._transaction(producer)
        if not any(each is group for each in transaction.groups):
            transaction.groups.append(group)
        group.stage(producer.producer_id, offsets, metadata)

    def commit(self, producer: Producer) -> None:
        """Commit the records and offsets of the transaction. Raises Fenced or NoTransaction.

        A repeated request succeeds again.
        """
        self._end_of(producer, committed=True)

    def abort(self, producer: Producer) -> None:
        """Abort the transaction, with its records and offsets. Raises Fenced or NoTransaction."""
        self._end_of(producer, committed=False)

    def _transaction(self, producer: Producer) -> _Transaction:
        self._check(producer)
        self._await_markers(producer.transactional_id)
        return self._open.setdefault(producer.transactional_id, _Transaction(self._now()))

    def _check(self, producer: Producer) -> None:
        if self._current.get(producer.transactional_id) != producer:
            raise Fenced(f"epoch {producer.epoch} of {producer.transactional_id} is fenced")

    def _end_of(self, producer: Producer, *, committed: bool) -> None:
        self._check(producer)
        name = producer.transactional_id
        if not self._end(name, committed=committed) and self._was_committed.get(name) is not committed:
            raise NoTransaction(f"{name} has no transaction")

    def _end(self, transactional_id: str, *, committed: bool) -> bool:
        transaction = self._open.pop(transactional_id, None)
        if transaction is None:
            return False
        self._was_committed[transactional_id] = committed
        writer = self._current[transactional_id].producer_id
        for log in transaction.logs:
            self._mark(transactional_id, partial(log.mark, writer, committed=committed))
        for group in transaction.groups:
            self._mark(transactional_id, partial(group.apply if committed else group.drop, writer))
        return True

    def _mark(self, transactional_id: str, write: Act) -> None:
        markers = self._markers.setdefault(transactional_id, [])
        markers.append(write)

        def arrive() -> None:
            if write in markers:
                markers.remove(write)
                write()

        self._send_marker(arrive)

    def _await_markers(self, transactional_id: str) -> None:
        markers = self._markers.get(transactional_id, [])
        while markers:
            markers.pop(0)()
