"""When an action applies again for the same recipient."""

from dataclasses import dataclass
from enum import StrEnum


class RepeatRule(StrEnum):
    """The repeat rules; the words of link files and of the wire."""

    ONCE = "once"
    ONCE_PER_MAILING = "once_per_mailing"
    COOLDOWN = "cooldown"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A rule, with its period in milliseconds for a cooldown and for no other.

    Raises ValueError where the two do not fit.
    """

    rule: RepeatRule = RepeatRule.ONCE
    period_ms: int | None = None

    def __post_init__(self) -> None:
        if (self.rule is RepeatRule.COOLDOWN) != (self.period_ms is not None):
            raise ValueError(f"a period belongs to a cooldown and to nothing else; the rule is {self.rule}")
        if self.period_ms is not None and self.period_ms < 1:
            raise ValueError("the period of a cooldown is at least a millisecond")
