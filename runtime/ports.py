"""Ports to Kafka: consumer and producer of the worker, and the log reader of worker and edge.

`runtime.kafka` implements them, and `runtime.fake_kafka` does in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Headers = Sequence[tuple[str, bytes | None]]


class TransactionAborted(Exception):
    """The open transaction cannot be committed and must be aborted; the batch may then be retried.

    `poison`: the broker rejected a record, so the same batch will fail again. `rebalance`: the group rebalanced in the
    meantime, so a retry is enough.
    """

    def __init__(self, message: str, *, poison: bool = False, rebalance: bool = False) -> None:
        super().__init__(message)
        self.poison = poison
        self.rebalance = rebalance


class RetriableError(Exception):
    """The broker does not answer, or the disk refuses the state; the caller retries."""


class StateRefused(RetriableError):
    """The disk or the operating system refuses to read or write the state now."""


class OutcomeUnknown(RetriableError):
    """The transaction may or may not be committed: only the broker knows. The producer must not be used again."""


class ConsumerRecord(Protocol):
    """A record as the client library returns it."""

    def __len__(self) -> int:
        """Return the size of the value in bytes."""

    def partition(self) -> int | None:
        """Return the partition."""

    def offset(self) -> int | None:
        """Return the offset."""

    def key(self) -> Any:
        """Return the key: bytes or None."""

    def value(self) -> Any:
        """Return the value: bytes or None."""

    def headers(self) -> Any:
        """Return the headers: a list of pairs, or None."""

    def timestamp(self) -> tuple[int, int]:
        """Return the timestamp type, and milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class ProducerRecord:
    """A record to produce; `timestamp` in milliseconds since 1970 UTC, 0 for the time of the call."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed offset, and whether this consumer's last commit wrote it.

    Another member that processes the same records commits the same offset, so equal offsets do not prove it.
    """

    offset: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class AssignmentChange:
    """Partitions revoked and assigned since the last `poll_assignment`; apply the revoked ones first."""

    revoked: frozenset[int] = frozenset()
    assigned: frozenset[int] = frozenset()


class TransactionalConsumer(Protocol):
    """Consumer of the clicks and transactional producer in one, owned by one thread.

    Rebalance callbacks run inside `consume` only, so never between `begin_transaction` and `commit_transaction`.
    """

    def consume(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records of the partitions that are not paused, after at most the time-out.

        Raises RetriableError if a position is out of range because its records were deleted, and Unavailable or
        FatalKafkaError if a person must fix something.
        """

    def poll_assignment(self) -> AssignmentChange:
        """Return the changes of the assignment since the last call.

        Assigned partitions are paused until `resume`, and begin at their first record unless `seek_to_committed` is
        called before.
        """

    def refusal(self) -> str | None:
        """Return why the group coordinator rejects this worker, and the remedy; None if it does not reject it."""

    @property
    def is_member(self) -> bool:
        """True if this worker has an assignment, maybe an empty one, and its session has not expired since."""

    def eof_offset(self, partition: int) -> int | None:
        """Return the end offset of the partition once everything before it was consumed; None until then."""

    def pause(self, partitions: Sequence[int]) -> None:
        """Stop fetching these partitions."""

    def resume(self, partitions: Sequence[int]) -> None:
        """Fetch these partitions again."""

    def seek_to_committed(self, partitions: Sequence[int]) -> Mapping[int, Committed | None]:
        """Seek to the group's committed offsets and return them; None for a partition that has none.

        These partitions must be paused and remain so. Without a committed offset, or with 0, reading starts at the
        log start offset. Raises RetriableError if the broker does not answer.
        """

    def topic_id(self) -> str:
        """Return cluster id and topic id of the clicks; a recreated topic has another one.

        Raises as `watermarks` does.
        """

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the end offset of each of these partitions of the clicks.

        Raises RetriableError if the broker does not answer, and Unavailable if a person must fix something.
        """

    def end_offsets(self) -> Mapping[int, int]:
        """Return the end offset of every partition of the clicks. Raises as `watermarks` does."""

    def committed(self) -> Mapping[int, int]:
        """Return the group's committed offset of every partition, 0 if it has none. Raises as `watermarks` does."""

    def lag(self, partition: int, position: int) -> int:
        """Return the last known number of records beyond this position, without asking the broker."""

    def group_lag(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Ask the broker for the lag of each partition, control records included.

        For a paused partition, the end may be the last stable offset. Raises RetriableError if the broker does not
        answer soon or an open transaction holds pending offset commits of the group.
        """

    def begin_transaction(self) -> None:
        """Open a transaction."""

    def produce(self, record: ProducerRecord) -> None:
        """Produce one record in the open transaction. Raises TransactionAborted if it is refused, or OutcomeUnknown."""

    def produce_batch(self, partition: int, records: Sequence[tuple[str, bytes | None, bytes, Any]]) -> None:
        """Produce records of topic, value, key and headers, in order. Raises as `produce` does."""

    def produce_tracked(self, record: ProducerRecord) -> None:
        """Produce as `produce` does; `commit_transaction` returns the offset after the record."""

    def commit_transaction(self, offsets: Mapping[int, int]) -> Mapping[int, int]:
        """Commit the transaction with these offsets of the clicks, the next to read in each partition.

        Returns the offset after the tracked record, by partition. Raises TransactionAborted, OutcomeUnknown or
        FatalKafkaError.
        """

    def abort_transaction(self) -> None:
        """Abort the open transaction. Raises OutcomeUnknown or FatalKafkaError."""

    def reinit_producer(self) -> None:
        """Initialize a new producer with the same transactional id, which aborts the old one's open transaction.

        Raises OutcomeUnknown if the broker does not answer in time, FatalKafkaError if another instance fenced it.
        """

    def close(self) -> None:
        """Leave the group."""


class LogReader(Protocol):
    """Reads partitions of one topic from given positions, committed records only."""

    @property
    def positions(self) -> Mapping[int, int]:
        """Offset to read next, by assigned partition; control records are skipped."""

    def topic_id(self) -> str:
        """Return cluster id and topic id; a recreated topic has another one. Raises as `watermarks` does."""

    def assign(self, partition: int, position: int) -> None:
        """Read this partition too, from the position. It must not be assigned already."""

    def unassign(self, partition: int) -> None:
        """Stop reading this partition."""

    def watermarks(self, partitions: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Return the first offset and the high watermark of each partition, not the last stable offset.

        Raises RetriableError if the broker does not answer, and Unavailable if a person must fix something.
        """

    def poll(self, limit: int, timeout_seconds: float) -> Sequence[ConsumerRecord]:
        """Return up to `limit` records after at most the time-out. Raises as `watermarks` does."""

    def close(self) -> None:
        """Close the connections."""
