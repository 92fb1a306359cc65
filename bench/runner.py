"""Runs the candidates in turn on the same clicks, and checks the output of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.candidate import Candidate, Output
from bench.environment import PARTITIONS, Environment
from bench.expectation import Expectation, WrongOutput, expected_copies, expected_updates, read_digests
from bench.measure import Cost, NotDone, Progress, measure

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One run that ended with exactly the records expected."""

    shape: str
    candidate: str
    cost: Cost


class Failed(Exception):
    """A run did not end, or not with what must come out; the message has the end of what the candidate wrote."""


def alternate(
    environment: Environment, candidates: Sequence[Candidate], rounds: int, *, broker: int | None, say: Say
) -> Iterator[Result]:
    """Run each candidate once in every round; raises Failed."""
    shape = environment.workload.shape
    able = [candidate for candidate in candidates if candidate.supports(shape)]
    expectations = {output: _expect(environment, output) for output in {each.output for each in able}}
    for number in range(1, rounds + 1):
        for candidate in able:
            group = f"{candidate.name}-{shape.name}-{number}"
            cost = run_once(environment, candidate, group, expectations[candidate.output], broker=broker)
            say(f"{shape.name} {number}/{rounds} {told(candidate.name, cost)}")
            yield Result(shape.name, candidate.name, cost)


def run_once(
    environment: Environment, candidate: Candidate, group: str, expectation: Expectation, *, broker: int | None
) -> Cost:
    """Let a candidate do all clicks, and check what came out; raises Failed."""
    job, clicks = environment.job(group), environment.workload.clicks
    before = environment.ends(job.updates)
    running = candidate.start(job)
    try:
        with environment.changing():
            cost = measure(running, Progress(job.servers, job.clicks, group, PARTITIONS), clicks, broker=broker)
        if candidate.ends_by_itself and running.processes[0].wait(60) != 0:
            raise NotDone(f"it ended with {running.processes[0].returncode}")
        running.stop()
        expectation.check(read_digests(job.servers, job.updates, before))
    except (NotDone, WrongOutput) as error:
        raise Failed(f"{group}: {error}\n{running.last_words()}") from error
    finally:
        running.stop()
    environment.clean(job)
    return cost


def told(name: str, cost: Cost) -> str:
    """Return one run as a line."""
    broker = "" if cost.broker_us is None else f"  {cost.broker_us:5.2f} µs broker"
    return (
        f"{name:14} {cost.cpu_us:7.2f} µs CPU/click  {cost.total_cpu_us:7.2f} µs with start"
        f"  {cost.clicks_per_second:9,.0f} clicks/s  {cost.peak_mib:4.0f} MiB{broker}"
    )


def _expect(environment: Environment, output: Output) -> Expectation:
    if output is Output.NOTHING:
        return Expectation(frozenset())
    if output is Output.COPIES:
        return expected_copies(environment.records())
    return expected_updates(environment.workload, environment.codecs.updates.frame)
