"""The figures sampled every few seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """One worker at one moment. `life` names worker and start: what grows, grows within one.

    `anonymous_mib` is the resident memory without the pages of files, which the system takes back when it likes.
    """

    seconds: float
    life: str
    resident_mib: float
    anonymous_mib: float
    descriptors: float
    disk_mib: float


@dataclass(frozen=True, slots=True)
class StreamSample:
    """The whole at one moment: what was seen of the updates since the one before, and what is left to do.

    `p50_ms` and `p99_ms` are from a click's publication to its update's visibility; None where no update was seen.
    """

    seconds: float
    p50_ms: float | None
    p99_ms: float | None
    lag: int
