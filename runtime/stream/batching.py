"""Batching: how long to linger for clicks, how many to ask for, and the polling itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runtime.ports import ConsumerRecord, TransactionalConsumer
from runtime.records.bulk import Update, joined, size_of

POLL_TIMEOUT_SECONDS = 0.1
"""Longest wait in one call of the library, which no signal interrupts."""
MIN_LINGER_SECONDS = 0.005
"""Time the broker needs to finish a transaction; a new one started sooner gets CONCURRENT_TRANSACTIONS and backs off
20 ms."""
LINGER_SHARE = 0.5
"""Share of the previous batch's duration: a lagging worker has larger batches and so lingers longer."""

MAX_RECORDS = 64_000
"""Most records of one transaction. Large batches pay off if most clicks are duplicates: the hits of each link are
written once per batch."""
MAX_BYTES = 24 * 1024 * 1024
"""Most bytes of one batch, updates included: 12,000 clicks if most of them have one. Twice as many of these would save
hardly any time and take 18 MiB more."""
FIRST_RECORDS = 1_000
"""Most records of the first batch, before the size of their updates is known."""
UPDATE_BYTES = 2_000
"""Memory of an update beside its value: headers and objects, its dedupe entry and changelog record, here and in the
library's queue."""
_SAMPLE = 16
"""Every 16th update is measured: measuring all of them would take 1 % of a batch's time."""


@dataclass(frozen=True, slots=True)
class LingerPolicy:
    """Chooses how long to wait for more clicks after the first one, at most `commit_interval_seconds`."""

    commit_interval_seconds: float

    def linger_seconds(self, last_batch_seconds: float) -> float:
        """Return how long to linger if the last batch took `last_batch_seconds` from decision to store."""
        return min(max(LINGER_SHARE * last_batch_seconds, MIN_LINGER_SECONDS), self.commit_interval_seconds)


class BatchSizer:
    """Limits the size of a batch so that its memory stays bounded, regardless of the clicks.

    The library limits a poll by number only, so the number to ask for follows the size of the latest records and of the
    last batch's updates. If sizes suddenly grow, a batch can pass the limit by what the library had queued and by what
    one call returned.
    """

    def __init__(self, max_records: int = MAX_RECORDS) -> None:
        self._most = max_records
        self._max_records = min(FIRST_RECORDS, max_records)
        self._records = self._bytes = 0
        self._value_bytes = 0.0
        self._update_bytes = 0.0

    def start_batch(self) -> None:
        """Start with an empty batch."""
        self._records = self._bytes = 0

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Count records into the batch."""
        self._records += len(records)
        size = size_of(records)
        self._bytes += size
        # Averaged with one record of the size known before, so that a single small record does not hide large ones.
        self._value_bytes = (self._value_bytes + size) / (1 + len(records))

    @property
    def remaining(self) -> int:
        """Number of records that still fit."""
        left = MAX_BYTES - self._bytes - self._records * self._update_bytes
        fitting = int(left / max(self._value_bytes + self._update_bytes, 1.0))
        return min(self._max_records - self._records, max(fitting, 0 if self._records else 1))

    def record_output(self, updates: Iterable[Sequence[Update]], records: int) -> None:
        """Learn the size of the updates per record; `updates` are those of each partition."""
        self._update_bytes = sum(map(_estimated_bytes, updates)) / records

    def grow(self) -> None:
        """Double the limit, up to the most that was allowed."""
        self._max_records = min(self._max_records * 2, self._most)

    def shrink(self, records: int) -> None:
        """Limit batches to half of `records`, at least one."""
        self._max_records = max(records // 2, 1)


def _estimated_bytes(updates: Sequence[Update]) -> float:
    sample = updates[::_SAMPLE]
    values = sum(len(value) for _, value, _, _ in sample)
    return len(updates) * (UPDATE_BYTES + values / max(len(sample), 1))


class BatchPoller:
    """Polls the consumer for one batch; `now` is a monotonic clock, in seconds."""

    def __init__(
        self, consumer: TransactionalConsumer, linger: LingerPolicy, sizer: BatchSizer, now: Callable[[], float]
    ) -> None:
        self._consumer = consumer
        self._linger = linger
        self._sizer = sizer
        self._now = now

    def poll(self, last_batch_seconds: float) -> Sequence[ConsumerRecord]:
        """Wait for a first click, then collect until the linger time is over or the batch is full.

        The library waits until it has as many records as it was asked for, so the first call asks for one.
        """
        self._sizer.start_batch()
        pieces = [self._consume(1, POLL_TIMEOUT_SECONDS)]
        until = self._now() + self._linger.linger_seconds(last_batch_seconds)
        is_over = not pieces[0]
        while not is_over and self._sizer.remaining > 0:
            left = until - self._now()
            pieces.append(self._consume(self._sizer.remaining, min(max(left, 0.0), POLL_TIMEOUT_SECONDS)))
            is_over = left <= 0
        return joined(pieces)

    def poll_now(self) -> Sequence[ConsumerRecord]:
        """Return what is there without waiting."""
        self._sizer.start_batch()
        return self._consume(self._sizer.remaining, 0.0)

    def _consume(self, limit: int, seconds: float) -> Sequence[ConsumerRecord]:
        records = self._consumer.consume(limit, seconds)
        self._sizer.add(records)
        return records
