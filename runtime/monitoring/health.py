"""Liveness and readiness of the worker: the loop writes them, the probes read them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

STALLED_AFTER_SECONDS = 75.0
"""A little above the longest time that the group allows between two polls (`max.poll.interval.ms`, 60 s)."""


SETTLED_AFTER_SECONDS = 10.0
"""A member that has had no partitions for this long gets none: those still to be revoked come in a second rebalance."""

BROKER_TIMEOUT_SECONDS = 20.0
"""The broker is away if it has not answered for this long; it is asked every 5 s, and 10 s after a failure."""


class Phase(StrEnum):
    """The phase of the worker's life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Liveness:
    """The answer to the liveness probe: true while the loop turns, even without a broker."""

    alive: bool
    seconds_since_beat: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer to the readiness probe: true if the worker processes all its partitions; otherwise the reason."""

    ready: bool
    phase: Phase
    member: bool
    """True once the group has assigned partitions to the worker, or none."""
    assigned: tuple[int, ...]
    restoring: Mapping[int, int]
    """Changelog records still to be read, by partition."""
    interrupted: str | None
    """The outage that the worker waits out: the broker's or the disk's."""
    seconds_since_broker: float | None
    """Since the broker last answered."""
    seconds_since_commit: float | None
    refused: str | None = None
    """Why the group refuses this worker, and what to do."""


class Probed(Protocol):
    """The health of a process, as its probes, its watchdog and its signals see it."""

    stalled_after_seconds: float

    def enter(self, phase: Phase) -> None:
        """Enter a phase."""

    def live(self) -> Liveness:
        """Answer the liveness probe."""

    def ready(self) -> Any:
        """Answer the readiness probe: a dataclass with a boolean `ready`."""


class Health:
    """The health of one worker. The loop writes it, the probes' threads read it; a write replaces a value as a whole.

    `clock` is a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float], *, stalled_after_seconds: float = STALLED_AFTER_SECONDS) -> None:
        self._clock = clock
        self.stalled_after_seconds = stalled_after_seconds
        self._phase = Phase.STARTING
        self._beat = clock()
        self._answered: float | None = None
        self._committed: float | None = None
        self._member_since: float | None = None
        self._assigned: tuple[int, ...] = ()
        self._restoring: Mapping[int, int] = {}
        self._refused: str | None = None
        self._interrupted: str | None = None

    def beat(self) -> None:
        """Record a turn of the loop; restoring and waiting for definitions are turns too."""
        self._beat = self._clock()

    def enter(self, phase: Phase) -> None:
        """Enter a phase."""
        self._phase = phase

    def join(self, *, is_member: bool) -> None:
        """Record whether the group has assigned partitions to the worker, or none."""
        if is_member != (self._member_since is not None):
            self._member_since = self._clock() if is_member else None

    def assign(self, partitions: Iterable[int]) -> None:
        """Record the partitions that the worker has now."""
        self._assigned = tuple(sorted(partitions))

    def refuse(self, reason: str | None) -> None:
        """Record why the group refuses the worker; None if it does not."""
        self._refused = reason

    def restore(self, remaining: Mapping[int, int]) -> None:
        """Record the partitions being restored, with the changelog records still to be read for each."""
        self._restoring = dict(remaining)

    def interrupt(self, reason: str | None) -> None:
        """Record the outage that the worker waits out; None once it is over."""
        self._interrupted = reason

    def answered(self) -> None:
        """Record an answer of the broker."""
        self._answered = self._clock()

    def commit(self) -> None:
        """Record a committed transaction, which is also an answer of the broker."""
        self._committed = self._answered = self._clock()

    def live(self) -> Liveness:
        """Answer the liveness probe."""
        since_beat = self._clock() - self._beat
        return Liveness(alive=since_beat < self.stalled_after_seconds, seconds_since_beat=round(since_beat, 3))

    def ready(self) -> Readiness:
        """Answer the readiness probe."""
        now = self._clock()
        member_since, interrupted, since_broker = self._member_since, self._interrupted, _ago(self._answered, now)
        has_assignment = member_since is not None and (self._assigned or now - member_since >= SETTLED_AFTER_SECONDS)
        has_broker = since_broker is not None and since_broker < BROKER_TIMEOUT_SECONDS
        can_work = self._phase is Phase.RUNNING and interrupted is None and self._refused is None and has_broker
        return Readiness(
            ready=bool(can_work and has_assignment and not self._restoring),
            phase=self._phase,
            member=member_since is not None,
            assigned=self._assigned,
            restoring=self._restoring,
            interrupted=interrupted,
            seconds_since_broker=since_broker,
            seconds_since_commit=_ago(self._committed, now),
            refused=self._refused,
        )


def _ago(then: float | None, now: float) -> float | None:
    return None if then is None else round(now - then, 3)
