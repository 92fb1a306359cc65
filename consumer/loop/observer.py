"""What the loop tells about itself, a batch at a time: metrics for operators, health for probes."""

from collections.abc import Collection, Mapping

import numpy as np

from consumer.clock import Clock
from consumer.loop.batch import Batch
from consumer.monitoring.health import Health, Phase
from consumer.monitoring.metrics import Metrics, RebalanceType, Stage, TransactionResult
from consumer.streams import AssignmentChange


class Observer:
    """Passes on to metrics and health; the loop knows neither."""

    def __init__(self, metrics: Metrics, health: Health, clock: Clock) -> None:
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def beat(self) -> None:
        """The loop has turned."""
        self._health.beat()

    def running(self) -> None:
        """The definitions are read and clicks may come."""
        self._health.enter(Phase.RUNNING)

    def refused(self, reason: str | None) -> None:
        """The group does not take the worker, for this reason; None where it does."""
        self._health.refuse(reason)

    def definitions_read(self, number: int) -> None:
        """Link definitions were read."""
        if number:
            self._metrics.count_definitions(number)

    def assigned(self, change: AssignmentChange, partitions: Collection[int]) -> None:
        """Partitions came or went; `partitions` are those the worker has now."""
        self._health.assign(partitions)
        for partition in change.taken - set(partitions):
            self._metrics.forget_partition(partition)
        if change.taken:
            self._metrics.count_rebalance(RebalanceType.REVOKED, assigned=len(partitions))
        if change.given:
            self._metrics.count_rebalance(RebalanceType.ASSIGNED, assigned=len(partitions))

    def restored(self, read: Mapping[int, int], remaining: Mapping[int, int], restoring: Collection[int]) -> None:
        """Changelog records were read; `restoring` are the partitions that are not complete yet."""
        self._health.restore({partition: remaining.get(partition, 0) for partition in restoring})
        for partition, records in read.items():
            self._metrics.count_restored(partition, records, remaining=remaining.get(partition, 0))

    def stages(self, stages: Mapping[Stage, float]) -> None:
        """Stages of a batch took so long."""
        for stage, seconds in stages.items():
            self._metrics.observe_stage(stage, seconds)

    def lag(self, lag: Mapping[int, int]) -> None:
        """Partitions lie so many records behind."""
        for partition, records in lag.items():
            self._metrics.set_lag(partition, records)

    def transaction(self, result: TransactionResult) -> None:
        """A transaction ended."""
        self._metrics.count_transaction(result)

    def committed(self, batch: Batch) -> None:
        """A batch is committed for sure; only now do its counts hold."""
        now = self._clock.now_ms()
        self._health.commit()
        self._metrics.note_commit(now / 1000)
        self._metrics.count_transaction(TransactionResult.COMMITTED)
        self._metrics.count_batch(batch.counts())
        times = np.concatenate([np.asarray(each.decision.clicked_at, dtype=np.float64) for each in batch.partitions])
        if len(times):
            self._metrics.observe_ages((now - times) / 1000)
