"""Limits how often the same event is logged."""

from collections.abc import Callable

REPEAT_SECONDS = 30.0


class LogThrottle:
    """Lets an event pass once in `REPEAT_SECONDS`. `now` is a monotonic clock, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._logged_at: dict[str, float] = {}

    def is_due(self, event: str) -> bool:
        """Return whether the event may be logged now; if so, the caller must log it."""
        now = self._now()
        if now - self._logged_at.get(event, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._logged_at = {known: time for known, time in self._logged_at.items() if now - time < REPEAT_SECONDS}
        self._logged_at[event] = now
        return True
