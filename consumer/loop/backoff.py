"""What to say and how long to wait when the loop has to begin again, since the broker or the disk was not there."""

from collections.abc import Callable
from math import inf

import structlog

from consumer.loop.observer import Observer
from consumer.monitoring.log_throttle import LogThrottle
from consumer.ports import RetriableError, StateRefused
from consumer.process.file_descriptors import are_exhausted

_LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""Shortest time from one beginning to the next: what is missing now may be missing for hours."""
LONGEST_SECONDS = 10.0
"""Longest time between two tries of a disk that refuses again and again."""

BROKER, STATE, DESCRIPTORS = "broker.lost", "state.refused", "descriptors.exhausted"


class Setbacks:
    """Tells of each kind of setback at once and then every half minute. `now` is a monotonic clock, in seconds."""

    def __init__(
        self, observer: Observer, now: Callable[[], float], *, is_out: Callable[[], bool] = are_exhausted
    ) -> None:
        """`is_out` tells whether the process may open no more files and connections."""
        self._observer = observer
        self._now = now
        self._is_out = is_out
        self._repeats = LogThrottle(now)
        self._retry_at = -inf
        self._delay = RETRY_SECONDS

    def meet(self, error: RetriableError) -> float:
        """Tell of it, and return how many seconds to wait before the next try."""
        event = self._event(error)
        self._observer.interrupted(str(error))
        if self._repeats.is_due(event):
            _LOG.warning(event, detail=str(error))
        late = self._now() - self._retry_at
        wait = max(-late, 0.0)
        is_again = late < LONGEST_SECONDS and event != BROKER
        self._delay = min(2 * self._delay, LONGEST_SECONDS) if is_again else RETRY_SECONDS
        self._retry_at = self._now() + wait + self._delay
        return wait

    def await_broker(self, error: RetriableError) -> None:
        """Tell that the broker is still away."""
        event = DESCRIPTORS if self._is_out() else "broker.awaited"
        if self._repeats.is_due(event):
            _LOG.warning(event, detail=str(error))

    def _event(self, error: RetriableError) -> str:
        if self._is_out():
            return DESCRIPTORS
        return STATE if isinstance(error, StateRefused) else BROKER
