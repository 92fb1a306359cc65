"""What lies behind the last click of a partition: control records of transactions, which no click's offset covers.

Clicks that were rerouted leave them. Where nobody committed beyond them, a partition that is done would for ever look
as if something were left to do, to a drain and to whoever watches the lag.
"""

from collections.abc import Collection, Mapping

from consumer.changelog.checkpoint import CHECKPOINT_KEY
from consumer.loop.history_check import HistoryCheck
from consumer.ports import ProducerRecord, TransactionalConsumer
from consumer.state.store import PartitionStore


class TrailingMarkers:
    """Knows what was committed here, and commits the ends that were met beyond it, each with its note.

    Partitions that have no note yet are claimed along with them.
    """

    def __init__(self, stream: TransactionalConsumer, history: HistoryCheck, changelog: str) -> None:
        self._stream = stream
        self._history = history
        self._changelog = changelog
        self._committed: dict[int, int] = {}

    def note(self, offsets: Mapping[int, int]) -> None:
        """Take in what was committed."""
        self._committed.update(offsets)

    def committed(self, partitions: Collection[int]) -> Mapping[int, int]:
        """Return what is known to be committed of these partitions; 0 where nothing is known."""
        return {partition: self._committed.get(partition, 0) for partition in partitions}

    def commit(self, live: Mapping[int, PartitionStore]) -> Mapping[int, int]:
        """Commit the ends that were met beyond what is committed, and return what is committed, where it is known.

        Call it when nothing is left to do. Raises TransactionAborted, RetriableError.
        """
        met = {partition: self._stream.eof_offset(partition) for partition in live}
        ends = {p: end for p, end in met.items() if end is not None and end > self._committed.get(p, 0)}
        if ends:
            ahead = {**self._history.unclaimed(live), **ends}
            self._stream.begin_transaction()
            entries = {p: self._history.entry(p, offset) for p, offset in ahead.items()}
            for partition, entry in entries.items():
                self._stream.produce_tracked(ProducerRecord(self._changelog, partition, CHECKPOINT_KEY, entry))
            positions = self._stream.commit_transaction(ahead)
            self.note(ahead)
            self._history.note(ahead)
            for partition, entry in entries.items():
                live[partition].write({CHECKPOINT_KEY: entry}, positions[partition])
        return {partition: self._committed[partition] for partition in live if partition in self._committed}
