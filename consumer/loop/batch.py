"""A batch: the records of one transaction, and the decision about those of each partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumer.decision.decision import Decision
from consumer.decision.outcome import BatchCounts
from consumer.ports import Committed, ConsumerRecord


@dataclass(frozen=True, slots=True)
class PartitionBatch:
    """Records of one partition, in order, at least one."""

    partition: int
    records: Sequence[ConsumerRecord]
    decision: Decision

    @property
    def next_offset(self) -> int:
        """The offset to commit, which is the next one to read."""
        return (self.records[-1].offset() or 0) + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one transaction commits."""

    partitions: Sequence[PartitionBatch]

    @property
    def offsets(self) -> Mapping[int, int]:
        """The offsets to commit, by partition."""
        return {each.partition: each.next_offset for each in self.partitions}

    @property
    def size(self) -> int:
        """Number of records."""
        return sum(len(each.records) for each in self.partitions)

    def is_among(self, committed: Mapping[int, Committed | None]) -> bool:
        """Return whether this batch was committed, judged from the offsets of the partitions still assigned."""
        return any(
            committed.get(partition) == Committed(offset, is_own=True) for partition, offset in self.offsets.items()
        )

    def counts(self) -> BatchCounts:
        """Counts of the records by outcome."""
        return sum((each.decision.counts() for each in self.partitions), BatchCounts())
