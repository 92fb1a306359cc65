"""Whether the worker lives and whether it is ready, as the loop says and a probe asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

STALLED_AFTER_SECONDS = 75.0
"""A little above the longest time between two polls that the group allows (`max.poll.interval.ms`, 60 s)."""


class Phase(StrEnum):
    """What the worker is about."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the loop turns. A broker that is away does not matter: starting anew would not bring it back."""

    alive: bool
    seconds_since_beat: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether every assigned partition is being worked on, and what is still to do."""

    ready: bool
    phase: Phase
    assigned: tuple[int, ...]
    restoring: Mapping[int, int]
    """Partition to changelog records still to read."""
    seconds_since_commit: float | None
    refused: str | None = None
    """Why the group does not take this worker, and what to do."""


class Health:
    """Written by the loop, read by the probes' threads; each write replaces a value as a whole.

    `clock` gives seconds from any start and never goes back.
    """

    def __init__(self, clock: Callable[[], float], *, stalled_after_seconds: float = STALLED_AFTER_SECONDS) -> None:
        self._clock = clock
        self.stalled_after_seconds = stalled_after_seconds
        self._phase = Phase.STARTING
        self._beat = clock()
        self._committed: float | None = None
        self._assigned: tuple[int, ...] = ()
        self._restoring: Mapping[int, int] = {}
        self._refused: str | None = None

    def beat(self) -> None:
        """Say that the loop has turned; restoring and waiting for definitions are turns too."""
        self._beat = self._clock()

    def enter(self, phase: Phase) -> None:
        """Say what the worker is about now."""
        self._phase = phase

    def assign(self, partitions: Iterable[int]) -> None:
        """Say which partitions the worker has now."""
        self._assigned = tuple(sorted(partitions))

    def refuse(self, reason: str | None) -> None:
        """Say why the group does not take the worker; None where it does."""
        self._refused = reason

    def restore(self, remaining: Mapping[int, int]) -> None:
        """Say which partitions are being restored and how many records each still needs; none when done."""
        self._restoring = dict(remaining)

    def commit(self) -> None:
        """Say that a transaction has committed."""
        self._committed = self._clock()

    def live(self) -> Liveness:
        """Answer the liveness probe."""
        silent = self._clock() - self._beat
        return Liveness(alive=silent < self.stalled_after_seconds, seconds_since_beat=round(silent, 3))

    def ready(self) -> Readiness:
        """Answer the readiness probe."""
        committed = self._committed
        return Readiness(
            ready=self._phase is Phase.RUNNING and not self._restoring and self._refused is None,
            phase=self._phase,
            assigned=self._assigned,
            restoring=self._restoring,
            seconds_since_commit=None if committed is None else round(self._clock() - committed, 3),
            refused=self._refused,
        )
