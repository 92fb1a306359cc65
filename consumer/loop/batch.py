"""A batch on its way through one transaction: the records of each partition, and what was decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consumer.decision.decision import Decision
from consumer.decision.outcome import BatchCounts
from consumer.ports import Committed, ConsumerRecord


@dataclass(frozen=True, slots=True)
class PartitionBatch:
    """Records of one partition, in their order, at least one."""

    partition: int
    records: Sequence[ConsumerRecord]
    decision: Decision

    @property
    def next_offset(self) -> int:
        """The offset to commit: that of the record to read next."""
        return (self.records[-1].offset() or 0) + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction does."""

    partitions: Sequence[PartitionBatch]

    @property
    def offsets(self) -> Mapping[int, int]:
        """The offsets to commit, by partition."""
        return {each.partition: each.next_offset for each in self.partitions}

    @property
    def size(self) -> int:
        """How many records there are."""
        return sum(len(each.records) for each in self.partitions)

    def is_among(self, committed: Mapping[int, Committed | None]) -> bool:
        """Tell by what is committed of the partitions that are still ours whether this batch is: all of it, or none."""
        return any(
            committed.get(partition) == Committed(offset, is_own=True) for partition, offset in self.offsets.items()
        )

    def counts(self) -> BatchCounts:
        """What became of the records."""
        return sum((each.decision.counts() for each in self.partitions), BatchCounts())
