"""Resolves contradictions as the operator chose: offsets and checkpoints are written in one transaction.

It is safe to stop at any point and to run again: partitions that agree are left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.changelog.checkpoint import Checkpoint, check_partitions
from consumer.loop.history import (
    RESOLUTIONS,
    Contradiction,
    Evidence,
    Resolution,
    find_contradiction,
    reprocessed,
    resume_checkpoint,
)
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
    evidence: Evidence
    checkpoint: Checkpoint

    @property
    def found(self) -> Contradiction | None:
        """Return the contradiction that this resolves."""
        return find_contradiction(self.evidence)

    @property
    def reprocessed(self) -> int:
        """Return the number of offsets that are processed again."""
        return reprocessed(self.evidence, self.checkpoint)

    @property
    def skipped(self) -> int:
        """Return the number of offsets that are skipped."""
        return self.checkpoint.skipped - (self.evidence.checkpoint.skipped if self.evidence.checkpoint else 0)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The steps of the chosen resolution, and the contradictions that it does not resolve."""

    steps: Sequence[Step]
    left: Mapping[int, PartitionContradiction]


class Reconciler:
    """Reconciles one installation, all workers of which are stopped."""

    def __init__(self, group: Group, inspection: Inspection, settle: Settle, partitions: int) -> None:
        self._group = group
        self._inspection = inspection
        self._settle = settle
        self._partitions = partitions

    def prepare(self, resolution: Resolution) -> Reconciliation:
        """Read everything and write nothing. Raises Unavailable during a repartition or if the group has members."""
        members = self._group.members()
        if members:
            raise Unavailable(
                f"The group has {counted(members, 'running worker')}; stop all of them, then run this again"
            )
        evidence = self._inspection.look(self._partitions)
        for each in evidence.values():
            check_partitions(each.checkpoint, self._partitions)
        found = contradictions(evidence)
        steps = [
            Step(p, each, resume_checkpoint(each, resolution, self._partitions))
            for p, each in evidence.items()
            if _is_for(resolution, each)
        ]
        return Reconciliation(steps, {p: each for p, each in found.items() if resolution not in RESOLUTIONS[each[0]]})

    def apply(self, reconciliation: Reconciliation) -> None:
        """Write the steps. Raises Unavailable if the outcome is unknown; the caller may run it again."""
        if reconciliation.steps:
            self._settle({step.partition: step.checkpoint for step in reconciliation.steps})


def _is_for(resolution: Resolution, evidence: Evidence) -> bool:
    """Return whether this resolution applies to the partition.

    Accepting a lost state also writes a checkpoint to partitions without one: only a worker's own disk may know that
    they had state.
    """
    found = find_contradiction(evidence)
    if found is None:
        return resolution is Resolution.ACCEPT_LOST_MEMORY and (
            evidence.checkpoint is None or evidence.checkpoint.offset is None
        )
    return resolution in RESOLUTIONS[found]
