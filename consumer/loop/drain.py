"""When a draining worker is done: everything that was in the topic at its start is committed, by whomever."""

from collections.abc import Mapping

from consumer.loop.batch import Batch
from consumer.ports import TransactionalConsumer


class Drain:
    """Remembers where the partitions ended."""

    def __init__(self, stream: TransactionalConsumer) -> None:
        """Raises RetriableError."""
        self._stream = stream
        self._targets = self._ends_at_start = stream.end_offsets()
        self._rerouted = False

    def note(self, batch: Batch) -> None:
        """Take in what was committed: a click that was rerouted from before the end is done when its copy is.

        The end is that of the start, not one that was moved for copies: clicks rerouted from there came later.
        """
        self._rerouted |= any(
            (each.records[row].offset() or 0) < self._ends_at_start[each.partition]
            for each in batch.partitions
            for row, _, _ in each.decision.rerouted
        )

    def is_done(self, committed: Mapping[int, int]) -> bool:
        """Tell whether the whole group has done what was there; `committed` is what this worker has of its own.

        Raises RetriableError.
        """
        if self._rerouted:
            self._targets, self._rerouted = self._stream.end_offsets(), False
        if any(offset < self._targets[partition] for partition, offset in committed.items()):
            return False
        of_all = self._stream.committed()
        return all(of_all[partition] >= target for partition, target in self._targets.items())
