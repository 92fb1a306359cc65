"""`make edge-kills`: kills an edge under load, takes its broker away, and counts the clicks."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from cli.output import say
from deploy.kafka import TEST, KafkaProcess, start_process
from tests.builders import a_link
from tests.kafka.test_edge import a_path, an_edge, clicks_in_topic
from tests.support.deployment import Deployment
from tests.support.edge import Crowd, EdgeProcess
from tests.support.waiting import wait_until

LOAD_SECONDS = 0.6
FROZEN_SECONDS = 12.0
SETTLE_SECONDS = 600.0


def kill_often(deployment: Deployment, kills: int) -> list[str]:
    """Kill an edge under load again and again; return the ids of the answered clicks."""
    answered: list[str] = []
    for _ in range(kills):
        edge = an_edge(deployment).wait_edge()
        crowd = Crowd(edge.edge_port, a_path)
        wait_until(lambda crowd=crowd: len(crowd.click_ids) > 50, "answers")  # type: ignore[misc]
        time.sleep(LOAD_SECONDS)
        edge.kill()
        answered += crowd.stop().click_ids
    return answered


def bear_outage(edge: EdgeProcess, kafka: KafkaProcess, *, down_seconds: float) -> list[str]:
    """Freeze the broker, kill it and start it again; print latencies and memory, return the answered ids."""
    crowd = Crowd(edge.edge_port, a_path)
    spans = {"before": during(crowd, lambda: time.sleep(5))}
    kafka.pause()
    spans["frozen"] = during(crowd, lambda: time.sleep(FROZEN_SECONDS))
    kafka.resume()
    kafka.kill()
    spans["down"] = during(crowd, lambda: time.sleep(down_seconds))
    kafka.start()
    spans["after"] = during(crowd, lambda: time.sleep(5))
    crowd.stop()
    for name, (first, last) in spans.items():
        percentiles = quantiles([1000 * each for each in crowd.seconds[first:last]], n=100)
        say(f"{name}: {last - first} answers, p50 {percentiles[49]:.1f} ms, p99 {percentiles[98]:.1f} ms")
    return crowd.click_ids


def during(crowd: Crowd, wait: Callable[[], None]) -> tuple[int, int]:
    """Return which answers came during the wait."""
    first = len(crowd.seconds)
    wait()
    return first, len(crowd.seconds)


def main() -> int:
    """Run both trials; return 1 if a click is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--outage", type=float, default=120.0, metavar="SECONDS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        kafka = start_process(Path(root) / "kafka", environ=os.environ, profile=TEST)
        deployment = Deployment(kafka, "kills.", Path(root)).create_topics()
        deployment.define(a_link())
        try:
            return trial(deployment, kafka, kills=given.kills, down_seconds=given.outage)
        finally:
            deployment.close()
            kafka.kill()


def trial(deployment: Deployment, kafka: KafkaProcess, *, kills: int, down_seconds: float) -> int:
    """Print the figures; return 1 if a click is lost."""
    answered = kill_often(deployment, kills)
    edge = an_edge(deployment).wait_edge()
    begun_mib = edge.resident_mib
    answered += bear_outage(edge, kafka, down_seconds=down_seconds)
    say(f"memory: {begun_mib:.0f} MiB at the start, {edge.resident_mib:.0f} MiB after the outage")
    spool = deployment.folder / "spool"
    wait_until(lambda: len([*spool.glob("edge-*")]) == 1, "takeover of every folder", timeout=SETTLE_SECONDS)
    wait_until(edge._is_published, "publication of every click", timeout=SETTLE_SECONDS)
    edge.stop()
    numbers = Counter(click["click_id"] for click in clicks_in_topic(deployment))
    lost = set(answered) - numbers.keys()
    say(
        f"{kills} kills, {FROZEN_SECONDS:.0f} s frozen, {down_seconds:.0f} s down: {len(answered)} answered,"
        f" {len(lost)} lost, {sum(numbers.values()) - len(numbers)} doubled,"
        f" {len(numbers.keys() - set(answered))} recorded but not answered"
    )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
