"""How many records a batch may have: what keeps its memory bounded, whatever the clicks are and bring about."""

from collections.abc import Sequence

from consumer.loop.batch import Batch
from consumer.ports import ConsumerRecord
from consumer.records.bulk import Update, size_of

MAX_RECORDS = 64_000
"""Most records of one transaction. Many help where most are duplicates: a batch writes the hits of each link once."""
MAX_BYTES = 24 * 1024 * 1024
"""Most bytes of the values of one batch and of what they bring about: 12,000 clicks with an update for most of them.
Twice as many of these cost hardly less, and 18 MiB more."""
FIRST_RECORDS = 1_000
"""Most records of the first batch, while nobody knows yet what they bring about."""
UPDATE_BYTES = 2_000
"""What an update takes beside its value: headers and objects, its memory and the changelog's record of it, here and in
the library's queue."""
_SAMPLE = 16
"""Every such update is weighed: all of them would cost 1 % of the time of a batch."""


class BatchSizer:
    """Watches one batch while it is gathered; what the one before it brought about tells how heavy clicks are now.

    The library hands out as many records as are asked for and told nothing of their size, so the number to ask for
    follows the size of those that came last. Where they suddenly grow, a batch can pass the limit by what the
    library had queued and by what came within one call.
    """

    def __init__(self) -> None:
        self._most = FIRST_RECORDS
        self._records = self._bytes = 0
        self._value_bytes = 0.0
        self._update_bytes = 0.0

    def begin(self) -> None:
        """Start with an empty batch."""
        self._records = self._bytes = 0

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Take in what came."""
        self._records += len(records)
        size = size_of(records)
        self._bytes += size
        # As if one more record of the size known before had come, so that a single small one does not hide large ones.
        self._value_bytes = (self._value_bytes + size) / (1 + len(records))

    @property
    def remaining(self) -> int:
        """How many more records there is room for."""
        left = MAX_BYTES - self._bytes - self._records * self._update_bytes
        fitting = int(left / max(self._value_bytes + self._update_bytes, 1.0))
        return min(self._most - self._records, max(fitting, 0 if self._records else 1))

    def record_output(self, batch: Batch) -> None:
        """Note what the records of a batch brought about."""
        size = sum(map(_weight, (each.decision.updates for each in batch.partitions)))
        self._update_bytes = size / batch.size

    def grow(self) -> None:
        """Allow twice as many from now on, up to the most there may ever be."""
        self._most = min(self._most * 2, MAX_RECORDS)

    def shrink(self, records: int) -> None:
        """Allow half of so many from now on, at least one."""
        self._most = max(records // 2, 1)


def _weight(updates: Sequence[Update]) -> float:
    sample = updates[::_SAMPLE]
    values = sum(len(value) for _, value, _, _ in sample)
    return len(updates) * (UPDATE_BYTES + values / max(len(sample), 1))
