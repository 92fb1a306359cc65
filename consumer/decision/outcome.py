"""Outcomes of a batch of records, as counts that add up."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class ClickOutcome(StrEnum):
    """Outcome of one input record. Each record has exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    WITHOUT_ACTIONS = "without_actions"
    NOT_APPLICABLE = "not_applicable"
    TEST = "test"
    REROUTED = "rerouted"
    DEAD_LETTERED = "dead_lettered"


class NoActionsReason(StrEnum):
    """Why a click has no actions; each click that is counted as `without_actions` has exactly one."""

    UNDEFINED_LINK = "undefined_link"
    NO_ACTIONS = "no_actions"


class ActionOutcome(StrEnum):
    """Outcome of one action of one click."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    NO_PERSON = "no_person"
    NO_COMPANY = "no_company"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """The counts of one batch; those of two batches are added with `+`.

    `clicks` is by outcome, `actions` by kind and outcome, `dead_letters` by reason. `undefined` are those of the clicks
    without actions whose link is undefined.
    """

    consumed: int = 0
    clicks: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    undefined: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(
            consumed=self.consumed + other.consumed,
            clicks=self.clicks + other.clicks,
            actions=self.actions + other.actions,
            dead_letters=self.dead_letters + other.dead_letters,
            undefined=self.undefined + other.undefined,
        )

    @property
    def without_actions(self) -> dict[NoActionsReason, int]:
        """The clicks without actions, by why."""
        defined = self.clicks[ClickOutcome.WITHOUT_ACTIONS] - self.undefined
        return {NoActionsReason.UNDEFINED_LINK: self.undefined, NoActionsReason.NO_ACTIONS: defined}

    @property
    def balanced(self) -> bool:
        """True if every consumed record has exactly one outcome, and every dead letter one reason."""
        return (
            self.consumed == self.clicks.total()
            and self.clicks[ClickOutcome.DEAD_LETTERED] == self.dead_letters.total()
            and 0 <= self.undefined <= self.clicks[ClickOutcome.WITHOUT_ACTIONS]
        )
