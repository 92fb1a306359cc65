"""The loop of the script worker: consume updates, run their scripts, and commit the effects in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

from runtime.clock import Clock
from runtime.ports import Committed, RetriableError, TransactionalConsumer
from runtime.records.bulk import split_by_partition
from runtime.stream.batching import BatchPoller, LingerPolicy
from runtime.stream.group_watch import LagWatch, MembershipWatch
from runtime.stream.poison_pills import PartitionRecords, PoisonPillGuard
from runtime.stream.transaction_loop import TransactionLoop
from schemas.bad_record import BadRecord
from scripts.worker.observer import ScriptObserver
from scripts.worker.outcome import ScriptBatch
from scripts.worker.output import OutputWriter
from scripts.worker.runner import ScriptRunner

MAX_RECORDS = 500
"""Most updates of one transaction: at 0.3 ms a run they take a fraction of a second."""


@dataclass(frozen=True, slots=True)
class ScriptLoopParts:
    """The collaborators of the loop."""

    consumer: TransactionalConsumer
    runner: ScriptRunner
    output: OutputWriter
    poison_guard: PoisonPillGuard
    observer: ScriptObserver
    clock: Clock


class ScriptLoop(TransactionLoop[ScriptBatch]):
    """Runs scripts. It has no state, so a partition is worked on as soon as its committed offset is known."""

    _observer: ScriptObserver

    def __init__(self, parts: ScriptLoopParts, linger: LingerPolicy, *, drain: bool = False) -> None:
        super().__init__(parts.consumer, parts.observer, parts.clock.monotonic, max_records=MAX_RECORDS)
        self._parts = parts
        self._poller = BatchPoller(parts.consumer, linger, self._sizer, self._now)
        self._lag_watch = LagWatch(parts.consumer, parts.observer, self._now)
        self._membership = MembershipWatch(parts.consumer, parts.observer, self._now, drain=drain)
        self._must_drain = drain
        self._targets: Mapping[int, int] = {}
        self._waiting: set[int] = set()
        """Partitions that are assigned, and whose committed offset is not known yet."""
        self._committed: dict[int, int] = {}
        """The next offset of each live partition."""
        self._batch_seconds = 0.0

    def _start(self, is_stopping: Callable[[], bool]) -> bool:
        def should_stop() -> bool:
            self._observer.beat()
            return is_stopping()

        runner = self._parts.runner
        runner.scripts.catch_up(should_stop)
        runner.hits.catch_up(should_stop)
        runner.sandbox.start()
        self._targets = self._consumer.end_offsets() if self._must_drain else {}
        self._observer.running()
        return False

    def _run_once(self) -> bool:
        self._observer.beat()
        records = self._poller.poll(self._batch_seconds)
        self._follow_assignment()
        self._membership.check()
        batches = {p: mine for p, mine in split_by_partition(records).items() if p in self._committed}
        self._check_no_regression(batches)
        self._lag_watch.poll([*self._committed], [*self._waiting])
        self._parts.runner.scripts.follow()
        self._parts.runner.hits.follow()
        if batches:
            for piece in self._parts.poison_guard.pieces(batches):
                self._process(piece)
        else:
            self._commit_trailing()
        self._observer.lag({p: self._consumer.lag(p, offset) for p, offset in self._committed.items()})
        return self._must_drain and self._is_drained()

    def _process(self, records: PartitionRecords) -> None:
        begun = self._now()
        with self._parts.poison_guard.deciding(records):
            ran = {partition: self._parts.runner.run(mine) for partition, mine in records.items()}
        batch = self._pending = ScriptBatch(ran)
        self._sizer.record_output(map(batch.updates_of, ran), batch.size)
        self._consumer.begin_transaction()
        for partition, mine in ran.items():
            self._consumer.produce_batch(partition, batch.updates_of(partition))
            for record in chain.from_iterable(map(self._parts.output.records, mine)):
                self._consumer.produce(record)
        self._consumer.commit_transaction(batch.offsets)
        self._record_committed(batch)
        self._batch_seconds = self._now() - begun

    def _record_committed(self, batch: ScriptBatch) -> None:
        super()._record_committed(batch)
        self._committed.update({p: offset for p, offset in batch.offsets.items() if p in self._committed})
        self._parts.runner.forget_before(batch.offsets)
        self._observer.committed(batch, self._parts.runner)

    def _commit_trailing(self) -> None:
        """Commit past control records at the end of a partition, which would otherwise look like lag."""
        ends = {partition: self._consumer.eof_offset(partition) for partition in self._committed}
        ahead = {p: end for p, end in ends.items() if end is not None and end > self._committed[p]}
        if ahead:
            self._consumer.begin_transaction()
            self._consumer.commit_transaction(ahead)
            self._committed.update(ahead)

    def _is_drained(self) -> bool:
        """Return whether the group has committed all that was there at the start. Raises RetriableError."""
        if self._waiting or any(offset < self._targets[p] for p, offset in self._committed.items()):
            return False
        committed = self._consumer.committed()
        return all(committed[partition] >= target for partition, target in self._targets.items())

    def _check_no_regression(self, batches: PartitionRecords) -> None:
        """Raise RetriableError if a partition continues from before its committed offset: effects would come twice."""
        for partition, mine in batches.items():
            offset = mine[0].offset() or 0
            if offset < self._committed[partition]:
                raise RetriableError(
                    f"partition {partition} would continue from offset {offset}, but offset"
                    f" {self._committed[partition]} is committed; asking the broker again"
                )

    def _follow_assignment(self) -> None:
        change = self._consumer.poll_assignment()
        for partition in change.revoked:
            self._committed.pop(partition, None)
            self._waiting.discard(partition)
        self._waiting |= change.assigned
        for partition in change.assigned:
            self._committed.pop(partition, None)
        if self._waiting:
            self._go_live(sorted(self._waiting))
        if change.revoked or change.assigned:
            self._lag_watch.ask_soon()
            self._observer.assigned([*self._committed])
        self._observer.joined(is_member=self._consumer.is_member)

    def _go_live(self, partitions: list[int]) -> Mapping[int, Committed | None]:
        """Continue these paused partitions from their committed offsets. Raises RetriableError."""
        found = self._consumer.seek_to_committed(partitions) if partitions else {}
        self._committed.update({p: at.offset if (at := found.get(p)) else 0 for p in partitions})
        self._waiting.difference_update(partitions)
        self._consumer.resume(partitions)
        return found

    def _pause(self) -> None:
        self._consumer.pause([*self._committed, *self._waiting])

    def _seek_to_committed(self) -> Mapping[int, Committed | None]:
        self._pause()
        self._waiting.update(self._committed)
        self._committed.clear()
        return self._go_live(sorted(self._waiting))

    def _force_dead_letter(self, partition: int, offset: int, bad: BadRecord) -> bool:
        return self._parts.runner.force_dead_letter(partition, offset, bad)
