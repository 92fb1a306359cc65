"""One round of one edge: 1,000 requests a second, full load, a frozen broker, and a kill."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench.edge.candidates import Candidate, Edge, load, running
from bench.edge.topic import CLICKS
from bench.environment import Environment
from bench.measure import cpu_seconds, memory_mib
from deploy.kafka import KafkaProcess
from schemas.codec import Codec
from schemas.record_schema import load_schemas

RATE = 1_000
WARM_UP_SECONDS, PACED_SECONDS, FULL_SECONDS, FROZEN_SECONDS, KILLED_SECONDS = 1.0, 4.0, 5.0, 3.0, 1.5
_PUBLISHED_SECONDS = 60.0
_LOST_SECONDS = 8.0
"""An answered click that is not in the topic this long after the restart is lost."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a round. Times in milliseconds, CPU in µs of user and system per answered and published click."""

    candidate: str
    cpu_us: float
    paced_cpu_us: float
    per_second: float
    full_p50_ms: float
    full_p99_ms: float
    p50_ms: float
    p99_ms: float
    frozen_p99_ms: float
    resident_mib: float
    killed_answered: int
    killed_lost: int


@dataclass(frozen=True, slots=True)
class Round:
    """The broker, topics and tokens that all edges of a round share."""

    broker: KafkaProcess
    environment: Environment
    tokens: Path
    folder: Path

    def measure(self, candidate: Candidate) -> Figures:
        """Run a candidate through everything."""
        path = f"/l/{self.tokens.read_text().split()[0]}"
        with running(candidate, self.broker.bootstrap_servers, self.folder / candidate.name, path) as edge:
            self._load(edge, WARM_UP_SECONDS)
            paced, paced_cpu = self._load(edge, PACED_SECONDS, RATE)
            full, full_cpu = self._load(edge, FULL_SECONDS)
            resident = memory_mib(edge.pid, "VmRSS")
            frozen = self._frozen(edge)
            answered, lost = self._killed(edge)
        return Figures(
            candidate.name,
            full_cpu,
            paced_cpu,
            full["per_second"],
            full["p50_ms"],
            full["p99_ms"],
            paced["p50_ms"],
            paced["p99_ms"],
            frozen["p99_ms"],
            resident,
            answered,
            lost,
        )

    def _load(self, edge: Edge, seconds: float, rate: float = 0) -> tuple[Mapping[str, Any], float]:
        """Load an edge and wait until all is published; return the figures and µs of CPU per click."""
        ends, cpu = self._ends(), cpu_seconds(edge.pid)
        figures = _result(load(edge, self.tokens, self.folder / "ids", seconds=seconds, rate=rate))
        recorded = len((self.folder / "ids").read_text().split()) or figures["answered"]
        if edge.candidate.records:
            self._wait_published(ends + figures["answered"])
        return figures, (cpu_seconds(edge.pid) - cpu) / recorded * 1e6

    def _frozen(self, edge: Edge) -> Mapping[str, Any]:
        """Suspend the broker, and let it go on only when the requests have ended."""
        ends = self._ends()
        self.broker.pause()
        try:
            browsers = load(edge, self.tokens, self.folder / "ids", seconds=FROZEN_SECONDS, rate=RATE)
            time.sleep(FROZEN_SECONDS + 1)
        finally:
            self.broker.resume()
        figures = _result(browsers)
        if edge.candidate.records:
            self._wait_published(ends + figures["answered"])
        return figures

    def _killed(self, edge: Edge) -> tuple[int, int]:
        """Kill an edge under full load and start it again; return the answered clicks, and those that are lost."""
        begins = self.environment.ends(CLICKS)
        browsers = load(edge, self.tokens, self.folder / "ids", seconds=KILLED_SECONDS * 2)
        time.sleep(KILLED_SECONDS)
        edge.kill()
        figures = _result(browsers)
        if not edge.candidate.records:
            return figures["answered"], figures["answered"]
        edge.start()
        answered = set((self.folder / "ids").read_text().split())
        missing, deadline = set(answered), time.monotonic() + _LOST_SECONDS
        while missing and time.monotonic() < deadline:
            missing = answered - set(self._click_ids(begins))
        return len(answered), len(missing)

    def _wait_published(self, wanted: int) -> None:
        deadline = time.monotonic() + _PUBLISHED_SECONDS
        while self._ends() < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._ends()} of {wanted} clicks are in the topic")
            time.sleep(0.05)

    def _ends(self) -> int:
        return sum(self.environment.ends(CLICKS).values())

    def _click_ids(self, begins: Mapping[int, int]) -> Iterator[str]:
        codec, ends = Codec(load_schemas()["LinkClicked"]), self.environment.ends(CLICKS)
        config = {"bootstrap.servers": self.broker.bootstrap_servers, "group.id": "bench-edge"}
        with closing(Consumer({**config, "enable.auto.commit": False})) as consumer:
            consumer.assign([TopicPartition(CLICKS, partition, begin) for partition, begin in begins.items()])
            left = sum(ends[partition] - begin for partition, begin in begins.items())
            while left > 0:
                messages = consumer.consume(10_000, 1)
                left -= len(messages)
                yield from (codec.decode(message.value() or b"")["click_id"] for message in messages)


def _result(browsers: "subprocess.Popen[str]") -> Mapping[str, Any]:
    told, _ = browsers.communicate(timeout=120)
    figures: Mapping[str, Any] = json.loads(told)
    if set(figures["statuses"]) - {"302"}:
        raise ValueError(f"answers that are no redirect: {figures['statuses']}")
    return figures
