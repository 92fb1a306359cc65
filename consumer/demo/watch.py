"""Watches the workers while clicks flow: shows how far they are, and notices when they end or stand still."""

import time
from collections.abc import Callable, Sequence

from consumer.demo.failure import DemoFailed
from consumer.demo.group import Group
from consumer.demo.narrator import ShowProgress
from consumer.demo.sending import Sending
from consumer.demo.worker_process import WorkerProcess

LOOK_SECONDS = 0.1
STALLED_SECONDS = 60.0


class Watch:
    """Looks again and again at the group and at those workers that should be running."""

    def __init__(self, group: Group, sending: Sending, show: ShowProgress, running: Sequence[WorkerProcess]) -> None:
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
            logs = " and ".join(str(worker.log_path) for worker in self.running)
            raise DemoFailed(f"no click was done for {STALLED_SECONDS:g} s; see {logs}")
        for worker in self.running:
            worker.require_running()
        self._show(self._sending.sent, done)
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
