"""Watches the workers while clicks flow: shows how far they are, and notices when they end or stand still."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from consumer.demo.failure import DemoFailed
from consumer.demo.progress_reporter import ShowProgress
from consumer.demo.sending import Sending

LOOK_SECONDS = 0.1
STALLED_SECONDS = 60.0


class WatchedGroup(Protocol):
    """Knows how far a group is."""

    def committed(self) -> Mapping[int, int]:
        """Return the next offset of each partition that the group has still to do."""


class WatchedWorker(Protocol):
    """Knows whether it runs."""

    def require_running(self) -> None:
        """Raise what ended it, or that it ended."""


class Watch:
    """Looks again and again at the group and at those workers that should be running."""

    def __init__(
        self, group: WatchedGroup, sending: Sending, show: ShowProgress, running: Sequence[WatchedWorker]
    ) -> None:
        self.running = running
        self._group = group
        self._sending = sending
        self._show = show
        self._done = 0
        self._moved_at = time.monotonic()

    def look(self) -> int:
        """Look once and return how many records are done; raises DemoFailed where something is wrong."""
        done = sum(self._group.committed().values())
        now = time.monotonic()
        if done != self._done:
            self._done, self._moved_at = done, now
        elif now - self._moved_at > STALLED_SECONDS:
            raise DemoFailed(f"No click was done for {STALLED_SECONDS:g} s; look at the logs of the workers")
        for worker in self.running:
            worker.require_running()
        # A record that is rerouted is done twice, and transactions leave records of their own.
        self._show(self._sending.sent, min(done, self._sending.sent))
        return done

    def until(self, is_so: Callable[[], bool]) -> None:
        """Look until it is so."""
        while not is_so():
            self.look()
            time.sleep(LOOK_SECONDS)

    def pause(self, seconds: float) -> None:
        """Look for a while."""
        deadline = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= deadline)
