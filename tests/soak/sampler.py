"""Samples all figures every few seconds, in a separate thread."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import numpy as np

from tests.soak.latency import LatencyProbe
from tests.soak.sample import ProcessSample, StreamSample
from tests.support.deployment import Deployment
from tests.support.worker import Worker

EVERY_SECONDS = 3.0


class Sampler:
    """Fills `processes` and `streams` until the block ends.

    `lives` are the workers that run now, by the name of their life; `published` returns the number of clicks.
    """

    def __init__(
        self,
        deployment: Deployment,
        probe: LatencyProbe,
        *,
        lives: Mapping[str, Worker],
        published: Callable[[], int],
    ) -> None:
        self._deployment = deployment
        self._probe = probe
        self._lives = lives
        self._published = published
        self._started = time.monotonic()
        self._ended = Event()
        self._pool = ThreadPoolExecutor(1)
        self.processes: list[ProcessSample] = []
        self.streams: list[StreamSample] = []

    def __enter__(self) -> Self:
        self._run_ended = self._pool.submit(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._pool.shutdown()
        if error is None:
            self._run_ended.result()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._look_at_stream()
            for life, worker in list(self._lives.items()):
                self._look_at_process(life, worker)

    def _look_at_stream(self) -> None:
        seen = self._probe.take()
        p50, p99 = np.percentile(seen, (50, 99)).tolist() if seen else (None, None)
        lag = max(self._published() - self._deployment.total_committed(), 0)
        self.streams.append(StreamSample(self._now(), p50, p99, lag))

    def _look_at_process(self, life: str, worker: Worker) -> None:
        try:
            figures = worker.resident_mib, worker.anonymous_mib, worker.descriptors
        except OSError:
            return  # it has just been killed
        disk = mib_below(self._deployment.state_of(worker.name))
        self.processes.append(ProcessSample(self._now(), life, *figures, disk))

    def _now(self) -> float:
        return time.monotonic() - self._started


def mib_below(folder: Path) -> float:
    """Return what the files below the folder take on the disk; those that vanish meanwhile count nothing."""
    blocks = 0
    for path in folder.rglob("*"):
        try:
            blocks += path.stat().st_blocks
        except OSError:
            continue
    return blocks * 512 / 1024 / 1024
