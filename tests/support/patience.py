"""How long a test waits: as long as this machine needs, since seconds are those of an idle one and are stretched.

The yardstick is a fixed piece of work, measured when the tests start and again while they wait. If it takes three times
as long as on an idle machine, a wait lasts three times as long. So a wait never says how busy the machine may be, and
one in vain still ends soon where the machine is idle.
"""

import time
from collections import deque
from collections.abc import Callable

ROUNDS = 800_000
NOMINAL_SECONDS = 0.025
"""What the work takes on an idle machine; longer than a turn that the scheduler gives to one process among several."""
MEASURE_EVERY_SECONDS = 1.0
REMEMBERED = 3
"""Measurements of which the longest counts: one alone may meet a lucky moment."""
LONGEST_STRETCH = 20.0


def work() -> None:
    """Keep one core busy for a fixed number of rounds."""
    total = 0
    for number in range(ROUNDS):
        total += number


class Yardstick:
    """Measures the work again and again, but not more often than every second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, work: Callable[[], None] = work) -> None:
        self._clock = clock
        self._work = work
        self._measured: deque[float] = deque(maxlen=REMEMBERED)
        self._measured_at = float("-inf")

    @property
    def stretch(self) -> float:
        """How many times longer than on an idle machine everything takes now; at least 1."""
        begun = self._clock()
        if begun - self._measured_at >= MEASURE_EVERY_SECONDS:
            self._work()
            self._measured_at = self._clock()
            self._measured.append(self._measured_at - begun)
        return min(max(1.0, max(self._measured) / NOMINAL_SECONDS), LONGEST_STRETCH)


YARDSTICK = Yardstick()
"""Of this process."""


class Deadline:
    """The end of a wait of so many seconds of an idle machine; load that comes or goes meanwhile moves it."""

    def __init__(
        self, seconds: float, yardstick: Yardstick = YARDSTICK, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = seconds
        self._yardstick = yardstick
        self._clock = clock
        self._looked_at = clock()

    @property
    def has_passed(self) -> bool:
        """Whether the wait is over. To be asked often: the time since the last question counts by the load of now."""
        stretch, now = self._yardstick.stretch, self._clock()
        self._left -= (now - self._looked_at) / stretch
        self._looked_at = now
        return self._left < 0


def stretched(seconds: float) -> float:
    """Return how long this is by the load of now, for calls that wait by themselves."""
    return seconds * YARDSTICK.stretch
