"""Moving what is remembered to where more partitions want it: safe to stop at any point, and to run again.

    1. no worker may run, and every click must be done
    2. note REPARTITIONING in every partition of the changelog: from here on a worker refuses to start
    3. give the changelog its new partitions, and note the same in them
    4. partition by partition: restore it, and move each entry that belongs elsewhere, in lots; a lot is one transaction
       that writes the entry to its new partition and deletes it in the old one
    5. give every other topic its new partitions, the clicks last
    6. note the new count in all partitions, in one transaction

A run that was stopped finds REPARTITIONING and continues at 3. What has been moved is deleted where it was, so it is
not met again. Counts of hits stay where they are: the total of a link is the sum over the partitions. The local state
of workers follows through the changelog.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from consumer.changelog.checkpoint import CHECKPOINT_KEY, REPARTITIONING, Checkpoint
from consumer.changelog.entries import partition_of_key
from consumer.errors import Unavailable, UsageError
from consumer.kafka.admin.topics import TopicState, topic_specs
from consumer.loop.changelog_restore import ChangelogRestorer
from consumer.loop.history import read_checkpoint
from consumer.ports import RetriableError
from consumer.state.store import PartitionStore
from consumer.terminal.text import counted
from schemas.topics import TopicNames

LOT = 10_000
"""Entries that are moved in one transaction."""
_SLICE_SECONDS = 0.5

Entry = tuple[int, bytes, bytes | None]
"""Partition of the changelog, key and value; None deletes."""


class Group(Protocol):
    """What is asked about the consumer group."""

    def members(self) -> int:
        """Return how many members it has."""

    def lag(self, topic: str, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return what it has not committed yet, by partition."""


class Topics(Protocol):
    """What is asked about topics, and done to them."""

    def read_topics(self, names: Sequence[str]) -> Mapping[str, TopicState]:
        """Return those that exist."""

    def grow_topics(self, partitions: Mapping[str, int]) -> None:
        """Give topics so many partitions, and return once these can be written."""


class Changelog(Protocol):
    """Where entries are written."""

    def write(self, entries: Sequence[Entry]) -> None:
        """Write all or none."""


@dataclass(frozen=True, slots=True)
class RepartitionDependencies:
    """What repartitioning works with."""

    names: TopicNames
    topics: Topics
    group: Group
    restorer: ChangelogRestorer
    changelog: Changelog


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: one partition of the changelog is done."""

    partition: int
    partitions: int
    entries: int
    moved: int


class Repartitioner:
    """One installation on its way to `partitions` partitions. `tell` hears of each partition that is done."""

    def __init__(
        self, parts: RepartitionDependencies, partitions: int, tell: Callable[[Progress], object], *, lot: int = LOT
    ) -> None:
        self._lot = lot
        self._parts = parts
        self._names = parts.names
        self._wanted = partitions
        self._tell = tell
        self._notes: dict[int, Checkpoint] = {}

    def dry_run(self) -> int:
        """Check everything and write nothing; return how many entries would be moved."""
        return sum(self._visit(partition, move=False) for partition in range(self._check()))

    def run(self) -> int:
        """Do it; return how many entries were moved. Raises Unavailable or UsageError where it is not safe."""
        old = self._check()
        self._close_to_workers(old)
        self._parts.topics.grow_topics({self._names.changelog: self._wanted})
        self._note(range(self._wanted), REPARTITIONING)
        moved = sum(self._visit(partition, move=True) for partition in range(self._wanted))
        followers = [spec.name for spec in topic_specs(self._names) if spec.partitions is None]
        # The clicks last: an edge that spreads them over new partitions must find every other topic ready.
        last_first = sorted(followers, key=lambda name: name == self._names.clicks)
        for name in last_first:
            self._parts.topics.grow_topics({name: self._wanted})
        self._note(range(self._wanted), self._wanted)
        return moved

    def _check(self) -> int:
        """Return how many partitions the changelog has; raises unless everything is as it must be."""
        specs = [spec.name for spec in topic_specs(self._names) if spec.partitions is None]
        found = self._parts.topics.read_topics(specs)
        missing = sorted(set(specs) - found.keys())
        if missing:
            raise Unavailable(f"Missing: {', '.join(missing)}; run link-actions doctor")
        most = max(found.values(), key=lambda topic: topic.partitions).partitions
        if most > self._wanted:
            raise UsageError(
                f"A topic has {counted(most, 'partition')}, and Kafka takes none away; give --partitions {most} or more"
            )
        self._check_no_members()
        changelog = found[self._names.changelog].partitions
        noted = self._noted(0)
        if noted is None or noted.partitions != REPARTITIONING:
            # Not those that somebody added since: their clicks wait for their memory, and no worker would do them.
            kept_for = min(changelog, found[self._names.clicks].partitions) if noted is None else noted.partitions
            self._check_drained(kept_for)
        return changelog

    def _check_no_members(self) -> None:
        members = self._parts.group.members()
        if members:
            running = counted(members, "running worker")
            raise Unavailable(f"The group has {running}; end all of them, and run this again")

    def _check_drained(self, partitions: int) -> None:
        lag = self._parts.group.lag(self._names.clicks, range(partitions))
        left = {partition: records for partition, records in lag.items() if records > 0}
        if left:
            where = ", ".join(f"{records} in partition {partition}" for partition, records in left.items())
            raise Unavailable(
                f"Not every click is done ({where}); hold the edge, and let link-actions run --drain finish"
            )

    def _close_to_workers(self, partitions: int) -> None:
        """Note REPARTITIONING; restore the notes if a worker that had just started is a member by now."""
        before = {partition: self._noted(partition) for partition in range(partitions)}
        self._notes = {partition: note or Checkpoint(REPARTITIONING) for partition, note in before.items()}
        self._note(range(partitions), REPARTITIONING)
        try:
            self._check_no_members()
        except Unavailable:
            entries = [
                (partition, CHECKPOINT_KEY, None if noted is None else noted.encode())
                for partition, noted in before.items()
            ]
            self._parts.changelog.write(entries)
            raise

    def _noted(self, partition: int) -> Checkpoint | None:
        """Return the note of a partition; REPARTITIONING in the first one means that a run did not end."""
        with_memory = self._restore(partition)
        noted = read_checkpoint(with_memory)
        self._parts.restorer.release(partition)
        return noted

    def _note(self, partitions: Sequence[int], count: int) -> None:
        """Checkpoint the count and leave the rest of each note as it is; the group has not begun with a new partition.

        One that lacks its note gets none of an offset, so that a worker sees what is missing.
        """
        notes = {p: self._notes.get(p, Checkpoint(count)) for p in partitions}
        self._parts.changelog.write(
            [(p, CHECKPOINT_KEY, replace(note, partitions=count).encode()) for p, note in notes.items()]
        )

    def _visit(self, partition: int, *, move: bool) -> int:
        """Go through the memory of a partition; return how many entries belong elsewhere."""
        store = self._restore(partition)
        entries = moved = 0
        for page in _pages(store, self._lot):
            lot = [entry for key, value in page for entry in self._moving(partition, key, value)]
            if lot and move:
                self._parts.changelog.write(lot)
            entries, moved = entries + len(page), moved + len(lot) // 2
        self._parts.restorer.release(partition)
        self._tell(Progress(partition, self._wanted, entries, moved))
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
                f"The memory cannot be read ({error}); run the command again, it goes on where it stopped"
            ) from error


def _pages(store: PartitionStore, limit: int) -> Iterator[list[tuple[bytes, bytes]]]:
    cursor = b""
    while True:
        page, cursor = store.page(cursor, limit)
        yield page
        if not cursor:
            return
