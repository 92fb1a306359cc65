"""Who may write under which transactional id, and what is written in the transactions that are open."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from consumer.fake_kafka.group import Group
from consumer.fake_kafka.partition_log import PartitionLog
from consumer.fake_kafka.record import FakeRecord
from consumer.fake_kafka.refusal import Refusal

Act = Callable[[], None]


class Fenced(Refusal):
    """A later producer with the same transactional id took over."""


class NoTransaction(Refusal):
    """There is no open transaction to end, or none that this partition or group is part of."""


@dataclass(frozen=True, slots=True)
class Producer:
    """What a producer was given when it said its transactional id; the epoch tells it from those before and after."""

    transactional_id: str
    producer_id: int
    epoch: int


@dataclass(slots=True)
class _Transaction:
    """What one transaction has touched so far, in the order of touching."""

    began_at: float
    logs: list[PartitionLog] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


class TransactionCoordinator:
    """Gives out epochs and ends transactions.

    Once it is decided that a transaction ends, and how, a marker goes to each partition and group that is part of it.
    `send_marker` has one arrive, sooner or later, each in its own time; the next request of the same id awaits them.
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
        """The transactional ids that have a transaction open, or markers of it on their way."""
        return [*self._open, *(name for name, markers in self._markers.items() if markers and name not in self._open)]

    def open_producer(self, transactional_id: str) -> Producer:
        """Return a producer whose epoch fences all before it; what those left open is aborted."""
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
        """Abort what is open and fence its producer, as the broker does after `transaction.timeout.ms`."""
        self.open_producer(transactional_id)

    def expire_older_than(self, seconds: float) -> Sequence[str]:
        """Do so with what has been open for so long; return their ids."""
        due = [name for name, each in self._open.items() if self._now() - each.began_at > seconds]
        for name in due:
            self.expire(name)
        return due

    def touch(self, producer: Producer, log: PartitionLog) -> None:
        """Make the partition part of the transaction, opening it at need. Raises Fenced.

        It gets a marker, even if no record arrives.
        """
        transaction = self._transaction(producer)
        if not any(each is log for each in transaction.logs):
            transaction.logs.append(log)

    def append(self, producer: Producer, log: PartitionLog, make: Callable[[int], FakeRecord]) -> int:
        """Write a record into the producer's transaction; return the offset. Raises Fenced."""
        self.touch(producer, log)
        return log.append(make, producer.producer_id)

    def check_part(self, producer: Producer, log: PartitionLog) -> None:
        """Raise Fenced, or NoTransaction unless the partition is part of the open transaction, as leaders ask."""
        self._check(producer)
        transaction = self._open.get(producer.transactional_id)
        if transaction is None or not any(each is log for each in transaction.logs):
            raise NoTransaction(f"the partition is no part of a transaction of {producer.transactional_id}")

    def add_offsets(self, producer: Producer, group: Group, offsets: Mapping[int, int], signature: str = "") -> None:
        """Make the group's offsets part of the transaction; until it ends they are in doubt. Raises Fenced."""
        transaction = self._transaction(producer)
        if not any(each is group for each in transaction.groups):
            transaction.groups.append(group)
        group.stage(producer.producer_id, offsets, signature)

    def commit(self, producer: Producer) -> None:
        """Have records and offsets of the transaction become visible. Raises Fenced, NoTransaction.

        Asked again before anything else, it says yes again.
        """
        self._end_of(producer, committed=True)

    def abort(self, producer: Producer) -> None:
        """Drop the transaction's records and offsets. Raises Fenced, NoTransaction."""
        self._end_of(producer, committed=False)

    def _transaction(self, producer: Producer) -> _Transaction:
        self._check(producer)
        self._await_markers(producer.transactional_id)
        return self._open.setdefault(producer.transactional_id, _Transaction(self._now()))

    def _check(self, producer: Producer) -> None:
        if self._current.get(producer.transactional_id) != producer:
            raise Fenced(f"epoch {producer.epoch} of {producer.transactional_id} is over")

    def _end_of(self, producer: Producer, *, committed: bool) -> None:
        self._check(producer)
        name = producer.transactional_id
        if not self._end(name, committed=committed) and self._was_committed.get(name) is not committed:
            raise NoTransaction(f"{name} has written nothing yet")

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
