"""What became of each update of a batch, and the records that say so."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actions.kind import Need
from runtime.ports import ConsumerRecord
from runtime.records.bulk import Update
from scripts.definitions.script import Script
from scripts.effects.script_update import ScriptUpdate
from scripts.worker.reasons import Failure


@dataclass(frozen=True, slots=True)
class Ran:
    """One update, and what its run has come to; `failure` is None if it succeeded, and `update` if it is unreadable."""

    record: ConsumerRecord
    update: ScriptUpdate | None
    script: Script | None = None
    link_hits: int = 0
    failure: Failure | None = None
    updates: Sequence[Update] = ()
    not_applicable: Mapping[tuple[str, Need], int] = field(default_factory=Counter)
    return_url: str | None = None
    log: str = ""
    fuel: int | None = None

    @property
    def was_run(self) -> bool:
        """True if the script has run, whatever came of it."""
        return self.fuel is not None or (self.failure is not None and self.failure.fuel is not None)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The decoded update; empty if it is unreadable."""
        return {} if self.update is None else self.update.record


@dataclass(frozen=True, slots=True)
class ScriptBatch:
    """Everything that one transaction commits, by partition."""

    ran: Mapping[int, Sequence[Ran]]

    def updates_of(self, partition: int) -> list[Update]:
        """Return the effects of a partition's updates, in their order."""
        return [update for each in self.ran[partition] for update in each.updates]

    @property
    def offsets(self) -> Mapping[int, int]:
        """The offsets to commit, by partition."""
        return {partition: (mine[-1].record.offset() or 0) + 1 for partition, mine in self.ran.items()}

    @property
    def size(self) -> int:
        """Number of records."""
        return sum(map(len, self.ran.values()))
