"""Liveness and readiness of an edge."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.monitoring.health import Liveness, Phase

STALLED_AFTER_SECONDS = 15.0
"""The event loop turns ten times a second."""


@dataclass(frozen=True, slots=True)
class EdgeReadiness:
    """The answer to the readiness probe: true if the edge can answer links and keep their clicks."""

    ready: bool
    phase: Phase
    has_definitions: bool
    """False until the topic of definitions was read to its end once."""
    interrupted: str | None
    """Why clicks cannot be kept on disk now."""


class EdgeHealth:
    """The health of one edge, written by its threads and read by the probes'. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], *, stalled_after_seconds: float = STALLED_AFTER_SECONDS) -> None:
        self._clock = clock
        self.stalled_after_seconds = stalled_after_seconds
        self._beat = clock()
        self._phase = Phase.STARTING
        self._has_definitions = False
        self._interrupted: str | None = None

    def beat(self) -> None:
        """Record a turn of the event loop."""
        self._beat = self._clock()

    def enter(self, phase: Phase) -> None:
        """Enter a phase."""
        self._phase = phase

    def complete_definitions(self) -> None:
        """Record that all definitions were read."""
        self._has_definitions = True

    def interrupt(self, reason: str | None) -> None:
        """Record why the disk takes no clicks; None once it does."""
        self._interrupted = reason

    def live(self) -> Liveness:
        """Answer the liveness probe."""
        since_beat = self._clock() - self._beat
        return Liveness(alive=since_beat < self.stalled_after_seconds, seconds_since_beat=round(since_beat, 3))

    def ready(self) -> EdgeReadiness:
        """Answer the readiness probe."""
        can_answer = self._phase is Phase.RUNNING and self._has_definitions and self._interrupted is None
        return EdgeReadiness(can_answer, self._phase, self._has_definitions, self._interrupted)
