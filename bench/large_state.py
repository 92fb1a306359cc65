"""`python -m bench.large_state`: what a click costs the whole worker when it remembers little, and when much.

The state is filled by a tool before the worker starts. The clicks are on the broker in a transaction that is committed
once the workers are ready, so that the figure holds nothing of the opening; one recipient in ten of them is remembered
from before. Every run is checked as those of `python -m bench` are.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from bench.candidate import Job, Running
from bench.candidates.link_actions import LinkActions
from bench.environment import PARTITIONS, Environment
from bench.expectation import Expectation, WrongOutput, expected_updates, read_digests
from bench.held_clicks import HeldClicks
from bench.measure import Cost, NotDone, Progress, Watch, cpu_seconds, memory_mib
from bench.prefilled_state import fill
from bench.readiness import wait_until_ready
from bench.report import spread, table
from bench.runner import Failed
from bench.shape import Shape
from bench.workload import Workload
from deploy.kafka import BENCHMARK, start_kafka

REMEMBERED = 10
LASTING = 50
"""Keys per click of a round, so that one state lasts for all rounds."""
_COLUMNS = (
    "keys", "µs CPU/click", "clicks/s", "s until ready", "CPU s until ready", "anonymous MiB", "resident MiB",
    "disk bytes/key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filled:
    """The topics and the state of a worker that was not started yet."""

    keys: int
    environment: Environment
    job: Job
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker that waits for clicks, and what it took by then."""

    filled: Filled
    held: HeldClicks
    running: Running
    ends: Mapping[int, int]
    """The end offsets of the updates before."""
    seconds: float
    cpu_seconds: float
    anonymous_mib: float
    resident_mib: float


@dataclass(frozen=True, slots=True)
class Result:
    """One run that ended with exactly the records expected."""

    ready: Ready
    cost: Cost

    @property
    def keys(self) -> int:
        """Number of keys in the state."""
        return self.ready.filled.keys


