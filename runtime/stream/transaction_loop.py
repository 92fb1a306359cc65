"""The frame of a worker's loop: runs turns, retries what was aborted, and asks the broker after an unclear answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeVar

import structlog

from runtime.errors import Unavailable
from runtime.ports import Committed, RetriableError, TransactionAborted, TransactionalConsumer
from runtime.stream.backoff import RetryBackoff
from runtime.stream.batching import MAX_RECORDS, POLL_TIMEOUT_SECONDS, BatchSizer
from runtime.stream.observer import StreamObserver, TransactionResult
from runtime.stream.pending import PendingBatch, was_committed
from runtime.stream.poison_pills import isolate_refused
from schemas.bad_record import BadRecord

_LOG = structlog.get_logger(__name__)

MAX_ABORTS = 10
"""Consecutive aborted transactions after which the worker exits, because an operator must look."""

BatchT = TypeVar("BatchT", bound=PendingBatch)


class TransactionLoop(ABC, Generic[BatchT]):
    """Runs turns on one thread. `now` is a monotonic clock, in seconds.

    A subclass sets `_pending` before it begins a batch's transaction, and calls `_record_committed` after its commit.
    """

    def __init__(
        self,
        consumer: TransactionalConsumer,
        observer: StreamObserver,
        now: Callable[[], float],
        *,
        max_records: int = MAX_RECORDS,
    ) -> None:
        self._consumer = consumer
        self._observer = observer
        self._now = now
        self._sizer = BatchSizer(max_records)
        self._backoff = RetryBackoff(observer.interrupted, now)
        self._pending: BatchT | None = None
        """The batch of the open transaction, or of one whose outcome is unknown."""
        self._aborts = 0

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Run until told to stop or, draining, until everything is done.

        Raises a LinkActionsError if a person must fix something; nothing of an open transaction is committed then.
        """
        self._reset_producer(is_stopping)
        iteration: Callable[[], bool] = partial(self._start, is_stopping)
        is_done = False
        while not is_done and not is_stopping():
            try:
                is_done = self._retry_aborted(iteration)
                iteration = self._run_once
                self._observer.iterated()
            except RetriableError as error:
                self._wait(self._backoff.wait_seconds(error), is_stopping)
                self._reset_producer(is_stopping)

    @abstractmethod
    def _start(self, is_stopping: Callable[[], bool]) -> bool:
        """Do what comes before the first batch; return False."""

    @abstractmethod
    def _run_once(self) -> bool:
        """Poll a batch and process it; return whether the drain is done."""

    @abstractmethod
    def _follow_assignment(self) -> None:
        """Apply the rebalance that may have happened in the last `consume`."""

    @abstractmethod
    def _pause(self) -> None:
        """Pause every assigned partition."""

    @abstractmethod
    def _seek_to_committed(self) -> Mapping[int, Committed | None]:
        """Seek every live partition to its committed offset, and return these."""

    @abstractmethod
    def _force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        """Dead-letter this record regardless of its content; return False if asked before."""

    def _record_committed(self, batch: BatchT) -> None:  # noqa: ARG002 - subclasses look at it
        """Record a batch that is certainly committed, once."""
        self._pending = None
        self._sizer.grow()
        self._aborts = 0

    def _retry_aborted(self, iteration: Callable[[], bool]) -> bool:
        try:
            return iteration()
        except TransactionAborted as error:
            self._abort_and_retry(error)
            return False

    def _abort_and_retry(self, error: TransactionAborted) -> None:
        """Abort and read the same records again, fewer at a time if the broker refused one of them."""
        batch, self._pending = self._pending, None
        # Refusals do not count: halving ends at one record, and the library also fails the transaction after each.
        self._aborts = 0 if error.poison else self._aborts + (not error.rebalance)
        self._observer.transaction(TransactionResult.ABORTED)
        _LOG.warning("transaction.aborted", detail=str(error), aborts=self._aborts)
        self._consumer.abort_transaction()
        if error.poison and batch is not None:
            isolate_refused(batch, error, self._sizer, self._force_dead_letter)
        elif self._aborts >= MAX_ABORTS:
            raise Unavailable(f"{self._aborts} transactions in a row were aborted: {error}; run link-actions doctor")
        self._reread_from_committed()

    def _reset_producer(self, is_stopping: Callable[[], bool]) -> None:
        """Replace the producer and continue from the committed offsets, however long the broker takes to answer.

        A stopping worker with a batch of unknown outcome still tries once: the new producer aborts the old transaction,
        whose pending offsets would otherwise block the next owner until the transaction times out.
        """
        must_try = self._pending is not None
        if self._pending is not None:
            self._observer.transaction(TransactionResult.UNKNOWN)
            # A batch too large to commit within the time-out would fail forever; retry with half its size.
            self._sizer.shrink(self._pending.size)
        while must_try or not is_stopping():
            must_try = False
            self._observer.beat()
            try:
                self._consumer.reinit_producer()
                self._reread_from_committed()
            except RetriableError as error:
                self._backoff.log_unreachable(error)
                self._wait(POLL_TIMEOUT_SECONDS, is_stopping)
            else:
                return

    def _wait(self, seconds: float, is_stopping: Callable[[], bool]) -> None:
        """Keep polling while waiting, to stay in the group; all partitions are paused, so no records are returned."""
        until = self._now() + seconds
        while self._now() < until and not is_stopping():
            self._observer.beat()
            self._pause()
            self._consumer.consume(1, POLL_TIMEOUT_SECONDS)
            self._follow_assignment()

    def _reread_from_committed(self) -> None:
        """Read every live partition again from its committed offset, which also tells an unknown outcome."""
        committed = self._seek_to_committed()
        batch, self._pending = self._pending, None
        if batch is not None and was_committed(batch, committed):
            self._record_committed(batch)
