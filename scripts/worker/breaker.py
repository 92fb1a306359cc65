"""Stops running a script version that keeps failing, so that others do not wait for it."""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

WINDOW_RUNS = 100
MIN_FAILURES = 20
PROBE_SECONDS = 60.0


@dataclass(slots=True)
class _State:
    """`opened_at` is by the monotonic clock, None while the breaker is closed."""

    failures: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW_RUNS))
    opened_at: float | None = None


class Breakers:
    """A breaker for each script version. `now` is a monotonic clock, in seconds.

    It opens once 20 and at least half of the last 100 runs have failed. While it is open, one run a minute is let
    through; if that succeeds, it closes.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._states: dict[Hashable, _State] = {}

    def may_run(self, version: Hashable) -> bool:
        """Return whether the version may run now; each call may let a probe through."""
        state = self._states.get(version)
        if state is None or state.opened_at is None:
            return True
        if self._now() - state.opened_at < PROBE_SECONDS:
            return False
        state.opened_at = self._now()
        return True

    def record(self, version: Hashable, *, failed: bool) -> None:
        """Record the end of a run."""
        state = self._states.setdefault(version, _State())
        if state.opened_at is not None:
            if not failed:
                self._states[version] = _State()
            return
        state.failures.append(failed)
        failures = sum(state.failures)
        if failures >= MIN_FAILURES and 2 * failures >= len(state.failures):
            state.opened_at = self._now()

    @property
    def open(self) -> int:
        """Number of versions that do not run."""
        return sum(state.opened_at is not None for state in self._states.values())
