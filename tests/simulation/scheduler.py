"""The scheduler: one clock that jumps from event to event, and all greenlets that wait for a time."""

from collections.abc import Callable
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet

from tests.builders import NOON

MAX_STEPS = 60_000
"""A run that takes more goes round in circles."""


class Endless(BaseException):
    """The run goes round in circles; a bug of the program or of the simulator."""


class Scheduler:
    """Implements `Clock`. A sleeping greenlet yields to all events before its time is over."""

    def __init__(self) -> None:
        self._now = 0.0
        self._number = 0
        self._hub = getcurrent()
        self._planned: list[tuple[float, int, Callable[[], object]]] = []

    def now_ms(self) -> int:
        return NOON + int(self._now * 1000)

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        until = self._now + seconds
        self._number += 1
        if self._number > MAX_STEPS:
            raise Endless
        if not self._planned or self._planned[0][0] > until:
            # No other event would run meanwhile.
            self._now = until
            return
        heappush(self._planned, (until, self._number, getcurrent().switch))
        self._hub.switch()

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Call it after that much time."""
        self._number += 1
        heappush(self._planned, (self._now + seconds, self._number, act))

    def start(self, run: Callable[[], None]) -> None:
        """Run a function that may sleep."""
        self.after(0.0, greenlet(run).switch)

    def run(self, until: Callable[[], bool], *, at_most_seconds: float) -> bool:
        """Run events until the condition holds; return whether it did within the time."""
        deadline = self._now + at_most_seconds
        while not until():
            if not self._planned or self._now > deadline:
                return False
            self._now, _, act = heappop(self._planned)
            act()
        return True
