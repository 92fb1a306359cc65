"""Being told to stop."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from consumer.errors import ExitCode
from consumer.health import Health, Phase

STOP_SECONDS = 4.5
"""How long leaving may take from the signal on; then the process ends as it is, for a crash loses nothing."""


@contextmanager
def stopping_on_signals(health: Health) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM or SIGINT has come.

    The first signal starts a timer: a close that hangs, as it may during a rebalance, ends with the process.
    """
    stopping = threading.Event()
    timer = threading.Timer(STOP_SECONDS, os._exit, [ExitCode.DONE])
    timer.daemon = True

    def stop(_signal: int, _frame: object) -> None:
        if not stopping.is_set():
            health.enter(Phase.STOPPING)
            stopping.set()
            timer.start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping.is_set
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
