"""Moves the dedupe state to its new partitions: safe to stop at any point, and to run again.

    1. require that no worker runs and that every click is done
    2. write REPARTITIONING to the checkpoint of every changelog partition: from here on no worker starts
    3. add partitions to the changelog, and write the same to them
    4. restore each partition, and move the entries that belong elsewhere in transactions that write an entry to its new
       partition and delete it from the old one
    5. add partitions to every other topic, the clicks last
    6. write the new count to all checkpoints, in one transaction

An interrupted run finds REPARTITIONING and continues at 3. Moved entries are deleted from their old partition, so they
are not moved again. Counts of hits stay where they are: the total of a link is the sum over the partitions. Workers
update their local state from the changelog.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from consumer.changelog.checkpoint import CHECKPOINT_KEY, REPARTITIONING, Checkpoint
from consumer.changelog.entries import partition_of_key
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.history import read_checkpoint
from runtime.errors import Unavailable, UsageError
from runtime.kafka.admin.topics import TopicState, topic_specs, worker_topic_specs
from runtime.ports import RetriableError
from runtime.state.store import PartitionStore
from runtime.terminal.text import counted
from schemas.topics import TopicNames

BATCH_SIZE = 10_000
"""Entries that are moved in one transaction."""
_SLICE_SECONDS = 0.5

Entry = tuple[int, bytes, bytes | None]
"""Partition of the changelog, key and value; None deletes."""


class Group(Protocol):
    """The consumer group."""

    def members(self) -> int:
        """Return the number of its members."""

    def lag(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return its lag by partition."""


class Topics(Protocol):
    """Reads and grows topics."""

    def read_topics(self, names: Sequence[str]) -> Mapping[str, TopicState]:
        """Return those that exist."""

    def grow_topics(self, partitions: Mapping[str, int]) -> None:
        """Grow topics to these partition counts, and return once they can be written."""


class Changelog(Protocol):
    """Writes entries to the changelog."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Write all or none."""


@dataclass(frozen=True, slots=True)
class RepartitionDependencies:
    """The collaborators of a repartitioning."""

    names: TopicNames
    topics: Topics
    group: Group
    restorer: ChangelogRestorer
    changelog: Changelog


@dataclass(frozen=True, slots=True)
class Progress:
    """One partition of the changelog is done."""

    partition: int
    partitions: int
    entries: int
    moved: int


