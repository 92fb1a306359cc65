"""An edge and those who click, and the figures of a part of a trial."""

import time
from collections.abc import Callable
from statistics import quantiles

from cli.output import say
from tests.edge_trials.verdict import SETTLE_SECONDS
from tests.support.edge import Crowd, EdgeProcess
from tests.support.waiting import wait_until


class Watched:
    """Prints how people were answered, and what the edge holds."""

    def __init__(self, edge: EdgeProcess, crowd: Crowd) -> None:
        self.crowd = crowd
        self.edge = edge

    def drain(self) -> None:
        """Return once the broker has everything that was answered, though people still click."""
        wait_until(self.edge.is_published, "publication of every click", timeout=SETTLE_SECONDS)

    def during(self, name: str, wait: Callable[[], object]) -> None:
        """Wait, and print how the edge answered meanwhile, and what it holds at the end."""
        first, begun, before = len(self.crowd.seconds), time.monotonic(), self._unrecorded()
        wait()
        milliseconds = [1000 * each for each in self.crowd.seconds[first:]]
        percentiles = quantiles(milliseconds, n=100) if len(milliseconds) > 1 else [0.0] * 99
        unrecorded = self._unrecorded() - before
        spooled = self.edge.metrics()["edge_spool_bytes",] / 2**20
        say(
            f"{name}: {time.monotonic() - begun:.1f} s, {len(milliseconds)} answers ({unrecorded} unrecorded),"
            f" p50 {percentiles[49]:.2f} ms, p99 {percentiles[98]:.2f} ms, {self.edge.resident_mib:.0f} MiB of memory,"
            f" {spooled:.0f} MiB of spool"
        )

    def _unrecorded(self) -> int:
        metrics = self.edge.metrics()
        return round(sum(metrics.get(("edge_clicks_total", each), 0) for each in ("unrecorded", "unsynced")))
