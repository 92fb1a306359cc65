"""The loop: consume a batch, decide it, produce and commit its output in a transaction, then store its state.

One thread runs it. Each iteration polls a batch, applies the rebalance that may have happened in the poll, continues
the restore of assigned partitions, and processes the batch. A crash at any point leaves the local state up to date with
its changelog or behind it, never ahead of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from consumer.loop.assignment import Assignment
from consumer.loop.batch import Batch, PartitionBatch
from consumer.loop.batch_decider import MAX_DEFINITION_WAIT_SECONDS, BatchDecider
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.drain import Drain
from consumer.loop.observer import Observer, StageTimer
from consumer.loop.offsets import CommittedOffsets
from consumer.loop.punctuation import Punctuator
from consumer.loop.transaction_output import TransactionOutput
from consumer.monitoring.metric_catalogue import Stage
from runtime.clock import Clock
from runtime.definitions.follower import DefinitionFollower
from runtime.ports import Committed, TransactionalConsumer
from runtime.records.bulk import split_by_partition
from runtime.stream.batching import POLL_TIMEOUT_SECONDS, BatchPoller, LingerPolicy
from runtime.stream.group_watch import LagWatch, MembershipWatch
from runtime.stream.poison_pills import PartitionRecords, PoisonPillGuard
from runtime.stream.transaction_loop import TransactionLoop
from schemas.bad_record import BadRecord

_LOG = structlog.get_logger(__name__)


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


class Loop(TransactionLoop[Batch]):
    """The loop of a worker that decides clicks."""

    _observer: Observer

    def __init__(self, dependencies: LoopDependencies, linger: LingerPolicy, *, drain: bool = False) -> None:
        super().__init__(dependencies.consumer, dependencies.observer, dependencies.clock.monotonic)
        self._dependencies = dependencies
        self._assignment, self._offsets = dependencies.assignment, dependencies.offsets
        self._poller = BatchPoller(dependencies.consumer, linger, self._sizer, self._now)
        self._lag_watch = LagWatch(dependencies.consumer, dependencies.observer, self._now)
        self._membership = MembershipWatch(dependencies.consumer, dependencies.observer, self._now, drain=drain)
        self._must_drain = drain
        self._drain: Drain | None = None
        self._batch_seconds = 0.0

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
        self._sizer.record_output((each.updates for each in batch.partitions), batch.size)
        return batch

    def _record_committed(self, batch: Batch) -> None:
        super()._record_committed(batch)
        self._observer.committed(batch)
        self._offsets.record(batch.offsets)
        if self._drain is not None:
            self._drain.record_committed(batch)
        self._dependencies.decider.forget_before(batch.offsets)

    def _report_lag(self, offsets: Mapping[int, int]) -> None:
        self._observer.lag({p: self._consumer.lag(p, offset) for p, offset in offsets.items()})

    def _is_drained(self, drain: Drain) -> bool:
        return not self._assignment.restoring and drain.is_done(self._offsets.of(self._assignment.live))

    def _pause(self) -> None:
        self._assignment.pause()

    def _seek_to_committed(self) -> Mapping[int, Committed | None]:
        return self._assignment.seek_to_committed()

    def _force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        return self._dependencies.decider.force_dead_letter(partition, offset, bad)

    def _reread_from_committed(self) -> None:
        """Read every live partition again from its committed offset, after its state is restored."""
        super()._reread_from_committed()
        self._assignment.restore_all()
