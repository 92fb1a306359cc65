"""Stops workers within a time limit."""

import signal
import time

from tests.support.patience import stretched
from tests.support.worker import Worker

LEAVE_SECONDS = 5.0
"""Of an idle machine."""


def assert_leave(*workers: Worker) -> None:
    """Stop all workers at once, and assert that each exits cleanly and in time."""
    asked = time.monotonic()
    for worker in workers:
        worker.send(signal.SIGTERM)
    for worker in workers:
        code = worker.wait_exit()
        seconds = time.monotonic() - asked
        assert code == 0, worker.log
        assert seconds < stretched(LEAVE_SECONDS), f"it took {seconds:.1f} s to leave; its log:\n{worker.log}"
