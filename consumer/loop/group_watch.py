"""The lag of what is not fetched, and whether the broker answers: asked of the broker now and then.

A partition that is held tells nothing by itself: while its state is restored, or the disk is full, for hours.
"""

from collections.abc import Callable, Collection

import structlog

from consumer.loop.observer import Observer
from consumer.ports import RetriableError, TransactionalConsumer

_LOG = structlog.get_logger(__name__)

ASK_SECONDS = 5.0
UNANSWERED_SECONDS = 10.0
"""When to ask again where the broker did not answer: the loop has waited for it, and others may answer it well."""


class LagWatch:
    """Asks on the loop's thread; `now` is a monotonic clock, in seconds."""

    def __init__(self, stream: TransactionalConsumer, observer: Observer, now: Callable[[], float]) -> None:
        self._stream = stream
        self._observer = observer
        self._now = now
        self._due = 0.0

    def ask_soon(self) -> None:
        """Ask at the next turn, for other partitions have come."""
        self._due = 0.0

    def turn(self, live: Collection[int], restoring: Collection[int]) -> None:
        """Ask if it is time. A broker that does not answer leaves the lag as it was last known."""
        if self._now() < self._due:
            return
        try:
            lag = self._stream.group_lag([*live, *restoring])
        except RetriableError as error:
            _LOG.debug("lag.unknown", detail=str(error))
            self._due = self._now() + UNANSWERED_SECONDS
        else:
            self._observer.lag(lag)
            is_all_done = self._stream.is_member and not restoring and not any(lag.values())
            self._observer.answered(is_all_done=is_all_done)
            self._due = self._now() + ASK_SECONDS
