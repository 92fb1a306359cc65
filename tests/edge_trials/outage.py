"""Freezes the broker, then takes it away, while people click at a constant rate."""

import time
from collections.abc import Callable
from statistics import quantiles

from cli.output import say
from deploy.kafka import KafkaProcess
from tests.edge_trials.verdict import SETTLE_SECONDS, judge
from tests.edge_trials.work import Given, an_edge, fresh_kafka
from tests.kafka.test_edge import a_path
from tests.support.edge import Crowd, EdgeProcess
from tests.support.waiting import wait_until

CALM_SECONDS = 15.0
FROZEN_SECONDS = 12.0


def run(given: Given) -> bool:
    """Print latency and memory of each part; return whether every answered click is in the topic."""
    with fresh_kafka() as (kafka, folder):
        edge = an_edge(kafka, folder)
        crowd = Crowd(edge.edge_port, a_path, per_second=given.rate)
        _bear(Watched(edge, crowd), kafka, given.outage_seconds)
        edge.stop()
        verdict = judge(kafka, folder, crowd.click_ids)
    say(f"{FROZEN_SECONDS:.0f} s frozen, {given.outage_seconds:.0f} s down, {given.rate:.0f} clicks/s: {verdict}")
    return not verdict.lost


def _bear(watched: "Watched", kafka: KafkaProcess, down_seconds: float) -> None:
    watched.during("before", lambda: time.sleep(CALM_SECONDS))
    kafka.pause()
    watched.during("frozen", lambda: time.sleep(FROZEN_SECONDS))
    kafka.resume()
    watched.during("drain", watched.drain)
    kafka.kill()
    watched.during("down", lambda: time.sleep(down_seconds))
    kafka.start()
    watched.during("drain", watched.drain)
    watched.during("after", lambda: time.sleep(CALM_SECONDS))
    watched.crowd.stop()
    watched.drain()


class Watched:
    """An edge and those who click."""

    def __init__(self, edge: EdgeProcess, crowd: Crowd) -> None:
        self.crowd = crowd
        self._edge = edge

    def drain(self) -> None:
        """Return once the broker has everything that was answered, though people still click."""
        wait_until(self._edge.is_published, "publication of every click", timeout=SETTLE_SECONDS)

    def during(self, name: str, wait: Callable[[], None]) -> None:
        """Wait, and print how the edge answered meanwhile, and what it holds at the end."""
        first, begun = len(self.crowd.seconds), time.monotonic()
        wait()
        milliseconds = [1000 * each for each in self.crowd.seconds[first:]]
        percentiles = quantiles(milliseconds, n=100) if len(milliseconds) > 1 else [0.0] * 99
        spooled = self._edge.metrics()["edge_spool_bytes",] / 2**20
        say(
            f"{name}: {time.monotonic() - begun:.1f} s, {len(milliseconds)} answers,"
            f" p50 {percentiles[49]:.2f} ms, p99 {percentiles[98]:.2f} ms, {self._edge.resident_mib:.0f} MiB of memory,"
            f" {spooled:.0f} MiB of spool"
        )
