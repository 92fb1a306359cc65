"""The loop: records in, decisions carried out in one transaction, state after it. One thread, one visible order.

Each turn gathers records, lets the rebalance that may have happened meanwhile take effect, and handles what is left
of them: decide, write, commit, keep. A crash at any point leaves the local state behind the broker, never ahead.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from consumer.changelog.checkpoint import CHECKPOINT_KEY
from consumer.clock import Clock
from consumer.decision.decision import Decision
from consumer.definitions.follower import DefinitionFollower
from consumer.errors import Unavailable
from consumer.loop.admission import Admission
from consumer.loop.backoff import Setbacks
from consumer.loop.batch import Batch, PartitionBatch
from consumer.loop.batch_decider import MAX_DEFINITION_WAIT_SECONDS, BatchDecider
from consumer.loop.batching import BatchSizer
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.crash_guard import PoisonPillGuard
from consumer.loop.dead_letter_limit import DeadLetterLimit
from consumer.loop.drain import Drain
from consumer.loop.gathering import POLL_TIMEOUT_SECONDS, BatchPoller
from consumer.loop.group_watch import LagWatch
from consumer.loop.history_check import HistoryCheck
from consumer.loop.observer import Observer
from consumer.loop.offsets import TrailingMarkers
from consumer.loop.pace import LingerPolicy
from consumer.loop.progress import RegressionCheck
from consumer.loop.transaction_output import TransactionOutput
from consumer.monitoring.metric_catalogue import Stage, TransactionResult
from consumer.ports import ConsumerRecord, ProducerRecord, RetriableError, TransactionAborted, TransactionalConsumer
from consumer.records.bulk import split_by_partition
from consumer.state.store import PartitionStore
from consumer.terminal.text import counted
from schemas.bad_record import BadRecord, Reason

_LOG = structlog.get_logger(__name__)

MAX_ABORTS = 10
"""TransactionAborted transactions in a row after which a person must look."""


@dataclass(frozen=True, slots=True)
class LoopDependencies:
    """What the loop works with."""

    stream: TransactionalConsumer
    definitions: DefinitionFollower
    restorer: ChangelogRestorer
    history: HistoryCheck
    decider: BatchDecider
    writer: TransactionOutput
    bad_share: DeadLetterLimit
    caution: PoisonPillGuard
    observer: Observer
    clock: Clock


class Loop:
    """The worker's loop over `partitions`, the number that the clicks have."""

    def __init__(self, parts: LoopDependencies, pace: LingerPolicy, *, partitions: int) -> None:
        self._parts = parts
        self._stream, self._restorer, self._observer = parts.stream, parts.restorer, parts.observer
        self._must_drain = pace.drain
        self._partitions = partitions
        self._live: dict[int, PartitionStore] = {}
        self._limit = BatchSizer()
        self._gathering = BatchPoller(parts.stream, pace, self._limit, parts.clock.monotonic)
        self._batch_seconds = 0.0
        self._aborts = 0
        self._pending: Batch | None = None
        self._history = parts.history
        self._tail = TrailingMarkers(parts.stream, parts.history, parts.writer.names.changelog)
        self._setbacks = Setbacks(parts.observer, parts.clock.monotonic)
        self._lag_watch = LagWatch(parts.stream, parts.observer, parts.clock.monotonic)
        self._progress = RegressionCheck()
        self._drain: Drain | None = None
        self._admission = Admission(parts.stream, parts.observer, parts.clock.monotonic, must_end=pace.drain)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Turn until told to stop or, draining, until all is done.

        Raises a LinkActionsError for what a person must mend; nothing of an open transaction is committed then.
        """
        self._reset_producer(is_stopping)
        done = started = False
        while not done and not is_stopping():
            try:
                done = (
                    self._retry_aborted(self._run_once)
                    if started
                    else self._retry_aborted(lambda: self._start(is_stopping))
                )
                started = True
                self._observer.turned()
            except RetriableError as error:
                self._wait(self._setbacks.meet(error), is_stopping)
                self._reset_producer(is_stopping)

    def _retry_aborted(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except TransactionAborted as error:
            self._abort_and_retry(error)
            return False

    def _start(self, is_stopping: Callable[[], bool]) -> bool:
        """Read the definitions to their end, before the first click is decided."""

        def is_enough() -> bool:
            self._observer.beat()
            return is_stopping()

        self._parts.definitions.catch_up(is_enough)
        self._observer.definitions_read(self._parts.definitions.take_read())
        self._drain = Drain(self._stream) if self._must_drain else None
        self._observer.running()
        return False

    def _run_once(self) -> bool:
        """Do one batch; tell whether all is done."""
        self._observer.beat()
        started = self._now()
        records = self._gather()
        self._follow_assignment()
        self._admission.check()
        # Not after the restoring: what was gathered of a partition that went and came back meanwhile comes again.
        batches = {p: mine for p, mine in split_by_partition(records).items() if p in self._live}
        self._progress.check({p: mine[0].offset() or 0 for p, mine in batches.items()})
        self._lag_watch.turn(self._live, self._restorer.restoring)
        self._restore()
        self._parts.definitions.follow()
        self._observer.definitions_read(self._parts.definitions.take_read())
        if batches:
            self._observer.stages({Stage.GATHER: self._now() - started})
            for piece in self._parts.caution.pieces(batches):
                self._process_batch(piece)
        else:
            self._show_lag(self._tail.commit(self._live))
        return self._drain is not None and self._is_drained(self._drain)

    def _gather(self) -> Sequence[ConsumerRecord]:
        """Gather a batch; while state is restored, nobody waits for one."""
        if self._restorer.restoring:
            return self._gathering.poll_now()
        return self._gathering.poll(self._batch_seconds)

    def _follow_assignment(self) -> None:
        change = self._stream.poll_assignment()
        for partition in change.revoked:
            self._live.pop(partition, None)
            self._forget(partition)
            self._restorer.release(partition)
            self._parts.bad_share.forget(partition)
        for partition in change.assigned:
            self._check_known(partition)
            self._live.pop(partition, None)
            self._forget(partition)
            self._restorer.start(partition)
        if change.revoked or change.assigned:
            _LOG.info("partitions.changed", taken=sorted(change.revoked), given=sorted(change.assigned))
            self._lag_watch.ask_soon()
            self._observer.assigned(change, [*self._live, *self._restorer.restoring], self._restorer.remaining())
        self._observer.joined(is_member=self._stream.is_member)

    def _forget(self, partition: int) -> None:
        """Know nothing any more of a partition that comes or goes: others may have worked on it meanwhile."""
        self._progress.forget(partition)
        self._history.forget(partition)

    def _check_known(self, partition: int) -> None:
        if partition >= self._partitions:
            raise Unavailable(
                f"link.clicks.v1 was given more than its {counted(self._partitions, 'partition')}, which parts people"
                " from their memory; stop all workers and run link-actions doctor, which says how to move it"
            )

    def _restore(self) -> None:
        if self._restorer.restoring:
            complete, read = self._restorer.step(POLL_TIMEOUT_SECONDS)
            self._enter(complete)
            self._observer.restored(read, self._restorer.remaining())

    def _enter(self, complete: Mapping[int, PartitionStore]) -> None:
        """Work from now on on those of the restored partitions whose history is one."""
        offsets = self._history.verify(complete)
        self._live.update({partition: complete[partition] for partition in offsets})
        self._progress.note(offsets)
        self._tail.note(offsets)
        self._observer.lost({partition: self._history.lost(partition) for partition in offsets})
        self._stream.resume(list(offsets))

    def _process_batch(self, records: Mapping[int, Sequence[ConsumerRecord]]) -> None:
        """Carry one batch through: decide, write, commit, keep."""
        begun = self._now()
        with self._parts.caution.deciding(records):
            batch = Batch([PartitionBatch(p, mine, self._decide(p, mine, begun)) for p, mine in records.items()])
        for each in batch.partitions:
            self._parts.bad_share.check(each)
            each.decision.memory[CHECKPOINT_KEY] = self._history.entry(each.partition, each.next_offset)
        self._limit.record_output(batch)
        decided = self._now()
        self._pending = batch
        self._stream.begin_transaction()
        for each in batch.partitions:
            self._parts.writer.write(each)
        produced = self._now()
        claims = self._claim(batch)
        positions = self._stream.commit_transaction({**claims, **batch.offsets})
        committed = self._now()
        self._count_committed(batch)
        self._keep_claims(claims, positions)
        for each in batch.partitions:
            self._live[each.partition].write(each.decision.memory, positions[each.partition])
        stored = self._now()
        self._batch_seconds = stored - begun
        self._observer.stages(
            {
                Stage.DECIDE: decided - begun,
                Stage.PRODUCE: produced - decided,
                Stage.COMMIT: committed - produced,
                Stage.STORE: stored - committed,
            }
        )
        self._show_lag(batch.offsets)

    def _claim(self, batch: Batch) -> Mapping[int, int]:
        """Write a first note for the partitions that have none and no click in the batch; return their offsets."""
        claims = {p: at for p, at in self._history.unclaimed(self._live).items() if p not in batch.offsets}
        for partition, offset in claims.items():
            entry = self._history.entry(partition, offset)
            self._stream.produce_tracked(
                ProducerRecord(self._parts.writer.names.changelog, partition, CHECKPOINT_KEY, entry)
            )
        return claims

    def _keep_claims(self, claims: Mapping[int, int], positions: Mapping[int, int]) -> None:
        self._tail.note(claims)
        self._history.note(claims)
        for partition, offset in claims.items():
            entry = self._history.entry(partition, offset)
            self._live[partition].write({CHECKPOINT_KEY: entry}, positions[partition])

    def _decide(self, partition: int, records: Sequence[ConsumerRecord], begun: float) -> Decision:
        wait_until = begun + MAX_DEFINITION_WAIT_SECONDS
        return self._parts.decider.decide(partition, records, self._live[partition], wait_until=wait_until)

    def _show_lag(self, offsets: Mapping[int, int]) -> None:
        self._observer.lag({p: self._stream.lag(p, offset) for p, offset in offsets.items()})

    def _count_committed(self, batch: Batch) -> None:
        """Count a batch that is known to be committed, once."""
        self._pending = None
        self._observer.committed(batch)
        self._tail.note(batch.offsets)
        self._progress.note(batch.offsets)
        self._history.note(batch.offsets)
        if self._drain is not None:
            self._drain.note(batch)
        self._parts.decider.forget_before(batch.offsets)
        self._limit.grow()
        self._aborts = 0

    def _abort_and_retry(self, error: TransactionAborted) -> None:
        """Abort, and let the same records come again: fewer at a time where the broker refused one of them."""
        batch, self._pending = self._pending, None
        # Halving ends by itself; and the library fails the transaction after each refused one, too.
        self._aborts = 0 if error.poison else self._aborts + (not error.rebalance)
        self._observer.transaction(TransactionResult.ABORTED)
        _LOG.warning("transaction.aborted", detail=str(error), aborts=self._aborts)
        self._stream.abort_transaction()
        if error.poison and batch is not None:
            self._isolate_poison_pill(batch, error)
        elif self._aborts >= MAX_ABORTS:
            raise Unavailable(f"{self._aborts} transactions in a row were aborted: {error}; run link-actions doctor")
        self._reread_from_committed()

    def _isolate_poison_pill(self, batch: Batch, error: TransactionAborted) -> None:
        """Halve the batch that the broker refuses; a record that is alone becomes a dead letter."""
        if batch.size > 1:
            self._limit.shrink(batch.size)
            return
        ((partition, next_offset),) = batch.offsets.items()
        if not self._parts.decider.force_dead_letter(
            partition, next_offset - 1, BadRecord(Reason.REJECTED_BY_BROKER, str(error))
        ):
            raise Unavailable(
                f"Even the dead letter of offset {next_offset - 1} of partition {partition} is refused ({error});"
                " raise max.message.bytes of the topic of dead letters"
            )

    def _reset_producer(self, is_stopping: Callable[[], bool]) -> None:
        """Replace the producer and go on from what the broker says is committed, however long it takes to answer.

        A worker that leaves asks once what became of its last batch: the new producer ends what the old one left open,
        which whoever takes over would have to wait for.
        """
        must_ask = self._pending is not None
        if self._pending is not None:
            self._observer.transaction(TransactionResult.UNKNOWN)
            # A broker that is too slow for so many would be too slow for them for ever.
            self._limit.shrink(self._pending.size)
        while must_ask or not is_stopping():
            must_ask = False
            self._observer.beat()
            try:
                self._stream.reinit_producer()
                self._reread_from_committed()
            except RetriableError as error:
                self._setbacks.await_broker(error)
                self._wait(POLL_TIMEOUT_SECONDS, is_stopping)
            else:
                return

    def _wait(self, seconds: float, is_stopping: Callable[[], bool]) -> None:
        """Let time pass and keep the membership alive; everything is held, so nothing is handed out."""
        until = self._now() + seconds
        while self._now() < until and not is_stopping():
            self._observer.beat()
            self._stream.pause(list(self._live))
            self._stream.consume(1, POLL_TIMEOUT_SECONDS)
            self._follow_assignment()

    def _reread_from_committed(self) -> None:
        """Read every partition again from its committed offset, its state brought up to the changelog first."""
        live = list(self._live)
        self._stream.pause(live)
        committed = self._stream.seek_to_committed(live)
        offsets = {p: 0 if place is None else place.offset for p, place in committed.items()}
        _LOG.info("positions.rewound", offsets=offsets)
        self._progress.check(offsets)
        batch, self._pending = self._pending, None
        if batch is not None and batch.is_among(committed):
            self._count_committed(batch)
        for partition in live:
            del self._live[partition]
            self._restorer.start(partition)
            self._parts.bad_share.forget(partition)

    def _is_drained(self, drain: Drain) -> bool:
        return not self._restorer.restoring and drain.is_done(self._tail.committed(self._live))

    def _now(self) -> float:
        return self._parts.clock.monotonic()
