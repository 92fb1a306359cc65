"""The loop: consume a batch, decide it, produce and commit its output in a transaction, then store its state.

One thread runs it. Each iteration polls a batch, applies the rebalance that may have happened in the poll, continues
the restore of assigned partitions, and processes the batch. A crash at any point leaves the local state up to date with
its changelog or behind it, never ahead of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from consumer.loop.assignment import Assignment
from consumer.loop.backoff import RetryBackoff
from consumer.loop.batch import Batch, PartitionBatch
from consumer.loop.batch_decider import MAX_DEFINITION_WAIT_SECONDS, BatchDecider
from consumer.loop.batching import POLL_TIMEOUT_SECONDS, BatchPoller, BatchSizer, LingerPolicy
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.drain import Drain
from consumer.loop.group_watch import LagWatch, MembershipWatch
from consumer.loop.observer import Observer, StageTimer
from consumer.loop.offsets import CommittedOffsets
from consumer.loop.poison_pills import PartitionRecords, PoisonPillGuard, isolate_refused
from consumer.loop.punctuation import Punctuator
from consumer.loop.transaction_output import TransactionOutput
from consumer.monitoring.metric_catalogue import Stage, TransactionResult
from runtime.clock import Clock
from runtime.definitions.follower import DefinitionFollower
from runtime.errors import Unavailable
from runtime.ports import RetriableError, TransactionAborted, TransactionalConsumer
from runtime.records.bulk import split_by_partition

_LOG = structlog.get_logger(__name__)

MAX_ABORTS = 10
"""Consecutive aborted transactions after which the worker exits, because an operator must look."""


@dataclass(frozen=True, slots=True)
class LoopDependencies:
    """The collaborators of the loop."""

    consumer: TransactionalConsumer
    definitions: DefinitionFollower
    assignment: Assignment
    offsets: CommittedOffsets
    decider: BatchDecider
    output: TransactionOutput
    dead_letter_limit: DeadLetterLimit
    poison_guard: PoisonPillGuard
    observer: Observer
    clock: Clock
    punctuator: Punctuator | None = None


class Loop:
    """The worker's loop."""

    def __init__(self, dependencies: LoopDependencies, linger: LingerPolicy, *, drain: bool = False) -> None:
        self._dependencies = dependencies
        self._consumer, self._observer = dependencies.consumer, dependencies.observer
        self._now = dependencies.clock.monotonic
        self._assignment, self._offsets = dependencies.assignment, dependencies.offsets
        self._sizer = BatchSizer()
        self._poller = BatchPoller(dependencies.consumer, linger, self._sizer, self._now)
        self._backoff = RetryBackoff(dependencies.observer, self._now)
        self._lag_watch = LagWatch(dependencies.consumer, dependencies.observer, self._now)
        self._membership = MembershipWatch(dependencies.consumer, dependencies.observer, self._now, drain=drain)
        self._must_drain = drain
        self._drain: Drain | None = None
        self._batch_seconds = 0.0
        self._pending: Batch | None = None
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

    def _retry_aborted(self, iteration: Callable[[], bool]) -> bool:
        try:
            return iteration()
        except TransactionAborted as error:
            self._abort_and_retry(error)
            return False

    def _start(self, is_stopping: Callable[[], bool]) -> bool:
        """Read the definitions to their end before the first click is decided."""

        def should_stop() -> bool:
            self._observer.beat()
            return is_stopping()

        self._dependencies.definitions.catch_up(should_stop)
        self._observer.definitions_read(self._dependencies.definitions.take_read())
        self._drain = Drain(self._consumer) if self._must_drain else None
        self._observer.running()
        return False

    def _run_once(self) -> bool:
        """Poll a batch and process it, in one transaction or more; return whether the drain is done."""
        self._observer.beat()
        started = self._now()
        records = self._poller.poll_now() if self._assignment.restoring else self._poller.poll(self._batch_seconds)
        self._follow_assignment()
        self._membership.check()
        # Before the restore: records of a partition that was revoked and assigned again are read again.
        batches = {p: mine for p, mine in split_by_partition(records).items() if p in self._assignment.live}
        self._offsets.check_no_regression({p: mine[0].offset() or 0 for p, mine in batches.items()})
        self._lag_watch.poll(self._assignment.live, self._assignment.restoring)
        self._assignment.restore(POLL_TIMEOUT_SECONDS)
        self._dependencies.definitions.follow()
        self._observer.definitions_read(self._dependencies.definitions.take_read())
        if batches:
            self._observer.stages({Stage.GATHER: self._now() - started})
            for piece in self._dependencies.poison_guard.pieces(batches):
                self._process_batch(piece)
        else:
            self._report_lag(self._offsets.commit_trailing(self._assignment.live))
        if self._dependencies.punctuator is not None:
            live, now_ms = self._assignment.live, self._dependencies.clock.now_ms()
            self._offsets.commit_punctuation(live, self._dependencies.punctuator, now_ms)
        return self._drain is not None and self._is_drained(self._drain)

    def _follow_assignment(self) -> None:
        if self._assignment.follow():
            self._lag_watch.ask_soon()

    def _process_batch(self, records: PartitionRecords) -> None:
        """Decide, produce, commit, and only then store."""
        timer = StageTimer(self._now)
        batch = self._decide(records, timer.started + MAX_DEFINITION_WAIT_SECONDS)
        timer.end(Stage.DECIDE)
        self._pending = batch
        self._consumer.begin_transaction()
        for each in batch.partitions:
            self._dependencies.output.write(each)
        timer.end(Stage.PRODUCE)
        first = self._offsets.produce_first_checkpoints(self._assignment.live, batch.offsets)
        positions = self._consumer.commit_transaction({**first, **batch.offsets})
        timer.end(Stage.COMMIT)
        self._record_committed(batch)
        self._offsets.store_checkpoints(self._assignment.live, first, positions)
        for each in batch.partitions:
            self._assignment.live[each.partition].write(each.entries, positions[each.partition])
        timer.end(Stage.STORE)
        self._batch_seconds = timer.seconds
        self._observer.stages(timer.stages)
        self._report_lag(batch.offsets)

    def _decide(self, records: PartitionRecords, wait_until: float) -> Batch:
        """Decide each partition, waiting for link definitions no longer than `wait_until`."""
        decide, live = self._dependencies.decider.decide, self._assignment.live
        with self._dependencies.poison_guard.deciding(records):
            decisions = {p: decide(p, mine, live[p], wait_until=wait_until) for p, mine in records.items()}
        batch = Batch([PartitionBatch(p, mine, decisions[p]) for p, mine in records.items()])
        for each in batch.partitions:
            self._dependencies.dead_letter_limit.check(each)
            self._dependencies.decider.add_expired(each, live[each.partition])
        self._offsets.attach_checkpoints(batch)
        self._sizer.record_output(batch)
        return batch

    def _record_committed(self, batch: Batch) -> None:
        """Record a batch that is certainly committed, once."""
        self._pending = None
        self._observer.committed(batch)
        self._offsets.record(batch.offsets)
        if self._drain is not None:
            self._drain.record_committed(batch)
        self._dependencies.decider.forget_before(batch.offsets)
        self._sizer.grow()
        self._aborts = 0

    def _report_lag(self, offsets: Mapping[int, int]) -> None:
        self._observer.lag({p: self._consumer.lag(p, offset) for p, offset in offsets.items()})

    def _is_drained(self, drain: Drain) -> bool:
        return not self._assignment.restoring and drain.is_done(self._offsets.of(self._assignment.live))

    def _abort_and_retry(self, error: TransactionAborted) -> None:
        """Abort and read the same records again, fewer at a time if the broker refused one of them."""
        batch, self._pending = self._pending, None
        # Refusals do not count: halving ends at one record, and the library also fails the transaction after each.
        self._aborts = 0 if error.poison else self._aborts + (not error.rebalance)
        self._observer.transaction(TransactionResult.ABORTED)
        _LOG.warning("transaction.aborted", detail=str(error), aborts=self._aborts)
        self._consumer.abort_transaction()
        if error.poison and batch is not None:
            isolate_refused(batch, error, self._sizer, self._dependencies.decider.force_dead_letter)
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
            self._assignment.pause()
            self._consumer.consume(1, POLL_TIMEOUT_SECONDS)
            self._follow_assignment()

    def _reread_from_committed(self) -> None:
        """Read every live partition again from its committed offset, after its state is restored."""
        committed = self._assignment.seek_to_committed()
        batch, self._pending = self._pending, None
        if batch is not None and batch.was_committed(committed):
            self._record_committed(batch)
        self._assignment.restore_all()
