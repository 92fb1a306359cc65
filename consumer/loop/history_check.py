"""Admitting a partition to the work: only where what is known of its history agrees, and from the offset it tells."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from consumer.changelog.checkpoint import Checkpoint, check_partitions
from consumer.errors import Contradictory
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.history import Contradiction, Evidence, explain, find_contradiction, read_checkpoint
from consumer.loop.known_topics import KnownTopics
from consumer.loop.marker_file import MarkerFile
from consumer.ports import Committed, RetriableError, TransactionalConsumer
from consumer.state.store import PartitionStore

_Suspicion = tuple[Contradiction, int | None, Checkpoint | None]
"""What contradicts, by which committed offset and which note."""


class HistoryCheck:
    """Looks at each partition whose memory is restored, and keeps the notes of those that are worked on.

    A contradiction counts when it is met twice with the same committed offset, the memory restored again in between.
    Else it may be the work of another owner, who committed after the memory was read: whoever stood still is told of
    a rebalance only later. Nobody committed in between where the offset is the same, so the memory must fit it.
    """

    def __init__(
        self,
        stream: TransactionalConsumer,
        restorer: ChangelogRestorer,
        page: MarkerFile,
        *,
        partitions: int,
        group: str,
    ) -> None:
        """`page` outlives the process, on the same disk as the state."""
        self._stream = stream
        self._restorer = restorer
        self._known = KnownTopics(page, group)
        self._partitions = partitions
        self._group = group
        self._notes: dict[int, Checkpoint] = {}
        self._starts: dict[int, int] = {}
        self._unclaimed: dict[int, int] = {}
        self._suspected: dict[int, _Suspicion] = {}

    def verify(self, complete: Mapping[int, PartitionStore]) -> Mapping[int, int]:
        """Return the partitions that may be worked on, and the offset from which the clicks of each come.

        The others are restored again. Raises RetriableError, Unavailable or Contradictory.
        """
        if not complete:
            return {}
        try:
            evidence = self._look(complete)
        except RetriableError:
            for partition in complete:
                self._restorer.start(partition)
            raise
        found = {p: kind for p, seen in evidence.items() if (kind := find_contradiction(seen)) is not None}
        confirmed = {p: (kind, evidence[p]) for p, kind in found.items() if self._is_confirmed(p, kind, evidence[p])}
        if confirmed:
            raise Contradictory(explain(confirmed, self._group))
        for partition in found:
            self._restorer.start(partition)
        for partition in evidence.keys() - found:
            self._enter(partition, evidence[partition])
        return {partition: self._starts[partition] for partition in evidence.keys() - found}

    def lost(self, partition: int) -> int:
        """Return how many clicks of the partition were skipped by decision, over all time."""
        return self._notes[partition].lost

    def entry(self, partition: int, offset: int) -> bytes:
        """Return the note to write in the transaction that commits this offset."""
        return self._notes[partition].at(offset)

    def unclaimed(self, partitions: Collection[int]) -> Mapping[int, int]:
        """Return those that have no note yet, and the offset to commit so that what comes from now on is the group's.

        Else retention could delete clicks of a partition that was never read, and no one would know of the loss.
        """
        return {p: offset for p, offset in self._unclaimed.items() if p in partitions}

    def note(self, partitions: Collection[int]) -> None:
        """Take in that these partitions' notes were committed. Raises RetriableError where the disk is full."""
        for partition in partitions:
            if self._unclaimed.pop(partition, None) is not None:
                self._known.take(self._restorer.identity, self._notes[partition].clicks)

    def forget(self, partition: int) -> None:
        """Know nothing any more of a partition that comes or goes."""
        self._suspected.pop(partition, None)
        self._unclaimed.pop(partition, None)

    def _look(self, complete: Mapping[int, PartitionStore]) -> Mapping[int, Evidence]:
        """Ask for the committed offsets first: what the topic is found to hold then is no older."""
        notes = {partition: read_checkpoint(store) for partition, store in complete.items()}
        for note in notes.values():
            check_partitions(note, self._partitions)
        committed = self._stream.seek_to_committed([*complete])
        bounds = self._stream.watermarks([*complete])
        clicks = self._stream.topic_id()
        had_memory = self._known.had_memory(self._restorer.identity, clicks)
        return {
            partition: Evidence(
                _offset(committed[partition]),
                notes[partition],
                *bounds[partition],
                clicks=clicks,
                head=self._restorer.head(partition),
                had_memory=had_memory,
            )
            for partition in complete
        }

    def _is_confirmed(self, partition: int, kind: Contradiction, seen: Evidence) -> bool:
        suspicion = kind, seen.committed, seen.note
        before, self._suspected[partition] = self._suspected.get(partition), suspicion
        return before == suspicion

    def _enter(self, partition: int, seen: Evidence) -> None:
        self._suspected.pop(partition, None)
        note = seen.note or Checkpoint(self._partitions)
        if note.offset is None:
            self._unclaimed[partition] = seen.first
        self._starts[partition] = seen.first if note.offset is None else note.offset
        self._notes[partition] = replace(note, clicks=seen.clicks)
        if note.offset is not None:
            self._known.take(self._restorer.identity, seen.clicks)


def _offset(committed: Committed | None) -> int | None:
    return None if committed is None else committed.offset
