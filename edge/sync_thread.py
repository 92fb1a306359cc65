"""Syncs the spool to the disk itself, so that what was answered survives a power cut."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from edge.spool.spool import SpoolFull
from runtime.monitoring.log_throttle import LogThrottle

_LOG = structlog.get_logger(__name__)

INTERVAL_SECONDS = 0.1


class SyncThread:
    """Syncs every 100 ms; `synced` makes it sync at once, for all who wait at that time."""

    def __init__(self, sync: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` is a clock in seconds."""
        self._sync = sync
        self._throttle = LogThrottle(monotonic)
        self._wanted = threading.Event()
        self._is_stopping = False
        self._lock = threading.Lock()
        self._waiting: list[asyncio.Future[bool]] = []
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    def start(self) -> None:
        """Begin to sync."""
        self._thread.start()

    def stop(self) -> None:
        """Sync once more, what was appended before this call, and stop."""
        self._is_stopping = True
        self._wanted.set()
        self._thread.join()

    def synced(self) -> "asyncio.Future[bool]":
        """Return a future: true once what was appended before is on the disk, false if the disk refuses."""
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append(waiting)
        self._wanted.set()
        return waiting

    def _run(self) -> None:
        while not self._is_stopping:
            self._wanted.wait(INTERVAL_SECONDS)
            self._wanted.clear()
            self._sync_waiting()
        self._sync_waiting()  # the last round may have begun before `stop` was called

    def _sync_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        is_synced = self._try_sync()
        for each in waiting:
            with suppress(RuntimeError):  # the event loop has ended, and with it who waited
                each.get_loop().call_soon_threadsafe(_settle, each, is_synced)

    def _try_sync(self) -> bool:
        try:
            self._sync()
        except (SpoolFull, OSError) as error:
            if self._throttle.is_due("spool.refused"):
                _LOG.error("spool.refused", detail=str(error))
            return False
        return True


def _settle(waiting: "asyncio.Future[bool]", is_synced: bool) -> None:  # noqa: FBT001 - a callback
    if not waiting.done():
        waiting.set_result(is_synced)
