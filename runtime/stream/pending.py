"""The batch of an open transaction, or of one whose outcome is unknown."""

from collections.abc import Mapping
from typing import Protocol

from runtime.ports import Committed


class PendingBatch(Protocol):
    """A batch of records that one transaction commits."""

    @property
    def offsets(self) -> Mapping[int, int]:
        """The offsets to commit, by partition."""

    @property
    def size(self) -> int:
        """Number of records."""


def was_committed(batch: PendingBatch, committed: Mapping[int, Committed | None]) -> bool:
    """Return whether the batch was committed, judged from the offsets of the partitions still assigned."""
    return any(
        committed.get(partition) == Committed(offset, is_own=True) for partition, offset in batch.offsets.items()
    )
