"""What is to be done about the records of one partition: values for the loop to carry out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.decision import hits_py
from consumer.decision.hits import Hits
from consumer.decision.outcome import BatchCounts
from consumer.records.bulk import Update
from schemas.bad_record import BadRecord, Reason
from schemas.click import EARLIEST_MS

if TYPE_CHECKING:
    from consumer.records.outgoing import PackedUpdates


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every batch. `retention_ms` is None where memory is kept for ever."""

    partitions: int
    retention_ms: int | None = None
    max_click_bytes: int = 65_536
    max_ahead_ms: int = 86_400_000
    """How far in the future a click may lie before its time is absurd."""
    earliest_ms: int = EARLIEST_MS


@dataclass(slots=True)
class Decision:
    """What the records of one partition, in their order, bring about.

    `updates`: topic, value, key and headers each, packed by the compiled core. `rerouted`: row, right key and right
    partition. `dead_letters`: by row. `memory`: entries to keep, None to forget. `hits`: counts that changed.
    """

    updates: "list[Update] | PackedUpdates" = field(default_factory=list)
    rerouted: list[tuple[int, bytes, int]] = field(default_factory=list)
    dead_letters: dict[int, BadRecord] = field(default_factory=dict)
    memory: dict[bytes, bytes | None] = field(default_factory=dict)
    hits: Hits = field(default_factory=hits_py.Hits)
    clicks: Counter[str] = field(default_factory=Counter)
    """Records by what became of them."""
    undefined: int = 0
    """How many of the clicks without actions are on links that nobody has defined."""
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Actions by kind and what became of them."""
    clicked_at: Sequence[int] = ()
    """Times of the clicks that were decided, for the age at commit."""

    def has(self, reason: Reason) -> bool:
        """Tell whether a record is bad for this reason."""
        return any(bad.reason is reason for bad in self.dead_letters.values())

    def unknown_versions(self) -> list[int]:
        """Return the rows that name a version not known yet; deciding anew may help once definitions catch up."""
        return [row for row, bad in self.dead_letters.items() if bad.reason is Reason.UNKNOWN_VERSION]

    def counts(self) -> BatchCounts:
        """Return the counts, which hold once the transaction has committed."""
        reasons = Counter(str(bad.reason) for bad in self.dead_letters.values())
        return BatchCounts(self.clicks.total(), self.clicks, self.actions, reasons, self.undefined)
