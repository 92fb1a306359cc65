"""Being told to stop."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from consumer.errors import ExitCode
from consumer.monitoring.health import Health, Phase

STOPS = (signal.SIGTERM, signal.SIGINT)
STOP_SECONDS = 4.0
"""How long leaving may take from the signal on; then the process ends as it is, for a crash loses nothing."""


@contextmanager
def stopping_on_signals(health: Health, *, stop_seconds: float = STOP_SECONDS) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM or SIGINT has come.

    The first signal starts a timer: a call that hangs ends with the process. The timer does not wait for Python to
    hear of the signal, which it does only when the call of the Kafka library that is being made has returned.
    """
    stopping = threading.Event()

    def stop(_signal: int, _frame: object) -> None:
        health.enter(Phase.STOPPING)
        stopping.set()

    with _ending_the_process_after(stop_seconds):
        before = {number: signal.signal(number, stop) for number in STOPS}
        try:
            yield stopping.is_set
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _ending_the_process_after(seconds: float) -> Iterator[None]:
    """End the process so long after its first signal, unless the block has been left by then."""
    left = threading.Event()
    hearing, telling = socket.socketpair()
    telling.settimeout(0)

    def wait() -> None:
        while (heard := hearing.recv(1)) and heard[0] not in STOPS:
            pass
        if not left.wait(seconds):
            os._exit(ExitCode.DONE)

    before = signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    waiting = threading.Thread(target=wait, name="stop", daemon=True)
    waiting.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        telling.close()
        waiting.join()
        hearing.close()
