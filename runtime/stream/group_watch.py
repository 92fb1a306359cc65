"""Reports the group's view of this worker: whether it accepts the worker as a member, and the lag."""

from collections.abc import Callable, Collection

import structlog

from runtime.errors import Unavailable
from runtime.ports import RetriableError, TransactionalConsumer
from runtime.stream.observer import StreamObserver

_LOG = structlog.get_logger(__name__)

DRAIN_REFUSED_SECONDS = 60.0
"""Longest wait of a draining worker for the group to accept it; any other worker waits without limit."""
ASK_SECONDS = 5.0
UNANSWERED_SECONDS = 10.0
"""Delay after an unanswered request: the loop has waited for it, while others may get answers."""


class MembershipWatch:
    """Reports why the group refuses the worker. `now` is a monotonic clock, in seconds."""

    def __init__(
        self, consumer: TransactionalConsumer, observer: StreamObserver, now: Callable[[], float], *, drain: bool
    ) -> None:
        self._consumer = consumer
        self._observer = observer
        self._now = now
        self._drain = drain
        self._refused_since: float | None = None

    def check(self) -> None:
        """Call it after each `consume`. Raises Unavailable if a draining worker was refused for too long."""
        refusal = self._consumer.refusal()
        self._observer.refused(refusal)
        if refusal is None:
            self._refused_since = None
            return
        if self._refused_since is None:
            self._refused_since = self._now()
        if self._drain and self._now() - self._refused_since >= DRAIN_REFUSED_SECONDS:
            raise Unavailable(f"Nothing was drained in {DRAIN_REFUSED_SECONDS:.0f} s. {refusal}")


class LagWatch:
    """Asks the broker for the lag now and then: paused partitions fetch nothing that would tell it.

    A partition is paused while its state is restored or its disk is full, which may take hours. Asks on the loop's
    thread; `now` is a monotonic clock, in seconds.
    """

    def __init__(self, consumer: TransactionalConsumer, observer: StreamObserver, now: Callable[[], float]) -> None:
        self._consumer = consumer
        self._observer = observer
        self._now = now
        self._due = 0.0

    def ask_soon(self) -> None:
        """Ask on the next call of `poll`, because the assignment changed."""
        self._due = 0.0

    def poll(self, live: Collection[int], restoring: Collection[int]) -> None:
        """Ask if it is time. If the broker does not answer, the lag stays as last known."""
        if self._now() < self._due:
            return
        try:
            lag = self._consumer.group_lag([*live, *restoring])
        except RetriableError as error:
            _LOG.debug("lag.unknown", detail=str(error))
            self._due = self._now() + UNANSWERED_SECONDS
        else:
            self._observer.lag(lag)
            is_all_done = self._consumer.is_member and not restoring and not any(lag.values())
            self._observer.answered(is_all_done=is_all_done)
            self._due = self._now() + ASK_SECONDS
