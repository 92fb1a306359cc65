"""`python -m bench`: drain the same clicks with the worker and with the yardstick, in turn, and print both."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from confluent_kafka import Consumer, Producer, TopicPartition

from actions.registry import load_kinds
from bench.measure import Cost, committed_by, measure_drain
from bench.workload import Workload, updates_topic
from consumer.kafka.topic_admin import KafkaTopicAdmin, create_topics
from consumer.kafka.topics import Cleanup, TopicNames, TopicSpec
from consumer.settings import Settings
from deploy.kafka import BENCHMARK, start_kafka
from schemas.record_schema import load_schemas

PARTITIONS = 4
WORKER, YARDSTICK = "link-actions", "pass-through"


@dataclass(frozen=True, slots=True)
class Bench:
    """One broker with the clicks in it."""

    servers: str
    folder: Path
    workload: Workload

    def settings(self, group_id: str = "bench") -> Settings:
        """Return settings of a worker with a group, and so a memory, of its own."""
        return Settings(bootstrap_servers=self.servers, group_id=group_id)

    def names(self, group_id: str = "bench") -> TopicNames:
        """Return the names of the topics."""
        return TopicNames("", group_id, tuple(load_kinds(load_schemas())))

    def publish(self) -> None:
        """Put links and clicks into their topics."""
        self.create_topics("bench")
        schemas = load_schemas()
        producer = Producer(
            {
                "bootstrap.servers": self.servers,
                "partitioner": "murmur2_random",
                "linger.ms": 50,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        names = self.names()
        for key, value in self.workload.definitions(schemas["LinkDefined"]):
            producer.produce(names.definitions, value, key)
        for number, (key, value) in enumerate(self.workload.records(schemas["LinkClicked"])):
            producer.produce(names.clicks, value, key)
            if number % 10_000 == 0:
                producer.poll(0)
        producer.flush()

    def create_topics(self, group_id: str) -> None:
        """Make what a group needs."""
        admin = KafkaTopicAdmin(self.settings())
        create_topics(admin, self.names(group_id), partitions=PARTITIONS, replication_factor=1)

    def run_worker(self, number: int) -> Cost:
        """Drain all clicks with a new worker, and check what came out."""
        group = f"worker-{number}"
        self.create_topics(group)
        before = self.ends()
        environ = {
            **os.environ,
            "LINK_ACTIONS_BOOTSTRAP_SERVERS": self.servers,
            "LINK_ACTIONS_GROUP_ID": group,
            "LINK_ACTIONS_INSTANCE_ID": group,
            "LINK_ACTIONS_STATE_DIR": str(self.folder / "state"),
            "LINK_ACTIONS_HTTP_PORT": "0",
        }
        command = [str(Path(sys.executable).with_name("link-actions")), "run"]
        cost = measure_drain(command, environ, self.committed(group), self.workload.clicks)
        self.check(before)
        return cost

    def run_yardstick(self, number: int) -> Cost:
        """Drain all clicks with the pass-through."""
        group = f"pass-{number}"
        target = TopicSpec(group, Cleanup.DELETE)
        KafkaTopicAdmin(self.settings()).create_topics([target], partitions=PARTITIONS, replication_factor=1)
        command = [sys.executable, "-m", "bench.passthrough", self.servers, self.names().clicks, group, group]
        return measure_drain(command, dict(os.environ), self.committed(group), self.workload.clicks)

    def committed(self, group: str) -> Callable[[], int]:
        """Return how to ask for the group's progress."""
        return committed_by(self.servers, self.names().clicks, group, PARTITIONS)

    def ends(self) -> dict[int, int]:
        """Return where the topic of updates ends now."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "bench-ends"})
        topic = updates_topic(self.names())
        return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(PARTITIONS)}

    def check(self, before: dict[int, int]) -> None:
        """Hold the updates since then against those that must be there: each once, no other."""
        seen = self.update_ids_since(before)
        expected = self.workload.expected_update_ids()
        if len(seen) != len(expected) or set(seen) != expected:
            raise SystemExit(f"wrong: {len(seen)} updates, {len(set(seen))} different ones, {len(expected)} expected")

    def update_ids_since(self, before: dict[int, int]) -> list[str]:
        """Read the ids of committed updates."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": "bench-check",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        topic = updates_topic(self.names())
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in before.items()])
        seen: list[str] = []
        ended = 0
        while ended < PARTITIONS:
            for message in consumer.consume(10_000, 1):
                if message.error():
                    ended += 1
                else:
                    identifier = dict(message.headers() or [])["ce_id"]
                    seen.append(identifier.decode() if isinstance(identifier, bytes) else str(identifier))
        consumer.close()
        return seen


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--clicks", type=int, default=500_000)
    parser.add_argument("--duplicates", type=float, default=0.3, help="share of repeated clicks")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run, in turn")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    workload = Workload(options.clicks, options.duplicates, seed=options.seed)
    with tempfile.TemporaryDirectory() as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        say(broker.describe())
        try:
            compare(Bench(broker.bootstrap_servers, Path(folder), workload), options.rounds)
        finally:
            broker.stop()


def compare(bench: Bench, rounds: int) -> None:
    """Alternate worker and yardstick and print what each took."""
    bench.publish()
    say(f"{bench.workload.clicks} clicks are in the topic, {bench.workload.duplicates:.0%} of them repeated")
    worker: list[Cost] = []
    yardstick: list[Cost] = []
    for number in range(rounds):
        worker.append(bench.run_worker(number))
        say(row(f"{WORKER} {number + 1}", [worker[-1]]))
        yardstick.append(bench.run_yardstick(number))
        say(row(f"{YARDSTICK} {number + 1}", [yardstick[-1]]))
    say("")
    say(row(WORKER, worker))
    say(row(YARDSTICK, yardstick))
    ratios = [mine.cpu_us / theirs.cpu_us for mine, theirs in zip(worker, yardstick, strict=True)]
    say(f"ratio of CPU per click, median of {rounds}: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    say("every run of the worker ended with exactly the updates expected")


def row(name: str, costs: list[Cost]) -> str:
    """Return the medians of some runs as a line."""
    return (
        f"{name:16} {median(cost.cpu_us for cost in costs):6.2f} µs CPU/click"
        f"  {median(cost.clicks_per_second for cost in costs):9,.0f} clicks/s"
        f"  {median(cost.peak_mib for cost in costs):4.0f} MiB peak"
        f"  {median(cost.total_cpu_us for cost in costs):6.2f} µs with start"
    )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
