"""Stretches the waits of tests by the load of the machine: all seconds are those of an idle one.

The yardstick is a fixed piece of work, measured when the tests start and again while they wait. If it takes three times
as long as on an idle machine, a wait lasts three times as long. So tests state waits without regard to load, and a
wait that fails still ends soon on an idle machine.
"""

import time
from collections import deque
from collections.abc import Callable

ROUNDS = 800_000
NOMINAL_SECONDS = 0.025
"""Duration of the work on an idle machine; longer than one time slice of the scheduler."""
MEASURE_EVERY_SECONDS = 1.0
REMEMBERED = 3
"""Recent measurements of which the longest counts, because a single one may hit an idle moment."""
MAX_STRETCH = 20.0
MAX_TEST_STRETCH = 4.0
"""Limit for the time-out of a whole test. Its waits have their own stretched deadlines; the time-out only ends a test
that hangs, which at a stretch of 20 would block the run for 100 minutes."""


def work() -> None:
    """Keep one core busy for a fixed number of rounds."""
    total = 0
    for number in range(ROUNDS):
        total += number


class Yardstick:
    """Measures the work repeatedly, at most once a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, work: Callable[[], None] = work) -> None:
        self._clock = clock
        self._work = work
        self._measured: deque[float] = deque(maxlen=REMEMBERED)
        self._measured_at = float("-inf")

    @property
    def stretch(self) -> float:
        """Current slowdown compared with an idle machine; at least 1."""
        begun = self._clock()
        if begun - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._work()
            self._measured_at = self._clock()
            self._measured.append(self._measured_at - begun)
        return min(max(1.0, max(self._measured) / NOMINAL_SECONDS), MAX_STRETCH)


YARDSTICK = Yardstick()
"""The yardstick of this process."""


class Deadline:
    """The end of a wait, in seconds of an idle machine; it moves when the load changes meanwhile."""

    def __init__(
        self, seconds: float, yardstick: Yardstick = YARDSTICK, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = seconds
        self._yardstick = yardstick
        self._clock = clock
        self._looked_at = clock()

    @property
    def has_passed(self) -> bool:
        """True if the wait is over. Ask often: the time since the last call counts by the current load."""
        stretch, now = self._yardstick.stretch, self._clock()
        self._left -= (now - self._looked_at) / stretch
        self._looked_at = now
        return self._left < 0


def stretched(seconds: float) -> float:
    """Return the seconds stretched by the current load, for calls that take a time-out."""
    return seconds * YARDSTICK.stretch


def stretched_test_timeout(seconds: float) -> float:
    """Return the time-out of a whole test stretched by the current load, up to `MAX_TEST_STRETCH`."""
    return seconds * min(YARDSTICK.stretch, MAX_TEST_STRETCH)
