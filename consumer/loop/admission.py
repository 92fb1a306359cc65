"""Whether the group takes this worker. One that is refused has no partitions, and is not ready."""

from collections.abc import Callable

from consumer.errors import Unavailable
from consumer.loop.observer import Observer
from consumer.ports import TransactionalConsumer

DRAIN_REFUSED_SECONDS = 60.0
"""How long a draining worker waits for the group to take it; any other one waits for as long as it takes."""


class Admission:
    """Tells the observer why the group refuses the worker. `now` is a monotonic clock, in seconds."""

    def __init__(
        self, stream: TransactionalConsumer, observer: Observer, now: Callable[[], float], *, must_end: bool
    ) -> None:
        """`must_end` is for a worker that drains: whoever started it waits for its end."""
        self._stream = stream
        self._observer = observer
        self._now = now
        self._must_end = must_end
        self._refused_since: float | None = None

    def check(self) -> None:
        """Look once; call it after each `consume`. Raises Unavailable where a drain was refused for too long."""
        refusal = self._stream.refusal()
        self._observer.refused(refusal)
        if refusal is None:
            self._refused_since = None
            return
        if self._refused_since is None:
            self._refused_since = self._now()
        if self._must_end and self._now() - self._refused_since >= DRAIN_REFUSED_SECONDS:
            raise Unavailable(f"Nothing was drained in {DRAIN_REFUSED_SECONDS:.0f} s. {refusal}")