class Repartitioner:
    """Repartitions one installation. `on_progress` is called after each partition."""

    def __init__(
        self,
        parts: RepartitionDependencies,
        partitions: int,
        on_progress: Callable[[Progress], object],
        *,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self._batch_size = batch_size
        self._parts = parts
        self._names = parts.names
        self._wanted = partitions
        self._on_progress = on_progress
        self._checkpoints: dict[int, Checkpoint] = {}

    def dry_run(self) -> int:
        """Check everything and write nothing; return the number of entries to move."""
        return sum(self._visit(partition, move=False) for partition in range(self._check()))

    def run(self) -> int:
        """Repartition; return the number of moved entries. Raises Unavailable or UsageError if it is not safe."""
        old = self._check()
        self._close_to_workers(old)
        self._parts.topics.grow_topics({self._names.changelog: self._wanted})
        self._write_checkpoints(range(self._wanted), REPARTITIONING)
        moved = sum(self._visit(partition, move=True) for partition in range(self._wanted))
        # The clicks last: every other topic must be ready before an edge uses the new partitions.
        for name in sorted(self._followers(), key=lambda name: name == self._names.clicks):
            self._parts.topics.grow_topics({name: self._wanted})
        self._write_checkpoints(range(self._wanted), self._wanted)
        return moved

    def _followers(self) -> Mapping[str, TopicState]:
        """Return the existing topics that have as many partitions as the clicks; one without an edge lacks some."""
        specs = [spec.name for spec in topic_specs(self._names) if spec.partitions is None]
        return self._parts.topics.read_topics(specs)

    def _check(self) -> int:
        """Return the partition count of the changelog. Raises if a precondition fails."""
        found = self._followers()
        missing = sorted({spec.name for spec in worker_topic_specs(self._names) if not spec.partitions} - found.keys())
        if missing:
            raise Unavailable(f"Missing: {', '.join(missing)}; run link-actions doctor")
        most = max(found.values(), key=lambda topic: topic.partitions).partitions
        if most > self._wanted:
            raise UsageError(
                f"A topic has {counted(most, 'partition')}, and Kafka removes none; use at least --partitions {most}"
            )
        self._check_no_members()
        changelog = found[self._names.changelog].partitions
        checkpoint = self._read_checkpoint(0)
        if checkpoint is None or checkpoint.partitions != REPARTITIONING:
            # Not partitions added by hand: no worker handles their clicks until the changelog has them, too.
            count = (
                min(changelog, found[self._names.clicks].partitions) if checkpoint is None else checkpoint.partitions
            )
            self._check_drained(count)
        return changelog

    def _check_no_members(self) -> None:
        members = self._parts.group.members()
        if members:
            running = counted(members, "running worker")
            raise Unavailable(f"The group has {running}; stop all of them, then run this again")

    def _check_drained(self, partitions: int) -> None:
        lag = self._parts.group.lag(self._names.clicks, range(partitions))
        left = {partition: records for partition, records in lag.items() if records > 0}
        if left:
            where = ", ".join(f"{records} in partition {partition}" for partition, records in left.items())
            raise Unavailable(
                f"Not every click is done ({where}); pause the edge, and let link-actions run --drain finish"
            )

    def _close_to_workers(self, partitions: int) -> None:
        """Write REPARTITIONING; restore the checkpoints if a worker that had just started has joined by now."""
        before = {partition: self._read_checkpoint(partition) for partition in range(partitions)}
        self._checkpoints = {p: checkpoint or Checkpoint(REPARTITIONING) for p, checkpoint in before.items()}
        self._write_checkpoints(range(partitions), REPARTITIONING)
        try:
            self._check_no_members()
        except Unavailable:
            entries = [
                (partition, CHECKPOINT_KEY, None if checkpoint is None else checkpoint.encode())
                for partition, checkpoint in before.items()
            ]
            self._parts.changelog.write(entries)
            raise

    def _read_checkpoint(self, partition: int) -> Checkpoint | None:
        """Return the checkpoint of a partition; REPARTITIONING in the first one means that a run was interrupted."""
        store = self._restore(partition)
        checkpoint = read_checkpoint(store)
        self._parts.restorer.release(partition)
        return checkpoint

    def _write_checkpoints(self, partitions: Sequence[int], count: int) -> None:
        """Write the count and keep the rest of each checkpoint; the group has committed nothing of new partitions.

        A partition without a checkpoint gets one without an offset, so that a worker notices the gap.
        """
        checkpoints = {p: self._checkpoints.get(p, Checkpoint(count)) for p in partitions}
        self._parts.changelog.write(
            [
                (p, CHECKPOINT_KEY, replace(checkpoint, partitions=count).encode())
                for p, checkpoint in checkpoints.items()
            ]
        )

    def _visit(self, partition: int, *, move: bool) -> int:
        """Move the entries of a partition that belong elsewhere; return their number."""
        store = self._restore(partition)
        entries = moved = 0
        for entries_read in _batches(store, self._batch_size):
            moving = [entry for key, value in entries_read for entry in self._moving(partition, key, value)]
            if moving and move:
                self._parts.changelog.write(moving)
            entries, moved = entries + len(entries_read), moved + len(moving) // 2
        self._parts.restorer.release(partition)
        self._on_progress(Progress(partition, self._wanted, entries, moved))
        return moved

    def _moving(self, partition: int, key: bytes, value: bytes) -> Iterator[Entry]:
        home = partition_of_key(key, self._wanted)
        if home is not None and home != partition:
            yield home, key, value
            yield partition, key, None

    def _restore(self, partition: int) -> PartitionStore:
        restorer = self._parts.restorer
        restorer.start(partition)
        try:
            while True:
                complete, _ = restorer.step(_SLICE_SECONDS)
                if partition in complete:
                    return complete[partition]
        except RetriableError as error:
            raise Unavailable(
                f"The changelog cannot be read ({error}); run the command again, it continues where it stopped"
            ) from error


def _batches(store: PartitionStore, limit: int) -> Iterator[list[tuple[bytes, bytes]]]:
    cursor = b""
    while True:
        batch, cursor = store.page(cursor, limit)
        yield batch
        if not cursor:
            return
