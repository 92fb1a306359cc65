"""A loop that stands still tells where: the stacks of all threads in the log, once for each stall."""

import faulthandler
import sys
import threading
import traceback
from threading import Event, Thread
from types import TracebackType
from typing import Self

import structlog

from consumer.monitoring.health import Health

_LOG = structlog.get_logger(__name__)

STANDARD_ERROR = 2
_LOOKS = 15
"""How often it looks within the time after which a loop counts as stalled."""


class Watchdog:
    """Watches the loop's beat from a thread of its own while its block lasts.

    It sets the alarm of `faulthandler` again and again for as long as the loop turns. The alarm needs no lock of
    Python, so it tells of code in C too that stalls while it holds that lock, when this thread can log nothing and
    `/livez` does not answer. What it writes is bare text, and is dropped where the thread could log the stall itself.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._every_seconds = health.stalled_after_seconds / _LOOKS
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
    """Return where each thread is, without what its variables hold."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    stacks = [
        f"Thread {names.get(number, number)}:\n{''.join(traceback.format_stack(frame))}"
        for number, frame in sys._current_frames().items()  # noqa: SLF001 - documented, and the only way
    ]
    return "\n".join(stacks)
