"""`python -m bench.stages`: what each step of a click costs the worker's own thread, in µs of CPU, without Kafka.

The clicks of one partition in blocks, as the client library hands them over, decided by the fastest core on a row file.
Handing records to the client library, and what its threads do, is not in it.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from operator import itemgetter, methodcaller
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from bench.core import PARTITION, Material, material
from bench.environment import PARTITIONS
from bench.links import START_MS
from bench.report import table
from bench.shape import DEFAULT, SHAPES
from consumer.decision.core import Core
from consumer.decision.cores import CORES, best_core
from consumer.decision.decide import decide
from consumer.decision.decision import Rules
from runtime.records.block import Block, BlockRecords
from runtime.state.rowfile.state import RowFileState
from schemas.click import ClickLayout

STEPS = {"choose": "plan, partition, key", "count_hits": "hits of each link", "decide": "decide, splice updates"}
"""The stages of a core, by method."""
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
    """A core whose larger steps are measured. Implements `Core`, by handing everything on."""

    core: Core
    watch: Stopwatch

    def __getattr__(self, name: str) -> Any:
        """Return the core's own, measured where it is a step."""
        own = getattr(self.core, name)
        return self.watch.timed(STEPS[name], own) if name in STEPS else own


def blocks(values: Sequence[bytes], size: int) -> Iterator[BlockRecords]:
    """Put the clicks into blocks of that size."""
    for start in range(0, len(values), size):
        block = Block()
        for row, value in enumerate(values[start : start + size]):
            block.append(PARTITION, start + row, b"key", value, None, (1, START_MS))
        yield block.records()


def measure(given: Material, batches: Sequence[BlockRecords], folder: Path, now: int) -> Mapping[str, float]:
    """Carry the batches through on an empty state; return the CPU seconds of each step."""
    watch = Stopwatch()

    def open_core(values: Sequence[bytes], layouts: Mapping[bytes, ClickLayout]) -> Core:
        return cast("Core", TimedCore(watch.timed("cut", CORES[best_core()])(values, layouts), watch))

    with closing(RowFileState(folder)) as state:
        store = state.open(PARTITION, "")
        act, look_up = watch.timed("the rest", decide), watch.timed("look up", store.get_many)
        for number, batch in enumerate(batches, start=1):
            decision = act(
                batch.values(),
                PARTITION,
                layouts=given.layouts,
                plans=given.plans,
                look_up=look_up,
                open_core=open_core,
                rules=Rules(PARTITIONS),
                now=now,
            )
            watch.timed("hits of each link", methodcaller("records", _TOPIC, _FRAME, PARTITION))(decision.hits)
            watch.timed("write the state", store.write)(decision.entries, number)
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
