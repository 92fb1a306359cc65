"""`python -m bench.stages`: what each step of a click costs the worker's own thread, in µs of CPU, without Kafka.

The clicks of one partition in blocks, as the client library hands them over, decided by the fastest core on a row file.
Handing records to the client library, and what its threads do, is not in it.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from operator import itemgetter, methodcaller
from pathlib import Path
from typing import ParamSpec, TypeVar

from bench.core import PARTITION, Material, material
from bench.ground import PARTITIONS
from bench.links import START_MS
from bench.report import table
from bench.shape import DEFAULT, SHAPES
from consumer.block import Block, BlockRecords
from consumer.decision.candidates import Candidates, Clicks, Recall
from consumer.decision.core import Core, DecideClosely, Settled
from consumer.decision.cores import CORES, fastest
from consumer.decision.decide import decide
from consumer.decision.decision import Decision, Rules
from consumer.decision.hits import Hits
from consumer.decision.plan import LinkPlan, Plans
from consumer.state.rowfile.state import RowFileState
from schemas.bad_record import BadRecord
from schemas.click import ClickLayout

_TOPIC, _FRAME = "link.hits.v1", bytes(10)

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(slots=True)
class Stopwatch:
    """CPU seconds of this thread by step; a step within another one counts for itself alone."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _within: float = 0.0

    def timed(self, step: str, act: Callable[Given, Made]) -> Callable[Given, Made]:
        """Return the same act, measured."""

        def run(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            outer, self._within = self._within, 0.0
            started = time.thread_time()
            try:
                return act(*args, **kwargs)
            finally:
                took = time.thread_time() - started
                self.seconds[step] += took - self._within
                self._within = outer + took

        return run


@dataclass(frozen=True, slots=True)
class TimedCore:
    """A core that is measured. Implements `Core`."""

    core: Core
    watch: Stopwatch

    @property
    def clicks(self) -> Clicks:
        """The clicks."""
        return self.core.clicks

    @property
    def bad(self) -> Mapping[int, BadRecord]:
        """What is no click."""
        return self.core.bad

    def rows_outside(self, earliest: int, latest: int) -> Sequence[int]:
        """Look at the times."""
        return self.core.rows_outside(earliest, latest)

    def choose(self, partition: int, partitions: int, plans: Plans, decision: Decision) -> Candidates:
        """Find plans, partitions and the keys of the memory."""
        return self.watch.timed("plan, partition, key", self.core.choose)(partition, partitions, plans, decision)

    def count_hits(self, links: Sequence[LinkPlan], recall: Recall) -> Hits:
        """Recall the hits of each link."""
        return self.watch.timed("hits of each link", self.core.count_hits)(links, recall)

    def decide(
        self,
        candidates: Candidates,
        recalled: Sequence[bytes | None],
        decision: Decision,
        *,
        in_turn: Container[LinkPlan],
        retention_ms: int | None,
        closely: DecideClosely,
    ) -> Settled:
        """Decide, and splice the updates."""
        act = self.watch.timed("decide, splice updates", self.core.decide)
        return act(candidates, recalled, decision, in_turn=in_turn, retention_ms=retention_ms, closely=closely)


def blocks(values: Sequence[bytes], size: int) -> Iterator[BlockRecords]:
    """Lay the clicks into blocks of so many."""
    for start in range(0, len(values), size):
        block = Block()
        for row, value in enumerate(values[start : start + size]):
            block.append(PARTITION, start + row, b"key", value, None, (1, START_MS))
        yield block.records()


def measure(given: Material, batches: Sequence[BlockRecords], folder: Path, now: int) -> Mapping[str, float]:
    """Carry the batches through on an empty state; return the CPU seconds of each step."""
    watch = Stopwatch()

    def open_core(values: Sequence[bytes], layouts: Mapping[bytes, ClickLayout]) -> Core:
        return TimedCore(watch.timed("cut", CORES[fastest()])(values, layouts), watch)

    with closing(RowFileState(folder)) as state:
        store = state.open(PARTITION, "")
        act, recall = watch.timed("the rest", decide), watch.timed("look up", store.get_many)
        for number, batch in enumerate(batches, start=1):
            decision = act(
                batch.values(),
                PARTITION,
                layouts=given.layouts,
                plans=given.plans,
                recall=recall,
                open_core=open_core,
                rules=Rules(PARTITIONS),
                now=now,
            )
            watch.timed("hits of each link", methodcaller("records", _TOPIC, _FRAME, PARTITION))(decision.hits)
            watch.timed("write the state", store.write)(decision.memory, number)
    return watch.seconds


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument("--shape", default=DEFAULT, choices=list(SHAPES))
    parser.add_argument("--clicks", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=10_000, help="clicks of the partition in one batch")
    parser.add_argument("--rounds", type=int, default=5, help="of which the cheapest counts")
    options = parser.parse_args()
    given = material(SHAPES[options.shape], options.clicks)
    batches = list(blocks(given.values, options.batch))
    runs = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measure(given, batches, Path(folder), START_MS + options.clicks))
    best = min(runs, key=lambda run: sum(run.values()))
    costs = {**dict(sorted(best.items(), key=itemgetter(1), reverse=True)), "all": sum(best.values())}
    rows = [(step, f"{seconds / len(given.values) * 1e6:.2f}") for step, seconds in costs.items()]
    sys.stdout.write(table(("step", "µs CPU/click"), rows) + "\n")


if __name__ == "__main__":
    main()
