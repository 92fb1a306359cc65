"""Graceful shutdown on SIGTERM and SIGINT."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.errors import ExitCode
from runtime.monitoring.health import Phase, Probed

STOPS = (signal.SIGTERM, signal.SIGINT)
STOP_SECONDS = 4.0
"""Limit for a graceful shutdown; after it the process exits at once, because a crash loses nothing."""


@contextmanager
def stopping_on_signals(health: Probed, *, stop_seconds: float = STOP_SECONDS) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGTERM or SIGINT has arrived.

    The first signal starts a timer that ends the process if a call hangs. The timer does not need Python's signal
    handler, which runs only after the current call of the Kafka library has returned.
    """
    stopping = threading.Event()

    def stop(_signal: int, _frame: object) -> None:
        health.enter(Phase.STOPPING)
        stopping.set()

    with _exiting_after(stop_seconds):
        before = {number: signal.signal(number, stop) for number in STOPS}
        try:
            yield stopping.is_set
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _exiting_after(seconds: float) -> Iterator[None]:
    """Exit this many seconds after the first signal, unless the block has ended by then."""
    done = threading.Event()
    reader, writer = socket.socketpair()
    writer.settimeout(0)

    def wait() -> None:
        while (received := reader.recv(1)) and received[0] not in STOPS:
            pass
        if not done.wait(seconds):
            os._exit(ExitCode.DONE)

    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    waiter = threading.Thread(target=wait, name="stop", daemon=True)
    waiter.start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(before)
        writer.close()
        waiter.join()
        reader.close()
