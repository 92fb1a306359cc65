"""`python -m bench.filled`: what a click costs the whole worker when it remembers little, and when it remembers much.

The state is built by this tool: row files with random keys, as old as an empty changelog, which the worker takes for
its own. Each worker drains the same clicks, in turn, and what comes out is checked.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from bench.candidate import Job, Running
from bench.candidates.link_actions import LinkActions
from bench.ground import PARTITIONS, Ground
from bench.runner import alternate
from bench.shape import DEFAULT, SHAPES, Shape
from bench.state import LOAD, VALUE, Keys
from bench.workload import Workload
from consumer.settings import Settings
from consumer.state.rowfile.state import RowFileState
from consumer.state.store import BEGINNING
from consumer.wire import Wire
from deploy.kafka import BENCHMARK, start_kafka


@dataclass(frozen=True, slots=True)
class Filled:
    """The worker with so many keys in its state before it starts."""

    keys: int
    worker: LinkActions
    guarantee: str = "exactly once"
    copies: bool = False
    ends_by_itself: bool = True

    @property
    def name(self) -> str:
        """Tell the keys."""
        return f"{self.keys}-keys"

    def supports(self, shape: Shape) -> bool:
        """Do what the worker does."""
        return self.worker.supports(shape)

    def prepare(self) -> None:
        """Do nothing: what is filled is that of a job."""

    def start(self, job: Job) -> Running:
        """Fill the state, then start the worker on it."""
        fill(job, self.keys)
        return self.worker.start(job)


def fill(job: Job, count: int) -> None:
    """Put random keys into all partitions of the job's state."""
    wire = Wire(Settings(bootstrap_servers=job.servers, group_id=job.group, topic_prefix=job.prefix), {}, {})
    reader, keys = wire.open_reader(wire.names.changelog), Keys()
    state = RowFileState(job.folder / "state" / job.group)
    changelog = reader.identity()
    stores = cycle([state.open(partition, changelog) for partition in range(PARTITIONS)])
    for store, start in zip(stores, range(0, count, LOAD), strict=False):
        store.write(dict.fromkeys(keys.fresh()[: count - start], VALUE), BEGINNING)
    state.close()
    reader.close()


def main() -> None:
    """Run the workers in turn; a line is printed for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.filled", description=__doc__)
    parser.add_argument("--keys", type=int, nargs="*", default=[100_000, 100_000_000])
    parser.add_argument("--clicks", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where the state is made: 5 GB a round at 10^8 keys")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        try:
            ground = Ground(broker.bootstrap_servers, Path(folder), Workload(SHAPES[DEFAULT], options.clicks, 1))
            ground.publish_links()
            ground.publish_clicks()
            candidates = [Filled(keys, LinkActions()) for keys in options.keys]
            for _ in alternate(ground, candidates, options.rounds, broker=None, say=_say):
                pass
        finally:
            broker.stop()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
