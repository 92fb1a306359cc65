"""Resolves contradictions as the operator chose: offsets and checkpoints are written in one transaction.

It is safe to stop at any point and to run again: partitions that agree are left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.changelog.checkpoint import Checkpoint, check_partitions
from consumer.loop.history import WAYS, Contradiction, Evidence, Way, find_contradiction, going_on, repeated
from consumer.maintenance.inspection import Inspection, Offsets, PartitionContradiction, contradictions
from runtime.errors import Unavailable
from runtime.terminal.text import counted


class Group(Offsets, Protocol):
    """The consumer group."""

    def members(self) -> int:
        """Return the number of its members."""


Settle = Callable[[Mapping[int, Checkpoint]], None]
"""Writes each checkpoint and commits its offset, all or none. Raises Unavailable, for example if a member joined."""


@dataclass(frozen=True, slots=True)
class Step:
    """The change of one partition; without `found` it only gets its missing checkpoint."""

    partition: int
    seen: Evidence
    note: Checkpoint

    @property
    def found(self) -> Contradiction | None:
        """Return the contradiction that this resolves."""
        return find_contradiction(self.seen)

    @property
    def repeated(self) -> int:
        """Return the number of offsets that are handled again."""
        return repeated(self.seen, self.note)

    @property
    def lost(self) -> int:
        """Return the number of offsets that are lost."""
        return self.note.lost - (self.seen.note.lost if self.seen.note else 0)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The steps of the chosen option, and the contradictions that it does not resolve."""

    steps: Sequence[Step]
    left: Mapping[int, PartitionContradiction]


class Reconciler:
    """Reconciles one installation, all workers of which are stopped."""

    def __init__(self, group: Group, inspection: Inspection, settle: Settle, partitions: int) -> None:
        self._group = group
        self._inspection = inspection
        self._settle = settle
        self._partitions = partitions

    def prepare(self, way: Way) -> Reconciliation:
        """Read everything and write nothing. Raises Unavailable during a repartition or if the group has members."""
        members = self._group.members()
        if members:
            raise Unavailable(
                f"The group has {counted(members, 'running worker')}; stop all of them, then run this again"
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
        """Write the steps. Raises Unavailable if the outcome is unknown; the caller may run it again."""
        if reconciliation.steps:
            self._settle({step.partition: step.note for step in reconciliation.steps})


def _is_for(way: Way, seen: Evidence) -> bool:
    """Return whether this option applies to the partition.

    Accepting lost memory also writes a checkpoint to partitions without one: only a worker's own disk may know that
    they had memory.
    """
    found = find_contradiction(seen)
    if found is None:
        return way is Way.ACCEPT_LOST_MEMORY and (seen.note is None or seen.note.offset is None)
    return way in WAYS[found]
