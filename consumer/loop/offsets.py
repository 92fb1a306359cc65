"""Committed offsets of the live partitions, and the transactions that commit offsets without clicks."""

from collections.abc import Collection, Mapping

from consumer.changelog.checkpoint import CHECKPOINT_KEY
from consumer.loop.batch import Batch
from consumer.loop.history_check import HistoryCheck
from consumer.loop.punctuation import Punctuation, Punctuator
from runtime.ports import ProducerRecord, RetriableError, TransactionalConsumer
from runtime.state.store import PartitionStore

Live = Mapping[int, PartitionStore]
Offsets = Mapping[int, int]


class CommittedOffsets:
    """Tracks what this worker knows to be committed, and commits each offset together with its checkpoint.

    Two kinds of offsets have no click. Rerouted clicks leave control records at the end of a partition; unless the
    loop commits past them, a finished partition shows lag forever. And a partition without a checkpoint gets one at
    its first offset.
    """

    def __init__(self, consumer: TransactionalConsumer, history: HistoryCheck, changelog: str) -> None:
        self._consumer = consumer
        self._history = history
        self._changelog = changelog
        self._committed: dict[int, int] = {}

    def start(self, offsets: Offsets) -> None:
        """Take the offsets that restored partitions consume from."""
        self._committed.update(offsets)

    def record(self, offsets: Offsets) -> None:
        """Record offsets as committed. Raises RetriableError if the disk is full."""
        self._committed.update(offsets)
        self._history.record_committed(offsets)

    def forget(self, partition: int) -> None:
        """Forget a partition that was assigned or revoked: another worker may have moved its offset."""
        self._committed.pop(partition, None)

    def of(self, partitions: Collection[int]) -> Offsets:
        """Return the committed offsets of these partitions; 0 if not known."""
        return {partition: self._committed.get(partition, 0) for partition in partitions}

    def check_no_regression(self, offsets: Offsets) -> None:
        """Raise RetriableError if a partition would continue from before its committed offset.

        Reading clicks twice would do no harm to updates, but hits and dead letters would be written twice.
        """
        for partition, offset in offsets.items():
            if offset < self._committed.get(partition, 0):
                raise RetriableError(
                    f"partition {partition} would continue from offset {offset}, but offset"
                    f" {self._committed[partition]} is committed; asking the broker again; stop all workers before"
                    " resetting offsets"
                )

    def attach_checkpoints(self, batch: Batch) -> None:
        """Add to each partition's changelog entries, last, the checkpoint of the offset that the batch commits."""
        for each in batch.partitions:
            each.entries[CHECKPOINT_KEY] = self._history.checkpoint(each.partition, each.next_offset)

    def produce_first_checkpoints(self, live: Live, batch: Offsets) -> Offsets:
        """Write, in the open transaction, a checkpoint for each partition that has none and is not in the batch.

        Returns their offsets, to commit along.
        """
        first = {p: at for p, at in self._history.without_checkpoint(live).items() if p not in batch}
        self._produce_checkpoints(first)
        return first

    def store_checkpoints(self, live: Live, offsets: Offsets, positions: Offsets) -> None:
        """Store committed checkpoints; `positions` are the changelog's."""
        self.record(offsets)
        for partition, offset in offsets.items():
            live[partition].write({CHECKPOINT_KEY: self._history.checkpoint(partition, offset)}, positions[partition])

    def commit_trailing(self, live: Live) -> Offsets:
        """Commit past trailing control records; return the committed offsets, as far as known.

        Call it if there are no clicks. Raises TransactionAborted or RetriableError.
        """
        ends = {partition: self._consumer.eof_offset(partition) for partition in live}
        ahead = {p: end for p, end in ends.items() if end is not None and end > self._committed.get(p, 0)}
        if ahead:
            self._consumer.begin_transaction()
            offsets = {**self._history.without_checkpoint(live), **ahead}
            self._produce_checkpoints(offsets)
            self.store_checkpoints(live, offsets, self._consumer.commit_transaction(offsets))
        return {partition: self._committed[partition] for partition in live if partition in self._committed}

    def commit_punctuation(self, live: Live, punctuator: Punctuator, now_ms: int) -> None:
        """Commit what the punctuator returns, if anything. Raises TransactionAborted or RetriableError."""
        found = {partition: punctuator.punctuate(partition, store, now_ms) for partition, store in live.items()}
        due = {partition: each for partition, each in found.items() if each is not None}
        if not due:
            return
        self._consumer.begin_transaction()
        for partition, each in due.items():
            self._produce(partition, each)
        offsets = {**self._history.without_checkpoint(live), **self.of(due)}
        self._produce_checkpoints(offsets)
        positions = self._consumer.commit_transaction(offsets)
        self.record(offsets)
        for partition, offset in offsets.items():
            state = due[partition].state if partition in due else {}
            checkpoint = self._history.checkpoint(partition, offset)
            live[partition].write({**state, CHECKPOINT_KEY: checkpoint}, positions[partition])

    def _produce(self, partition: int, due: Punctuation) -> None:
        for record in due.records:
            self._consumer.produce(record)
        changes = [(self._changelog, value, key, None) for key, value in due.state.items()]
        self._consumer.produce_batch(partition, changes)

    def _produce_checkpoints(self, offsets: Offsets) -> None:
        for partition, offset in offsets.items():
            value = self._history.checkpoint(partition, offset)
            self._consumer.produce_tracked(ProducerRecord(self._changelog, partition, CHECKPOINT_KEY, value))
