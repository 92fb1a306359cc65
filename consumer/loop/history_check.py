"""Checks a restored partition before it is used: committed offset, checkpoint, clicks and disk must agree."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from consumer.changelog.checkpoint import Checkpoint, check_partitions
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.history import Contradiction, Evidence, explain, find_contradiction, read_checkpoint
from runtime.errors import Contradictory
from runtime.ports import Committed, RetriableError, TransactionalConsumer
from runtime.state.store import PartitionStore
from runtime.stream.marker_file import FakeMarkerFile, MarkerFile

TOPICS_FILE = "topics"
"""In the state folder of an instance."""

_Suspicion = tuple[Contradiction, int | None, Checkpoint | None]
"""A contradiction, with the committed offset and the checkpoint that it was found with."""


class HistoryCheck:
    """Verifies each restored partition, and keeps the checkpoints of the live ones.

    A contradiction counts once it is found twice in a row, with the same committed offset and the same checkpoint,
    and the state restored in between. Found once, it may come from another owner that committed after this worker read
    the changelog: a stalled worker learns of a rebalance late. If both are equal, no owner committed in between.
    """

    def __init__(
        self,
        consumer: TransactionalConsumer,
        restorer: ChangelogRestorer,
        topics_file: MarkerFile,
        *,
        partitions: int,
        group: str,
    ) -> None:
        """`topics_file` is on the same disk as the state, and survives the process."""
        self._consumer = consumer
        self._restorer = restorer
        self._known = KnownTopics(topics_file, group)
        self._partitions = partitions
        self._group = group
        self._checkpoints: dict[int, Checkpoint] = {}
        self._start_offsets: dict[int, int] = {}
        self._first_offsets: dict[int, int] = {}
        self._suspected: dict[int, _Suspicion] = {}

    def verify(self, restored: Mapping[int, PartitionStore]) -> Mapping[int, int]:
        """Return the partitions that may become live, and the offset that each consumes from.

        The others are restored again. Raises RetriableError, Unavailable or Contradictory.
        """
        if not restored:
            return {}
        try:
            evidence = self._collect_evidence(restored)
        except RetriableError:
            for partition in restored:
                self._restorer.start(partition)
            raise
        found = {p: kind for p, each in evidence.items() if (kind := find_contradiction(each)) is not None}
        confirmed = {p: (kind, evidence[p]) for p, kind in found.items() if self._is_confirmed(p, kind, evidence[p])}
        if confirmed:
            raise Contradictory(explain(confirmed, self._group))
        for partition in found:
            self._restorer.start(partition)
        for partition in evidence.keys() - found:
            self._admit(partition, evidence[partition])
        return {partition: self._start_offsets[partition] for partition in evidence.keys() - found}

    def skipped(self, partition: int) -> int:
        """Return how many offsets of the partition operators chose to skip, over all time."""
        return self._checkpoints[partition].skipped

    def checkpoint(self, partition: int, offset: int) -> bytes:
        """Return the checkpoint to write in the transaction that commits this offset."""
        return self._checkpoints[partition].at(offset)

    def without_checkpoint(self, partitions: Collection[int]) -> Mapping[int, int]:
        """Return those that have no checkpoint yet, with the first offset to commit.

        Without one, retention could delete clicks of a partition that was never read, and the loss would go unnoticed.
        """
        return {p: offset for p, offset in self._first_offsets.items() if p in partitions}

    def record_committed(self, partitions: Collection[int]) -> None:
        """Record that checkpoints of these partitions were committed. Raises RetriableError if the disk is full."""
        for partition in partitions:
            if self._first_offsets.pop(partition, None) is not None:
                self._known.remember(self._restorer.changelog_id, self._checkpoints[partition].clicks_topic_id)

    def forget(self, partition: int) -> None:
        """Forget a partition that was assigned or revoked."""
        self._suspected.pop(partition, None)
        self._first_offsets.pop(partition, None)

    def _collect_evidence(self, restored: Mapping[int, PartitionStore]) -> Mapping[int, Evidence]:
        """Collect the evidence; asks for committed offsets first, so that the watermarks are no older."""
        checkpoints = {partition: read_checkpoint(store) for partition, store in restored.items()}
        for each in checkpoints.values():
            check_partitions(each, self._partitions)
        committed = self._consumer.seek_to_committed([*restored])
        watermarks = self._consumer.watermarks([*restored])
        clicks_topic_id = self._consumer.topic_id()
        had_state = self._known.had_state(self._restorer.changelog_id, clicks_topic_id)
        return {
            partition: Evidence(
                _offset(committed[partition]),
                checkpoints[partition],
                *watermarks[partition],
                clicks_topic_id=clicks_topic_id,
                changelog_start=self._restorer.changelog_start(partition),
                had_state=had_state,
            )
            for partition in restored
        }

    def _is_confirmed(self, partition: int, kind: Contradiction, evidence: Evidence) -> bool:
        suspicion = kind, evidence.committed, evidence.checkpoint
        before, self._suspected[partition] = self._suspected.get(partition), suspicion
        return before == suspicion

    def _admit(self, partition: int, evidence: Evidence) -> None:
        self._suspected.pop(partition, None)
        checkpoint = evidence.checkpoint or Checkpoint(self._partitions)
        if checkpoint.offset is None:
            self._first_offsets[partition] = evidence.first_offset
        self._start_offsets[partition] = evidence.first_offset if checkpoint.offset is None else checkpoint.offset
        self._checkpoints[partition] = replace(checkpoint, clicks_topic_id=evidence.clicks_topic_id)
        if checkpoint.offset is not None:
            self._known.remember(self._restorer.changelog_id, evidence.clicks_topic_id)


def _offset(committed: Committed | None) -> int | None:
    return None if committed is None else committed.offset


class KnownTopics:
    """Remembers, beside the state, the changelog it was restored from and the clicks topic: cluster and topic ids."""

    def __init__(self, file: MarkerFile, group: str) -> None:
        self._file = file
        self._group = group

    def remember(self, changelog_id: str, clicks_topic_id: str) -> None:
        """Remember these topics. Raises RetriableError if the disk refuses."""
        line = self._line(changelog_id, clicks_topic_id)
        if self._read() != line:
            self._file.write(line + b"\n")

    def had_state(self, changelog_id: str, clicks_topic_id: str) -> bool:
        """Return whether the local state is from another changelog of this group, for the same clicks topic."""
        known, now = self._read().split(b" "), self._line(changelog_id, clicks_topic_id).split(b" ")
        return len(known) == len(now) and (known[0], known[2]) == (now[0], now[2]) and known[1] != now[1]

    def _read(self) -> bytes:
        return self._file.read().partition(b"\n")[0]

    def _line(self, changelog_id: str, clicks_topic_id: str) -> bytes:
        return f"{self._group} {changelog_id} {clicks_topic_id}".encode()


def read_known_topics(path: Path, group: str) -> KnownTopics:
    """Return what a worker left in the file, without creating the file."""
    file = FakeMarkerFile()
    if path.is_file():
        file.write(path.read_bytes())
    return KnownTopics(file, group)
