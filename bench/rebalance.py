"""`python -m bench.rebalance`: measures how long partitions pause when workers join, leave, or are killed.

One worker stays; two more under a supervisor come and go.

Clicks of ever new people arrive at a constant rate; a partition pauses from one update to the next one that comes
late. The times are those at which the worker wrote them.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

from confluent_kafka import Producer

from consumer.changelog.checkpoint import CHECKPOINT_KEY, Checkpoint
from consumer.changelog.entries import PLAIN, DedupeEntry, encode_entry
from consumer.verify.reader import read_topic
from deploy.kafka import BENCHMARK, start_kafka
from tests.builders import NOON, Record, a_link, an_action
from tests.support.deployment import Deployment
from tests.support.flow import Flow
from tests.support.records import click_by
from tests.support.worker import Worker

PARTITIONS = 6
PER_SECOND = 1_000
UPDATES = "crm-updates.set-field.v1"


class UsualDeployment(Deployment):
    """With the default time-outs of the program."""

    def _client_properties(self) -> dict[str, str]:
        return {}


class Rebalances:
    """Changes one group step by step, while clicks flow, and notes when each step began."""

    def __init__(self, deployment: Deployment, keys: int) -> None:
        self._deployment = deployment
        self._keys = keys
        self.begun: dict[str, float] = {}

    def run(self) -> None:
        """Carry out every step."""
        home = self._deployment
        home.define(a_link(an_action("SetField"), link_id="plain"))
        self._remember()
        stays = home.start("a").wait_ready(assigned=PARTITIONS, timeout=120)
        with Flow(home, new_people(), per_second=PER_SECOND):
            self._settled("quiet")
            self.begun["two workers are added, state from the changelog"] = time.time()
            others = self._start_two()
            self._settled()
            self.begun["they leave by SIGTERM"] = time.time()
            others.stop()
            stays.wait_ready(assigned=PARTITIONS, timeout=60)
            self._settled()
            self.begun["they come back, state on disk"] = time.time()
            others = self._start_two()
            self._settled()
            self.begun["one is killed, the supervisor starts it again"] = time.time()
            os.kill(others.events("worker.launched")[0]["process_id"], signal.SIGKILL)
            others.wait_event("worker.ended")
            others.wait_ready(assigned=4, timeout=120)
            self._settled()
            self.begun["all of their machine is killed and stays away"] = time.time()
            others.kill()
            stays.wait_ready(assigned=PARTITIONS, timeout=60)
            self._settled()
            self.begun["end"] = time.time()

    def _start_two(self) -> Worker:
        return self._deployment.start("b", "--workers", "2").wait_ready(assigned=4, timeout=120)

    def still(self) -> Iterator[tuple[str, list[float]]]:
        """Yield for each step the pause of each partition, in seconds."""
        times: dict[int, list[float]] = {partition: [] for partition in range(PARTITIONS)}
        for record in read_topic(self._deployment.servers, self._deployment.topic(UPDATES)):
            times[record.partition].append(record.timestamp_ms / 1000)
        for (step, begun), (_, ended) in pairwise(self.begun.items()):
            yield step, [longest_gap(times[partition], begun, ended) for partition in times]

    def _remember(self) -> None:
        """Fill the changelog as if that many people had clicked."""
        producer = Producer({"bootstrap.servers": self._deployment.servers, "queue.buffering.max.messages": 2_000_000})
        topic = self._deployment.topic(self._deployment.changelog)
        value = encode_entry(DedupeEntry(NOON, applied=1), PLAIN)
        for partition in range(PARTITIONS):
            producer.produce(topic, Checkpoint(PARTITIONS).encode(), CHECKPOINT_KEY, partition)
        for number in range(self._keys):
            producer.produce(topic, value, os.urandom(20), number % PARTITIONS)
            if number % 10_000 == 0:
                producer.poll(0)
        producer.flush()

    def _settled(self, step: str | None = None) -> None:
        """Let clicks flow for a while, as a separate step if it has a name."""
        if step:
            self.begun[step] = time.time()
        time.sleep(4)


def new_people() -> Iterator[Record]:
    """Yield clicks, each of a new person."""
    for number in count():
        yield click_by(f"new-{number}", "plain", clicked_at=NOON + number)


def longest_gap(times: list[float], begun: float, ended: float) -> float:
    """Return the longest time between two updates around this span."""
    before = max((moment for moment in times if moment < begun), default=begun)
    inside = sorted(moment for moment in times if begun <= moment < ended)
    return max((later - earlier for earlier, later in pairwise([before, *inside])), default=ended - before)


def main() -> None:
    """Run on any available Kafka, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebalance", description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000, help="remembered before, over all partitions")
    parser.add_argument("--property", action="append", default=[], help="a further client property, name=value")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        deployment = UsualDeployment(broker, "rebalance.", Path(folder), partitions=PARTITIONS).create_topics()
        deployment.configure(**dict(line.split("=", 1) for line in options.property))
        try:
            show(Rebalances(deployment, options.keys), sys.stdout.write)
        finally:
            deployment.close()
            broker.stop()


def show(rebalances: Rebalances, write: Callable[[str], object]) -> None:
    """Run and print a line for each step, the partitions with the longest pause first."""
    rebalances.run()
    for step, seconds in rebalances.still():
        each = "  ".join(f"{second:5.2f}" for second in sorted(seconds, reverse=True))
        write(f"{step:48}  {each}\n")


if __name__ == "__main__":
    main()
