"""Clicks at a steady rate, and how long each takes to become an update that a read_committed reader sees."""

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Thread

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.candidate import Candidate, Job
from bench.environment import Environment, Record
from bench.expectation import expected_updates, read_digests
from bench.measure import cpu_seconds

_TICK_SECONDS = 0.001
_LATE_SECONDS = 60


class Late(Exception):
    """Updates are still missing a long time after the last click."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The rate of clicks per second, and the duration of warm-up and measurement."""

    rate: int
    warm_up_seconds: int
    seconds: int

    @property
    def warm_up(self) -> int:
        """Number of clicks of the warm-up."""
        return self.rate * self.warm_up_seconds

    @property
    def clicks(self) -> int:
        """Number of all clicks."""
        return self.warm_up + self.rate * self.seconds


@dataclass(frozen=True, slots=True)
class Latency:
    """The figures of one run; times in milliseconds, CPU in µs of the candidate's processes while measured."""

    rate: int
    candidate: str
    p50: float
    p99: float
    cpu_us: float


class Reader(Thread):
    """Records when updates arrive. A first click's number is its recipient's, so the key identifies the click."""

    def __init__(self, servers: str, topic: str, starts: Mapping[int, int], wanted: int) -> None:
        super().__init__(daemon=True)
        self.arrived: dict[int, float] = {}
        self.all_there = Event()
        self.enough = Event()
        config = {"bootstrap.servers": servers, "group.id": "bench-latency", "isolation.level": "read_committed"}
        self._consumer = Consumer({**config, "enable.auto.commit": False, "fetch.queue.backoff.ms": 5})
        self._consumer.assign([TopicPartition(topic, partition, start) for partition, start in starts.items()])
        self._wanted = wanted

    def run(self) -> None:
        """Read until all are there; waits for one and takes what came with it, for a larger wait would be counted."""
        with closing(self._consumer) as consumer:
            while len(self.arrived) < self._wanted and not self.enough.is_set():
                first = consumer.poll(1)
                now = time.monotonic()
                for message in [*([first] if first else ()), *consumer.consume(10_000, 0)]:
                    if not message.error():
                        self.arrived.setdefault(_number(message.key() or b""), now)
        self.all_there.set()


def send(servers: str, topic: str, records: Sequence[Record], traffic: Traffic) -> Iterator[tuple[int, float]]:
    """Send at the rate and yield each click's number with its time."""
    config = {"bootstrap.servers": servers, "partitioner": "murmur2_random", "enable.idempotence": True}
    producer = Producer({**config, "linger.ms": 1, "log_level": 2, "queue.buffering.max.messages": 1_000_000})
    started, number = time.monotonic(), 0
    while number < len(records):
        due = min(int((time.monotonic() - started) * traffic.rate), len(records))
        for number in range(number, due):  # noqa: B020 - it continues where it was
            key, value = records[number]
            yield number, time.monotonic()
            producer.produce(topic, value, key)
        number = due
        producer.poll(0)
        time.sleep(_TICK_SECONDS)
    producer.flush()


def measure(environment: Environment, candidate: Candidate, traffic: Traffic) -> Latency:
    """Let a candidate do clicks as they come; raises Late, or WrongOutput where the updates are not those expected.

    It has a separate group and its output is dropped: a later run of Kafka Streams that found the changelog
    of this one would take the same clicks for repeated ones.
    """
    environment.publish_links()
    job = environment.job(environment.workload.shape.name)
    try:
        return _measure(environment, job, candidate, traffic)
    finally:
        environment.clean(job)


def _measure(environment: Environment, job: Job, candidate: Candidate, traffic: Traffic) -> Latency:
    expectation = expected_updates(environment.workload, environment.codecs.updates.frame)
    records, sent = list(environment.records()), array("d", bytes(8 * traffic.clicks))
    starts = environment.ends(job.updates)
    reader = Reader(job.servers, job.updates, starts, len(expectation.digests))
    running = candidate.start(job)
    cpu_before = 0.0
    reader.start()
    try:
        for number, now in send(job.servers, job.clicks, records, traffic):
            sent[number] = now
            if number == traffic.warm_up:
                cpu_before = sum(cpu_seconds(process.pid) for process in running.processes)
        if not reader.all_there.wait(_LATE_SECONDS):
            raise Late(f"{candidate.name}: {len(reader.arrived)} updates\n{running.last_words()}")
        cpu = sum(cpu_seconds(process.pid) for process in running.processes) - cpu_before
    finally:
        reader.enough.set()
        reader.join()
        running.stop()
    expectation.check(read_digests(job.servers, job.updates, starts))
    waits = sorted(now - sent[number] for number, now in reader.arrived.items() if number >= traffic.warm_up)
    share = len(waits) / 100
    cpu_us = cpu / (traffic.clicks - traffic.warm_up) * 1e6
    return Latency(traffic.rate, candidate.name, waits[int(50 * share)] * 1e3, waits[int(99 * share)] * 1e3, cpu_us)


def _number(key: bytes) -> int:
    return int(key[-9:])
