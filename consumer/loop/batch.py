"""A batch: the records of one transaction, and the decision about those of each partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumer.decision.decision import Decision
from consumer.decision.outcome import BatchCounts
from runtime.ports import ConsumerRecord
from runtime.records.bulk import Update


@dataclass(slots=True)
class PartitionBatch:
    """Records of one partition, in order, at least one, and the decision about them.

    `entries` go to the changelog and, once committed, to the store: the decision's dedupe entries, then deletions and
    the checkpoint. `updates` are the decision's, which keeps none itself: they take most of a batch's memory.
    """

    partition: int
    records: Sequence[ConsumerRecord]
    decision: Decision
    entries: dict[bytes, bytes | None] = field(init=False)
    updates: Sequence[Update] = field(init=False)

    def __post_init__(self) -> None:
        self.entries, self.updates = self.decision.entries, self.decision.updates
        self.decision = replace(self.decision, updates=[])

    def pop_updates(self) -> Sequence[Update]:
        """Return the updates and keep no reference to them."""
        updates, self.updates = self.updates, ()
        return updates

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

    def counts(self) -> BatchCounts:
        """Counts of the records by outcome."""
        return sum((each.decision.counts() for each in self.partitions), BatchCounts())
