"""A loop that stands still tells where: the stacks of all threads on standard error, once for each stall."""

import faulthandler
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

    It sets the library's alarm again and again for as long as the loop turns. The alarm goes off without
    Python's lock, so it tells of code in C too that stalls with the lock in its hands: then nobody answers `/livez`.
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
                faulthandler.dump_traceback_later(left + self._every_seconds, file=STANDARD_ERROR)
            if stalled and live.alive:
                _LOG.warning("loop.resumed")
            elif not stalled and not live.alive:
                _LOG.error("loop.stalled", seconds_since_beat=live.seconds_since_beat)
            stalled = not live.alive
        faulthandler.cancel_dump_traceback_later()
