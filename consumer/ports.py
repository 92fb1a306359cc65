"""The ports of the loop: what it asks of Kafka. `consumer.kafka` has the real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Headers = Sequence[tuple[str, bytes | None]]


class TransactionAborted(Exception):
    """The open transaction cannot be committed and nothing of it will be seen; the same records may be tried again.

    `poison` tells that the broker refused what was produced, not the moment: the same batch will fail again.
    `rebalance` tells that the group moved on meanwhile, which is nobody's fault and passes.
    """

    def __init__(self, message: str, *, poison: bool = False, rebalance: bool = False) -> None:
        super().__init__(message)
        self.poison = poison
        self.rebalance = rebalance


class RetriableError(Exception):
    """The broker, or the disk of the state, is not to be had now; a later try may succeed."""


class StateRefused(RetriableError):
    """The disk of the state, or the system, does not let the worker write or read its state now."""


class OutcomeUnknown(RetriableError):
    """Whether the transaction was committed, only the broker knows; the producer must not be used again."""


class ConsumerRecord(Protocol):
    """A record as the client library gives it."""

    def __len__(self) -> int:
        """Return how many bytes the value has."""

    def partition(self) -> int | None:
        """Return the partition."""

    def offset(self) -> int | None:
        """Return the offset."""

    def key(self) -> Any:
        """Return the key's bytes or None."""

    def value(self) -> Any:
        """Return the value's bytes or None."""

    def headers(self) -> Any:
        """Return the headers, a list of pairs, or None."""

    def timestamp(self) -> tuple[int, int]:
        """Return kind and milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class ProducerRecord:
    """A record to be written; `timestamp` in milliseconds since 1970 UTC, 0 for the time of writing."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """An offset that is committed, and whether the last commit of this very stream did it.

    Another member that handles the same records commits the same offset, so the offset alone tells nothing.
    """

    offset: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class AssignmentChange:
    """Partitions that were given or taken away since the last look, in that order: taken first, then given."""

    revoked: frozenset[int] = frozenset()
    assigned: frozenset[int] = frozenset()


class TransactionalConsumer(Protocol):
    """The clicks, and the transaction in which everything that they bring about is written.

    One thread owns it. Rebalances happen inside `consume` only, so never while a transaction is open.
    """

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records of the partitions that are not held, after at most the time-out.

        Raises RetriableError where a partition has no record at its position, which retention or a person deleted, and
        Unavailable or FatalKafkaError for what a person must fix.
        """

    def poll_assignment(self) -> AssignmentChange:
        """Return how the assignment changed since the last call.

        Given partitions are held until `release`, and begin at their first record unless they are rewound before.
        """

    def refusal(self) -> str | None:
        """Return why the group does not take this worker at the moment, and what to do; None where it does."""

    @property
    def is_member(self) -> bool:
        """Whether the group has told this worker its partitions, none maybe, and its session is not over since."""

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset that was met after everything before it was handed out; None before that."""

    def pause(self, partitions: Sequence[int]) -> None:
        """Hand out nothing of these partitions for now."""

    def resume(self, partitions: Sequence[int]) -> None:
        """Hand out records of these partitions again."""

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Go to what the group has committed, as the broker tells, and return it; None where nothing is.

        These partitions must be held and stay so. One without an offset, or with 0, goes to its first record. Raises
        RetriableError when the broker does not answer.
        """

    def topic_id(self) -> str:
        """Identify the topic of the clicks beyond its name: cluster and topic id."""

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each of these partitions of the clicks."""

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition of the clicks."""

    def committed(self) -> Mapping[int, int]:
        """Return what the group has committed of every partition, 0 where nothing is."""

    def lag(self, partition: int, position: int) -> int:
        """Return how many records are known to lie beyond this position, without asking the broker."""

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Ask the broker how many records of each partition the group has not committed, control records included.

        Of a partition that is held, those behind an open transaction may be left out. It answers soon or not at all: an
        open transaction that holds the group's offsets is no answer. Raises RetriableError.
        """

    def begin_transaction(self) -> None:
        """Open a transaction."""

    def produce(self, record: ProducerRecord) -> None:
        """Write one record in the open transaction. Raises TransactionAborted where it is refused at once."""

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Write records of topic, value, key and headers, in order. Raises TransactionAborted if one is refused."""

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Write as `produce`, and let `commit` tell the offset that follows the record."""

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit the transaction together with these offsets of the clicks, the next to read of each partition.

        Returns the offset after the tracked record, per partition. Raises TransactionAborted, OutcomeUnknown or
        FatalKafkaError.
        """

    def abort_transaction(self) -> None:
        """Abort the open transaction. Raises OutcomeUnknown or FatalKafkaError."""

    def reinit_producer(self) -> None:
        """Make a new producer under the same transactional id, which ends what the old one left open.

        Raises OutcomeUnknown when the broker does not answer in time, FatalKafkaError when another instance took over.
        """

    def close(self) -> None:
        """Leave the group."""


class LogReader(Protocol):
    """Reads partitions of one topic from given positions on, committed records only."""

    @property
    def positions(self) -> Mapping[int, int]:
        """Offset to read next, per partition that is being read; control records are stepped over."""

    def topic_id(self) -> str:
        """Identify the topic beyond its name: cluster and topic id."""

    def assign(self, partition: int, position: int) -> None:
        """Read this partition too, from the position on. One that is being read must be stopped first."""

    def unassign(self, partition: int) -> None:
        """Read this partition no longer."""

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each partition, open transactions included."""

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records after at most the time-out."""

    def close(self) -> None:
        """Let go of connections."""
