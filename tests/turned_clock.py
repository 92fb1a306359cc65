"""A clock that only a test advances: a sleep makes the time pass at once."""

from collections.abc import Callable

from tests.builders import NOON


class TurnedClock:
    """Starts at noon. `at` schedules a call for a time, which may be in the middle of a sleep."""

    def __init__(self, now_ms: int = NOON) -> None:
        self._start_ms = now_ms
        self._seconds = 0.0
        self._planned: list[tuple[float, Callable[[], None]]] = []

    def now_ms(self) -> int:
        return self._start_ms + int(self._seconds * 1000)

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds
        due = [each for each in self._planned if each[0] <= self._seconds]
        self._planned = [each for each in self._planned if each[0] > self._seconds]
        for _, act in sorted(due, key=lambda each: each[0]):
            act()

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        self._planned.append((seconds, act))
