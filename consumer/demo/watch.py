"""Watches the workers while clicks arrive: shows their progress, and fails if one exits or all are stalled."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from consumer.demo.click_sender import ClickSender
from consumer.demo.failure import DemoFailed
from consumer.demo.progress_reporter import ShowProgress

POLL_SECONDS = 0.1
STALLED_SECONDS = 60.0


class WatchedGroup(Protocol):
    """The progress of a group."""

    def committed(self) -> Mapping[int, int]:
        """Return the committed offset of each partition."""


class WatchedWorker(Protocol):
    """A worker that should be running."""

    def require_running(self) -> None:
        """Raise an error if the worker has ended."""


class Watch:
    """Polls the group and the workers that should be running."""

    def __init__(
        self, group: WatchedGroup, sender: ClickSender, show: ShowProgress, running: Sequence[WatchedWorker]
    ) -> None:
        self.running = running
        self._group = group
        self._sender = sender
        self._show = show
        self._done = 0
        self._progress_at = time.monotonic()

    def poll(self) -> int:
        """Poll once; return the number of processed records. Raises DemoFailed if something is wrong."""
        done = sum(self._group.committed().values())
        now = time.monotonic()
        if done != self._done:
            self._done, self._progress_at = done, now
        elif now - self._progress_at > STALLED_SECONDS:
            raise DemoFailed(f"No click was processed for {STALLED_SECONDS:g} s; see the logs of the workers")
        for worker in self.running:
            worker.require_running()
        # Rerouted records and control records make the offsets exceed the number of records sent.
        self._show(self._sender.sent, min(done, self._sender.sent))
        return done

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Poll until the condition is true."""
        while not condition():
            self.poll()
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float) -> None:
        """Poll for this long."""
        deadline = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= deadline)
