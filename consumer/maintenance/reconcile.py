"""Going on after a contradiction in the way that a person chose: offsets and notes are written in one transaction.

Safe to stop at any point, and to run again: what was written agrees, and what agrees is left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.changelog.checkpoint import Checkpoint, check_partitions
from consumer.errors import Unavailable
from consumer.loop.history import WAYS, Contradiction, Evidence, Way, find_contradiction, going_on, repeated
from consumer.maintenance.inspection import Inspection, Offsets, PartitionContradiction, contradictions
from consumer.terminal.text import counted


class Group(Offsets, Protocol):
    """What is asked about the consumer group."""

    def members(self) -> int:
        """Return how many members it has."""


Settle = Callable[[Mapping[int, Checkpoint]], None]
"""Writes each note and commits its offset, all or none. Raises Unavailable, as when the group has got a member."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one partition; without a `found` it only gets the note that it lacks."""

    partition: int
    seen: Evidence
    note: Checkpoint

    @property
    def found(self) -> Contradiction | None:
        """What contradicts."""
        return find_contradiction(self.seen)

    @property
    def repeated(self) -> int:
        """Offsets that are handled a second time."""
        return repeated(self.seen, self.note)

    @property
    def lost(self) -> int:
        """Offsets that are lost by it."""
        return self.note.lost - (self.seen.note.lost if self.seen.note else 0)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a way of going on does, and the contradictions that it does not settle."""

    steps: Sequence[Step]
    left: Mapping[int, PartitionContradiction]


class Reconciler:
    """One installation, all workers of which are stopped."""

    def __init__(self, group: Group, inspection: Inspection, settle: Settle, partitions: int) -> None:
        self._group = group
        self._inspection = inspection
        self._settle = settle
        self._partitions = partitions

    def prepare(self, way: Way) -> Reconciliation:
        """Look at everything and write nothing. Raises Unavailable while the group has members, or memory is moved."""
        members = self._group.members()
        if members:
            raise Unavailable(
                f"The group has {counted(members, 'running worker')}; stop all of them, and run this again"
            )
        evidence = self._inspection.look(self._partitions)
        for seen in evidence.values():
            check_partitions(seen.note, self._partitions)
        found = contradictions(evidence)
        steps = [
            Step(p, seen, going_on(seen, way, self._partitions)) for p, seen in evidence.items() if _is_for(way, seen)
        ]
        return Reconciliation(steps, {p: each for p, each in found.items() if way not in WAYS[each[0]]})

    def apply(self, reconciliation: Reconciliation) -> None:
        """Write it. Raises Unavailable where that cannot be known: it may be run again."""
        if reconciliation.steps:
            self._settle({step.partition: step.note for step in reconciliation.steps})


def _is_for(way: Way, seen: Evidence) -> bool:
    """Tell whether this way settles the partition.

    To accept that memory is lost also gives a note to the partitions that have none: only a worker's own disk may
    know that they had memory.
    """
    found = find_contradiction(seen)
    if found is None:
        return way is Way.ACCEPT_LOST_MEMORY and (seen.note is None or seen.note.offset is None)
    return way in WAYS[found]