class Setup:
    """A broker and a folder on which workers are measured.

    To fill a state of 10^8 keys takes minutes, so it serves all rounds, each of which adds a third of a hundredth to
    it. One that would grow by more is made again for each round.
    """

    def __init__(self, servers: str, folder: Path, workloads: Sequence[Workload]) -> None:
        """There is a workload for each round, each by other people."""
        self._servers, self._folder, self._workloads = servers, folder, workloads
        self._lasting: dict[int, Filled] = {}

    def compare(self, numbers: Sequence[int], workload: Workload) -> list[Result]:
        """Prepare a worker for each number of keys, then run them one right after the other; raises Failed."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder, ExitStack() as stack:
            filled = [self._filled(keys, Path(folder), workload) for keys in numbers]
            ready = [stack.enter_context(_started(each, workload)) for each in filled]
            results = [Result(each, _work(each, workload)) for each in ready]
            expectation = expected_updates(workload, filled[0].environment.codecs.updates.frame)
            for each in ready:
                _check(each, expectation)
            for used in filled:
                if used.keys not in self._lasting:
                    used.environment.close()
        return results

    def _filled(self, keys: int, folder: Path, workload: Workload) -> Filled:
        if keys < LASTING * workload.clicks:
            return self._fill(keys, folder, [workload])
        if keys not in self._lasting:
            self._lasting[keys] = self._fill(keys, self._folder, self._workloads)
        return self._lasting[keys]

    def _fill(self, keys: int, folder: Path, workloads: Sequence[Workload]) -> Filled:
        shape = replace(workloads[0].shape, name=f"keys-{keys}-{workloads[0].seed}")
        environment = Environment(self._servers, folder, replace(workloads[0], shape=shape))
        environment.publish_links()
        job = environment.job(shape.name)
        return Filled(keys, environment, job, fill(job, workloads, keys))


@contextmanager
def _started(filled: Filled, workload: Workload) -> Iterator[Ready]:
    """Publish the clicks, start the worker and wait until it is ready; end it afterwards."""
    environment, job = filled.environment, filled.job
    held, ends = HeldClicks(job.servers, job.clicks), environment.ends(job.updates)
    held.publish(environment.record(click) for _, _, click in workload.clicks_in_order())
    begun = time.monotonic()
    running = LinkActions().start(job)
    try:
        with _failing(running):
            wait_until_ready(running)
        seconds, worker = time.monotonic() - begun, running.processes[0].pid
        memory = memory_mib(worker, "RssAnon"), memory_mib(worker, "VmRSS")
        yield Ready(filled, held, running, ends, seconds, cpu_seconds(worker), *memory)
    finally:
        running.stop()


def _work(ready: Ready, workload: Workload) -> Cost:
    job, worker = ready.filled.job, ready.running.processes[0]
    with _failing(ready.running), closing(Progress(job.servers, job.clicks, job.group, PARTITIONS)) as progress:
        before = progress()
        ready.held.release()
        cost = Watch(ready.running, lambda: progress() - before, None).cost(workload.clicks)
        if worker.wait(60) != 0:
            raise NotDone(f"it ended with {worker.returncode}")
    return cost


def _check(ready: Ready, expectation: Expectation) -> None:
    job = ready.filled.job
    with _failing(ready.running):
        expectation.check(read_digests(job.servers, job.updates, ready.ends))


@contextmanager
def _failing(running: Running) -> Iterator[None]:
    try:
        yield
    except (NotDone, WrongOutput) as error:
        raise Failed(f"{running.log.parent.name}: {error}\n{running.last_words()}") from error


def main() -> None:
    """Compare in several rounds, and print."""
    options = _options()
    workloads = [
        Workload(Shape("large-state", remembered=REMEMBERED), options.clicks, number, number * options.clicks)
        for number in range(options.rounds)
    ]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        try:
            setup = Setup(broker.bootstrap_servers, Path(folder), workloads)
            for number, workload in enumerate(workloads):
                results += setup.compare(options.keys[:: -1 if number % 2 else 1], workload)
                sys.stderr.write(f"{report(results[-len(options.keys) :])}\n")
        except Failed as error:
            raise SystemExit(str(error)) from error
        finally:
            broker.stop()
    sys.stdout.write(f"{report(results)}\n\nEvery run ended with exactly the records that must come out.\n")


def report(results: Sequence[Result]) -> str:
    """Return a table, and how much more a click costs than with the least number of keys."""
    by_keys: dict[int, list[Result]] = {}
    for result in sorted(results, key=attrgetter("keys")):
        by_keys.setdefault(result.keys, []).append(result)
    told = table(_COLUMNS, map(_cells, by_keys.values()))
    return "\n".join([told, "", *_ratios(list(by_keys.values()))])


def _cells(results: Sequence[Result]) -> Sequence[str]:
    return (
        f"{results[0].keys:,}",
        spread([each.cost.cpu_us for each in results], "{:.2f}".format),
        spread([each.cost.clicks_per_second for each in results], "{:,.0f}".format),
        spread([each.ready.seconds for each in results], "{:.1f}".format),
        spread([each.ready.cpu_seconds for each in results], "{:.1f}".format),
        spread([each.ready.anonymous_mib for each in results], "{:,.0f}".format),
        spread([each.ready.resident_mib for each in results], "{:,.0f}".format),
        f"{results[0].ready.filled.disk_bytes / results[0].keys:.1f}",
    )


def _ratios(by_keys: Sequence[Sequence[Result]]) -> Iterator[str]:
    """Compare round by round, because noise affects neighbouring runs alike."""
    few, *more = by_keys
    for many in more:
        ratios = [mine.cost.cpu_us / base.cost.cpu_us for mine, base in zip(many, few, strict=True)]
        told = spread(ratios, "{:.2f}".format)
        yield f"CPU per click with {many[0].keys:,} keys / with {few[0].keys:,}: {told}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.large_state", description=__doc__)
    parser.add_argument("--keys", type=int, nargs="*", default=[100_000, 100_000_000])
    parser.add_argument("--clicks", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=4, help="in every other one the order is turned")
    parser.add_argument("--folder", type=Path, help="where the state is made: 5 GB at 10^8 keys")
    return parser.parse_args()


if __name__ == "__main__":
    main()
