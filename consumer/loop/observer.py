"""Reports the loop to metrics and health probes, once per batch or turn."""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from consumer.loop.batch import Batch
from consumer.monitoring.metric_catalogue import (
    BATCH_SECONDS,
    DEFINITIONS_READ,
    LAG,
    LAST_COMMIT,
    LAST_PROGRESS,
    PARTITIONS_ASSIGNED,
    REBALANCES,
    RESTORE_RECORDS,
    RESTORE_REMAINING,
    TRANSACTIONS,
    RebalanceType,
    Stage,
)
from consumer.monitoring.metrics import Metrics
from runtime.clock import Clock
from runtime.monitoring.health import Health, Phase
from runtime.ports import AssignmentChange
from runtime.stream.observer import TransactionResult


class StageTimer:
    """Times the stages of a batch, one after the other; `now` is a monotonic clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.started = self._last = now()
        self.stages: dict[Stage, float] = {}

    def end(self, stage: Stage) -> None:
        """End a stage; the next one begins."""
        now = self._now()
        self.stages[stage], self._last = now - self._last, now

    @property
    def seconds(self) -> float:
        """Duration of all stages that have ended."""
        return self._last - self.started


class Observer:
    """Forwards events of the loop to metrics and health; the loop knows neither."""

    def __init__(self, metrics: Metrics, health: Health, clock: Clock) -> None:
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._assigned: frozenset[int] = frozenset()
        self._shown: set[int] = set()
        """Partitions that have series."""
        self._restoring: frozenset[int] = frozenset()

    def beat(self) -> None:
        """Report that the loop is alive."""
        self._health.beat()

    def running(self) -> None:
        """Report that the definitions are read and clicks may come."""
        self._health.enter(Phase.RUNNING)

    def refused(self, reason: str | None) -> None:
        """Report why the group refuses the worker; None if it accepts it."""
        self._health.refuse(reason)

    def interrupted(self, reason: str) -> None:
        """Report why the loop waits before it retries."""
        self._health.interrupt(reason)

    def iterated(self) -> None:
        """Report a turn that ended without an error."""
        self._health.interrupt(None)

    def definitions_read(self, number: int) -> None:
        """Count link definitions read."""
        if number:
            self._metrics.count(DEFINITIONS_READ, by=number)

    def joined(self, *, is_member: bool) -> None:
        """Report whether the worker is a member with an assignment.

        Drops the series of revoked partitions only now, when other workers may have them: in an outage none has.
        """
        self._health.join(is_member=is_member)
        if is_member and not self._shown <= self._assigned:
            for partition in self._shown - self._assigned:
                self._metrics.forget_partition(partition)
            self._shown &= self._assigned

    def assigned(self, change: AssignmentChange, partitions: Collection[int], remaining: Mapping[int, int]) -> None:
        """Report a rebalance; `partitions` are now assigned, `remaining` has those being restored."""
        self._assigned = frozenset(partitions)
        self._restoring &= self._assigned
        self._remaining(remaining)
        self._health.assign(partitions)
        self._metrics.set(PARTITIONS_ASSIGNED, len(partitions))
        if change.revoked:
            self._metrics.count(REBALANCES, RebalanceType.REVOKED)
        if change.assigned:
            self._metrics.count(REBALANCES, RebalanceType.ASSIGNED)

    def restored(self, read: Mapping[int, int], remaining: Mapping[int, int]) -> None:
        """Report changelog records read; `remaining` has every incomplete partition, 0 if not known."""
        self._remaining(remaining)
        self._metrics.count(RESTORE_RECORDS, by=sum(read.values()))
        if read:
            self._progressed()

    def _remaining(self, remaining: Mapping[int, int]) -> None:
        """Set what is left to restore: 0 for a partition that is complete now."""
        self._health.restore(remaining)
        for partition in self._restoring | remaining.keys():
            self._metrics.set(RESTORE_REMAINING, remaining.get(partition, 0), partition)
        self._restoring = frozenset(remaining)
        self._shown |= self._restoring

    def skipped(self, skipped: Mapping[int, int]) -> None:
        """Set, by partition, the offsets of clicks that an operator chose to skip, over all time."""
        for partition, offsets in skipped.items():
            self._metrics.set_clicks_lost(partition, offsets)

    def stages(self, stages: Mapping[Stage, float]) -> None:
        """Observe the duration of stages, in seconds."""
        for stage, seconds in stages.items():
            self._metrics.observe(BATCH_SECONDS, seconds, stage)

    def lag(self, lag: Mapping[int, int]) -> None:
        """Set the lag of partitions, in records."""
        self._shown |= lag.keys()
        for partition, records in lag.items():
            self._metrics.set(LAG, records, partition)

    def answered(self, *, is_all_done: bool) -> None:
        """Report an answer of the broker; with nothing left to do it counts as progress."""
        self._health.answered()
        if is_all_done:
            self._progressed()

    def transaction(self, result: TransactionResult) -> None:
        """Count the end of a transaction."""
        self._metrics.count(TRANSACTIONS, result)

    def committed(self, batch: Batch) -> None:
        """Count a batch that is certainly committed."""
        now = self._clock.now_ms()
        self._health.commit()
        self._metrics.set(LAST_COMMIT, now / 1000)
        self._progressed()
        self._metrics.count(TRANSACTIONS, TransactionResult.COMMITTED)
        self._metrics.count_batch(batch.counts())
        times = np.concatenate([np.asarray(each.decision.clicked_at, dtype=np.float64) for each in batch.partitions])
        if len(times):
            self._metrics.observe_click_ages((now - times) / 1000)

    def _progressed(self) -> None:
        self._metrics.set(LAST_PROGRESS, self._clock.now_ms() / 1000)
