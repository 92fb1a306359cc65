"""Logs the stacks of all threads when the loop stalls, once per stall."""

import faulthandler
import sys
import threading
import traceback
from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog

from runtime.monitoring.health import Probed

_LOG = structlog.get_logger(__name__)

STANDARD_ERROR = 2
_CHECKS = 15
"""Checks within the time after which a loop counts as stalled."""


class Watchdog:
    """Watches the loop's beat on its own thread; a context manager.

    While the loop turns, it keeps postponing the alarm of `faulthandler`. The alarm does not need the GIL, so it also
    reports C code that stalls while it holds the GIL, when this thread can log nothing and `/livez` does not answer.
    The alarm writes bare text; it is cancelled if this thread can log the stall.
    """

    def __init__(self, health: Probed) -> None:
        self._health = health
        self._every_seconds = health.stalled_after_seconds / _CHECKS
        self._ended = Event()
        self._thread = Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        stalled = False
        while not self._ended.wait(self._every_seconds):
            live = self._health.live()
            if live.alive:
                left = self._health.stalled_after_seconds - live.seconds_since_beat
                faulthandler.dump_traceback_later(left + 2 * self._every_seconds, file=STANDARD_ERROR)
            if stalled and live.alive:
                _LOG.warning("loop.resumed")
            elif not stalled and not live.alive:
                faulthandler.cancel_dump_traceback_later()
                _LOG.error("loop.stalled", seconds_since_beat=live.seconds_since_beat, stack=_stacks())
            stalled = not live.alive
        faulthandler.cancel_dump_traceback_later()


def _stacks() -> str:
    """Return the stack of each thread, without the values of variables."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = [
        f"Thread {names.get(number, number)}:\n{''.join(traceback.format_stack(frame))}"
        for number, frame in sys._current_frames().items()  # noqa: SLF001 - documented, and the only way
    ]
    return "\n".join(stacks)
