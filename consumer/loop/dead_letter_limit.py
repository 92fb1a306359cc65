"""Stops the worker if too many records are bad, instead of turning a whole topic into dead letters."""

from collections import deque

from consumer.loop.batch import PartitionBatch
from runtime.errors import TooManyBadRecords

WINDOW_RECORDS = 1_000
MIN_BAD_RECORDS = 100


class DeadLetterLimit:
    """Share of bad records among the latest ones of each partition."""

    def __init__(self, limit: float) -> None:
        """`limit` is the largest share allowed, from 0 to 1; 1 never stops."""
        self._limit = limit
        self._windows: dict[int, deque[tuple[int, int]]] = {}

    def check(self, batch: PartitionBatch) -> None:
        """Count a batch. Raises TooManyBadRecords, before anything of it is written, if it exceeds the limit."""
        window = self._windows.setdefault(batch.partition, deque())
        window.append((len(batch.records), len(batch.decision.dead_letters)))
        while sum(records for records, _ in window) - window[0][0] >= WINDOW_RECORDS:
            window.popleft()
        records, bad = (sum(column) for column in zip(*window, strict=True))
        if bad >= MIN_BAD_RECORDS and bad > self._limit * records:
            reasons = {str(each.reason) for each in batch.decision.dead_letters.values()}
            raise TooManyBadRecords(
                f"{bad} of the latest {records} records of partition {batch.partition} are bad"
                f" ({', '.join(sorted(reasons))}); fix what publishes them, or raise LINK_ACTIONS_DEAD_LETTER_LIMIT"
            )

    def forget(self, partition: int) -> None:
        """Restart the count, because the partition was revoked or is read again."""
        self._windows.pop(partition, None)
