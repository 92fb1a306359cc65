"""The result of a round."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class InjectedFault:
    """A fault that happened; `recovery_seconds` from its end until all that was published by then was committed."""

    kind: str
    was_open: bool
    recovery_seconds: float


@dataclass
class Result:
    """The faults that happened, and a sentence for each violation.

    `skipped` faults were not possible here; `missed` ones did not meet what they were aimed at, but happened;
    `endings` are the exit codes of workers that exited on their own and were started again.
    """

    struck: list[InjectedFault] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missed: Counter[str] = field(default_factory=Counter)
    endings: Counter[int] = field(default_factory=Counter)
    clicks: int = 0
    unknown: int = 0
    updates: int = 0
    slowest_leave: float = 0.0
