"""Restores assigned partitions from the changelog while the loop processes the others."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence

import structlog

from runtime.ports import LogReader, RetriableError
from runtime.records.bulk import split_by_partition
from runtime.state.store import BEGINNING, PartitionStore, StateStore

_LOG = structlog.get_logger(__name__)

_BATCH = 50_000

Opening = Generator[None, None, PartitionStore]


class ChangelogRestorer:
    """Reads the changelog of each partition from the store's position to the end it had when the restore began.

    The end includes open transactions: the previous owner may have committed one without this worker seeing it, and to
    start before that transaction completes would repeat its work. A read_committed reader reaches the end once all
    have completed.
    """

    def __init__(
        self,
        reader: LogReader,
        state: StateStore,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        on_complete: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_complete` is called when the last restoring partition completes."""
        self._monotonic = monotonic
        self._on_complete = on_complete
        self._reader = reader
        self._state = state
        self._changelog_starts: dict[int, int] = {}
        self.changelog_id = ""
        """Cluster and topic id of the changelog when the last store was opened."""
        self._waiting: dict[int, Opening | None] = {}
        self._targets: dict[int, int] = {}
        self._stores: dict[int, PartitionStore] = {}

    def start(self, partition: int) -> None:
        """Restore the partition, from the start if it is being restored; does not call the broker yet."""
        self.cancel(partition)
        self._waiting[partition] = None

    def cancel(self, partition: int) -> None:
        """Stop restoring the partition, if it is being restored."""
        opening = self._waiting.pop(partition, None)
        if opening is not None:
            opening.close()
        if self._targets.pop(partition, None) is not None:
            del self._stores[partition]
            self._reader.unassign(partition)

    def release(self, partition: int) -> None:
        """Stop restoring the partition and release the memory of its store."""
        self.cancel(partition)
        self._state.release(partition)

    def step(self, timeout_seconds: float) -> tuple[Mapping[int, PartitionStore], Mapping[int, int]]:
        """Open stores or read on, for at most the time-out; return complete stores and records read, by partition.

        Opening a store of a hundred million clicks takes a quarter of a minute, so it is done in steps between the
        loop's polls. Raises RetriableError.
        """
        deadline = self._monotonic() + timeout_seconds
        for partition in sorted(self._waiting):
            store = self._open(partition, deadline)
            if store is not None:
                self._set_target(partition, store)
            if self._monotonic() > deadline:
                break
        read = self._read(0.0 if self._waiting else timeout_seconds) if any(self.remaining().values()) else {}
        complete = {p: store for p, store in self._stores.items() if store.position >= self._targets[p]}
        for partition in complete:
            self.cancel(partition)
        if complete and not self.restoring:
            self._on_complete()
        return complete, read

    def remaining(self) -> Mapping[int, int]:
        """Return the records left to read of each incomplete partition; 0 while not known."""
        missing = {p: max(self._targets[p] - store.position, 0) for p, store in self._stores.items()}
        return dict.fromkeys(self._waiting, 0) | missing

    def changelog_start(self, partition: int) -> int:
        """Return the first offset of the partition's changelog when its restore began."""
        return self._changelog_starts.get(partition, 0)

    @property
    def restoring(self) -> Sequence[int]:
        """The incomplete partitions."""
        return [*self._waiting, *self._targets]

    def _open(self, partition: int, deadline: float) -> PartitionStore | None:
        """Continue to open the store; return it once it is open."""
        opening = self._waiting[partition]
        if opening is None:
            self.changelog_id = self._reader.topic_id()
            opening = self._state.open_in_steps(partition, self.changelog_id)
        self._waiting[partition] = None  # if anything fails from here on, the next step starts again
        try:
            next(opening)
            while self._monotonic() <= deadline:
                next(opening)
        except StopIteration as end:
            store: PartitionStore = end.value
            return store
        self._waiting[partition] = opening
        return None

    def _set_target(self, partition: int, store: PartitionStore) -> None:
        """Set the restore target to the changelog's current end offset.

        A store that is ahead of the changelog, or behind its first offset, is discarded; the history check then
        compares the state that is read instead with the group's offsets.
        """
        first, end = self._reader.watermarks([partition])[partition]
        if store.position != BEGINNING and not first <= store.position <= end:
            _LOG.warning("state.rebuilt", partition=partition, position=store.position, first=first, end=end)
            self.changelog_id = self._reader.topic_id()
            store = self._state.reset(partition, self.changelog_id)
        self._changelog_starts[partition] = first
        del self._waiting[partition]
        self._stores[partition], self._targets[partition] = store, end
        if store.position < end:
            self._reader.assign(partition, max(store.position, first))

    def _read(self, timeout_seconds: float) -> Mapping[int, int]:
        entries: dict[int, dict[bytes, bytes | None]] = {partition: {} for partition in self._stores}
        read: dict[int, int] = {}
        for partition, records in split_by_partition(self._reader.poll(_BATCH, timeout_seconds)).items():
            if partition in entries:
                entries[partition] = {record.key(): record.value() for record in records}
                read[partition] = len(records)
        try:
            self._keep(entries)
        except RetriableError:
            # Otherwise the next write would skip these records but store a position past them.
            for partition in [*self._stores]:
                self.start(partition)
            raise
        return read

    def _keep(self, entries: Mapping[int, Mapping[bytes, bytes | None]]) -> None:
        for partition, store in self._stores.items():
            position = self._reader.positions.get(partition, store.position)
            if position > store.position:
                store.write(entries[partition], position)
