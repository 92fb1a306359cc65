"""Decides when `--drain` may exit: once the group has committed everything that was in the topic at the start."""

from collections.abc import Mapping

from consumer.loop.batch import Batch
from runtime.ports import TransactionalConsumer


class Drain:
    """Knows the end offsets to reach."""

    def __init__(self, consumer: TransactionalConsumer) -> None:
        """Raises RetriableError."""
        self._consumer = consumer
        self._targets = self._ends_at_start = consumer.end_offsets()
        self._rerouted = False

    def record_committed(self, batch: Batch) -> None:
        """Extend the drain to copies of rerouted clicks: such a click is done when its copy is.

        Only clicks before the end at the start count: any other click came later.
        """
        self._rerouted |= any(
            (each.records[row].offset() or 0) < self._ends_at_start[each.partition]
            for each in batch.partitions
            for row, _, _ in each.decision.rerouted
        )

    def is_done(self, committed: Mapping[int, int]) -> bool:
        """Return whether the whole group has reached the targets; `committed` are this worker's offsets.

        Raises RetriableError.
        """
        if self._rerouted:
            self._targets, self._rerouted = self._consumer.end_offsets(), False
        if any(offset < self._targets[partition] for partition, offset in committed.items()):
            return False
        of_group = self._consumer.committed()
        return all(of_group[partition] >= target for partition, target in self._targets.items())
