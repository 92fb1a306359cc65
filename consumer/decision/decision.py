"""The decision about the records of one partition: a value for the loop to carry out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.decision import hits_py
from consumer.decision.hits import Hits
from consumer.decision.outcome import BatchCounts
from runtime.records.bulk import Update
from schemas.bad_record import BadRecord, Reason
from schemas.click import EARLIEST_MS

if TYPE_CHECKING:
    from runtime.records.outgoing import PackedUpdates


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings that apply to every batch. `retention_ms` is None if dedupe entries never expire."""

    partitions: int
    retention_ms: int | None = None
    max_click_bytes: int = 65_536
    max_ahead_ms: int = 86_400_000
    """Tolerated clock skew: a click further in the future has a timestamp out of range."""
    earliest_ms: int = EARLIEST_MS


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that follows from the records of one partition, in their order. The caller owns its containers.

    `updates`: topic, value, key and headers each, packed by the compiled core. `rerouted`: row, right key and right
    partition. `dead_letters`: by row. `entries`: dedupe entries to keep, None to forget. `hits`: counts that changed.
    """

    updates: "list[Update] | PackedUpdates" = field(default_factory=list)
    rerouted: list[tuple[int, bytes, int]] = field(default_factory=list)
    dead_letters: dict[int, BadRecord] = field(default_factory=dict)
    entries: dict[bytes, bytes | None] = field(default_factory=dict)
    hits: Hits = field(default_factory=hits_py.Hits)
    clicks: Counter[str] = field(default_factory=Counter)
    """Records by outcome."""
    undefined: int = 0
    """Clicks on undefined links; these are also counted as clicks without actions."""
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Actions by kind and outcome."""
    clicked_at: Sequence[int] = ()
    """Times of the clicks that were decided, in milliseconds since 1970 UTC, for the age at commit."""

    def has(self, reason: Reason) -> bool:
        """Return whether any record is a dead letter for this reason."""
        return any(bad.reason is reason for bad in self.dead_letters.values())

    def unknown_versions(self) -> list[int]:
        """Return the rows that name a version not known yet; decide again once the definitions have caught up."""
        return [row for row, bad in self.dead_letters.items() if bad.reason is Reason.UNKNOWN_VERSION]

    def counts(self) -> BatchCounts:
        """Return the counts, which hold once the transaction has committed."""
        reasons = Counter(str(bad.reason) for bad in self.dead_letters.values())
        return BatchCounts(self.clicks.total(), self.clicks, self.actions, reasons, self.undefined)


@dataclass(slots=True)
class DecisionDraft:
    """A decision under construction by the core and the slow path; its fields are those of `Decision`."""

    dead_letters: dict[int, BadRecord]
    updates: "list[Update] | PackedUpdates" = field(default_factory=list)
    rerouted: list[tuple[int, bytes, int]] = field(default_factory=list)
    entries: dict[bytes, bytes | None] = field(default_factory=dict)
    clicks: Counter[str] = field(default_factory=Counter)
    undefined: int = 0
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def finish(self, hits: Hits, clicked_at: Sequence[int]) -> Decision:
        """Return the decision, which takes ownership of the containers."""
        return Decision(
            updates=self.updates,
            rerouted=self.rerouted,
            dead_letters=self.dead_letters,
            entries=self.entries,
            hits=hits,
            clicks=self.clicks,
            undefined=self.undefined,
            actions=self.actions,
            clicked_at=clicked_at,
        )
