"""Collecting the clicks of one batch."""

from collections.abc import Callable, Sequence

from consumer.loop.batching import BatchSizer
from consumer.loop.pace import LingerPolicy
from consumer.ports import ConsumerRecord, TransactionalConsumer
from consumer.records.bulk import joined

POLL_TIMEOUT_SECONDS = 0.1
"""Longest wait in one call of the library, during which no signal is heard."""


class BatchPoller:
    """Gathers from `stream` what makes up a batch; `now` is a monotonic clock, in seconds."""

    def __init__(
        self, stream: TransactionalConsumer, pace: LingerPolicy, limit: BatchSizer, now: Callable[[], float]
    ) -> None:
        self._stream = stream
        self._pace = pace
        self._limit = limit
        self._now = now

    def poll(self, batch_seconds: float) -> Sequence[ConsumerRecord]:
        """Wait for a click, then collect for a while or until the batch is full; the last one took `batch_seconds`.

        The library waits until it has as many as it was asked for, so it is asked for one first.
        """
        self._limit.begin()
        pieces = [self._consume(1, POLL_TIMEOUT_SECONDS)]
        until = self._now() + self._pace.gathering_seconds(batch_seconds)
        is_over = not pieces[0]
        while not is_over and self._limit.remaining > 0:
            left = until - self._now()
            pieces.append(self._consume(self._limit.remaining, min(max(left, 0.0), POLL_TIMEOUT_SECONDS)))
            is_over = left <= 0
        return joined(pieces)

    def poll_now(self) -> Sequence[ConsumerRecord]:
        """Take what is there."""
        self._limit.begin()
        return self._consume(self._limit.remaining, 0.0)

    def _consume(self, limit: int, seconds: float) -> Sequence[ConsumerRecord]:
        records = self._stream.consume(limit, seconds)
        self._limit.add(records)
        return records
