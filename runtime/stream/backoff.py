"""Backoff and log lines while the broker or the disk does not answer."""

from collections.abc import Callable
from math import inf

import structlog

from runtime.monitoring.log_throttle import LogThrottle
from runtime.ports import RetriableError, StateRefused
from runtime.process.file_descriptors import are_exhausted

_LOG = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
"""Shortest time between two retries."""
MAX_RETRY_SECONDS = 10.0
"""Longest time between two retries while the disk or the operating system refuses."""

BROKER, STATE, DESCRIPTORS = "broker.lost", "state.refused", "descriptors.exhausted"


class RetryBackoff:
    """Logs each kind of error at once and then every half minute. `now` is a monotonic clock, in seconds."""

    def __init__(
        self,
        on_interruption: Callable[[str], None],
        now: Callable[[], float],
        *,
        is_exhausted: Callable[[], bool] = are_exhausted,
    ) -> None:
        """`on_interruption` is called with the reason of each wait.

        `is_exhausted` returns whether the process may open no more files and connections.
        """
        self._on_interruption = on_interruption
        self._now = now
        self._is_exhausted = is_exhausted
        self._throttle = LogThrottle(now)
        self._retry_at = -inf
        self._delay = RETRY_SECONDS

    def wait_seconds(self, error: RetriableError) -> float:
        """Log the error and return how long to wait before the next retry; doubles unless the broker is lost."""
        event = self._event(error)
        self._on_interruption(str(error))
        if self._throttle.is_due(event):
            _LOG.warning(event, detail=str(error))
        late = self._now() - self._retry_at
        wait = max(-late, 0.0)
        is_repeated = late < MAX_RETRY_SECONDS and event != BROKER
        self._delay = min(2 * self._delay, MAX_RETRY_SECONDS) if is_repeated else RETRY_SECONDS
        self._retry_at = self._now() + wait + self._delay
        return wait

    def log_unreachable(self, error: RetriableError) -> None:
        """Log that the broker still does not answer."""
        event = DESCRIPTORS if self._is_exhausted() else "broker.awaited"
        if self._throttle.is_due(event):
            _LOG.warning(event, detail=str(error))

    def _event(self, error: RetriableError) -> str:
        if self._is_exhausted():
            return DESCRIPTORS
        return STATE if isinstance(error, StateRefused) else BROKER
