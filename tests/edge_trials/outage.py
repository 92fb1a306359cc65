"""Freezes the broker, then takes it away, while people click at a constant rate."""

import time

from cli.output import say
from deploy.kafka import KafkaProcess
from tests.edge_trials.verdict import judge
from tests.edge_trials.watched import Watched
from tests.edge_trials.work import Given, an_edge, fresh_kafka
from tests.kafka.test_edge import a_path
from tests.support.edge import Crowd

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


def _bear(watched: Watched, kafka: KafkaProcess, down_seconds: float) -> None:
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
