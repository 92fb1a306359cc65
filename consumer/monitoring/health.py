"""Whether the worker lives and whether it is ready, as the loop says and a probe asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

STALLED_AFTER_SECONDS = 75.0
"""A little above the longest time between two polls that the group allows (`max.poll.interval.ms`, 60 s)."""


SETTLED_AFTER_SECONDS = 10.0
"""A member without partitions for so long has none to expect: what others still hold comes in a second rebalance."""

SILENT_AFTER_SECONDS = 20.0
"""A broker that has not answered for so long is away; it is asked every five seconds, and ten after one in vain."""


class Phase(StrEnum):
    """What the worker is about."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether the loop turns. A broker that is away does not matter: to start again would not bring it back."""

    alive: bool
    seconds_since_beat: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the worker has its share of the partitions and works on all of it, and what is still missing."""

    ready: bool
    phase: Phase
    member: bool
    """Whether the group has given the worker its share."""
    assigned: tuple[int, ...]
    restoring: Mapping[int, int]
    """Partition to changelog records still to read."""
    interrupted: str | None
    """What the worker waits for before it goes on: the broker, or the disk."""
    seconds_since_broker: float | None
    """How long ago the broker last answered."""
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
        self._answered: float | None = None
        self._committed: float | None = None
        self._member_since: float | None = None
        self._assigned: tuple[int, ...] = ()
        self._restoring: Mapping[int, int] = {}
        self._refused: str | None = None
        self._interrupted: str | None = None

    def beat(self) -> None:
        """Say that the loop has turned; restoring and waiting for definitions are turns too."""
        self._beat = self._clock()

    def enter(self, phase: Phase) -> None:
        """Say what the worker is about now."""
        self._phase = phase

    def join(self, *, is_member: bool) -> None:
        """Say whether the group has given the worker its share."""
        if is_member != (self._member_since is not None):
            self._member_since = self._clock() if is_member else None

    def assign(self, partitions: Iterable[int]) -> None:
        """Say which partitions the worker has now."""
        self._assigned = tuple(sorted(partitions))

    def refuse(self, reason: str | None) -> None:
        """Say why the group does not take the worker; None where it does."""
        self._refused = reason

    def restore(self, remaining: Mapping[int, int]) -> None:
        """Say which partitions are being restored and how many records each still needs; none when done."""
        self._restoring = dict(remaining)

    def interrupt(self, reason: str | None) -> None:
        """Say what the worker waits for instead of turning; None once it turns again."""
        self._interrupted = reason

    def answered(self) -> None:
        """Say that the broker has answered."""
        self._answered = self._clock()

    def commit(self) -> None:
        """Say that a transaction has committed, which takes a broker that answers."""
        self._committed = self._answered = self._clock()

    def live(self) -> Liveness:
        """Answer the liveness probe."""
        silent = self._clock() - self._beat
        return Liveness(alive=silent < self.stalled_after_seconds, seconds_since_beat=round(silent, 3))

    def ready(self) -> Readiness:
        """Answer the readiness probe."""
        now = self._clock()
        member_since, interrupted, silent = self._member_since, self._interrupted, _ago(self._answered, now)
        has_share = member_since is not None and (self._assigned or now - member_since >= SETTLED_AFTER_SECONDS)
        is_heard = silent is not None and silent < SILENT_AFTER_SECONDS
        can_work = self._phase is Phase.RUNNING and interrupted is None and self._refused is None and is_heard
        return Readiness(
            ready=bool(can_work and has_share and not self._restoring),
            phase=self._phase,
            member=member_since is not None,
            assigned=self._assigned,
            restoring=self._restoring,
            interrupted=interrupted,
            seconds_since_broker=silent,
            seconds_since_commit=_ago(self._committed, now),
            refused=self._refused,
        )


def _ago(then: float | None, now: float) -> float | None:
    return None if then is None else round(now - then, 3)
