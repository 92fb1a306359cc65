"""Clicks that keep coming while a test does something else."""

import sys
from collections.abc import Iterable
from itertools import islice
from threading import Event, Thread
from types import TracebackType
from typing import Self

from tests.builders import Record
from tests.support.deployment import Deployment

TICK_SECONDS = 0.02


class Flow:
    """Publishes clicks from an iterator at an even pace until the block ends.

    It halts where `published` reaches `limit`, which may be raised.
    """

    def __init__(self, deployment: Deployment, clicks: Iterable[Record], *, per_second: int = 1_000) -> None:
        self._deployment = deployment
        self._clicks = iter(clicks)
        self._per_tick = max(1, round(per_second * TICK_SECONDS))
        self._ended = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="flow", daemon=True)
        self.published = 0
        self.limit = sys.maxsize

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._ended.wait(TICK_SECONDS):
                some = list(islice(self._clicks, max(min(self._per_tick, self.limit - self.published), 0)))
                self._deployment.click(*some)
                self.published += len(some)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._failure = error
