"""Saying the same thing once in a while instead of each time that it happens."""

from collections.abc import Callable

REPEAT_SECONDS = 30.0


class Repeats:
    """Remembers what was said in the last half minute. `now` gives seconds from any start and never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._said_at: dict[str, float] = {}

    def is_due(self, what: str) -> bool:
        """Tell whether it is time to say this, and take it that it is said."""
        now = self._now()
        if now - self._said_at.get(what, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._said_at = {known: time for known, time in self._said_at.items() if now - time < REPEAT_SECONDS}
        self._said_at[what] = now
        return True
