"""`python -m bench.latency`: how long it takes from a click to its update, as a read_committed reader sees it.

Clicks are sent at a steady rate, and each candidate is warmed up before what counts; so is the broker, by a run of
the first candidate that does not count. The time runs from the producer's call for the click, a little before the
broker has appended it, to the update's arrival at a reader in the same process. Who falls behind shows as inf.
"""

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import median

from bench.candidate import Candidate, CandidateMissing
from bench.candidates.floor import Floor
from bench.candidates.kafka_streams import KafkaStreams
from bench.candidates.link_actions import LinkActions
from bench.constant_rate import Late, Latency, Traffic, measure
from bench.environment import Environment
from bench.expectation import WrongOutput
from bench.report import spread, table
from bench.shape import DEFAULT, SHAPES
from bench.workload import Workload
from deploy.kafka import BENCHMARK, start_kafka

FLOOR_INTERVAL_MS = 10
"""With 5 the floor had p50 25 and p99 69 ms instead of 27 and 52, with 2 it had 23 and 126."""
CANDIDATES: Mapping[str, Candidate] = {
    "link-actions": LinkActions(drain=False),
    "kafka-streams": KafkaStreams(),
    "floor": Floor(commit_interval_ms=FLOOR_INTERVAL_MS),
}
RATES = (2_000, 20_000)


def report(latencies: Sequence[Latency]) -> str:
    """Return a table of the medians and ranges of the rounds."""
    rows = []
    for rate, candidate in dict.fromkeys((each.rate, each.candidate) for each in latencies):
        runs = [each for each in latencies if (each.rate, each.candidate) == (rate, candidate)]
        figures = ([run.p50 for run in runs], [run.p99 for run in runs])
        cpu = spread([run.cpu_us for run in runs], "{:.1f}".format)
        rows.append((f"{rate:,}", candidate, *(spread(each, "{:.0f}".format) for each in figures), cpu))
    tables = [table(("clicks/s", "candidate", "p50 ms", "p99 ms", "µs CPU/click"), rows)]
    tables.append(table(("figure", "limit", "measured", ""), list(target_rows(latencies))))
    return "\n\n".join(tables) + "\n"


def target_rows(latencies: Sequence[Latency]) -> Iterator[Sequence[str]]:
    """Yield what became of each target: link-actions with default settings, by the median of the rounds."""
    for rate, name, limit in ((2_000, "p50", 25), (2_000, "p99", 60), (20_000, "p99", 150)):
        ours, theirs = (
            [getattr(each, name) for each in latencies if (each.rate, each.candidate) == (rate, candidate)]
            for candidate in ("link-actions", "kafka-streams")
        )
        yield _measured(f"{name} at {rate:,} clicks/s, ms", limit, ours)
        if rate == RATES[0]:
            # A ratio to a candidate that fell behind would be zero, and the target met.
            ratios = [mine / their for mine, their in zip(ours, theirs, strict=False) if math.isfinite(their)]
            yield _measured(f"{name} at {rate:,} clicks/s, link-actions / kafka-streams", 0.5, ratios)


def main() -> None:
    """Run and print."""
    options = _options()
    for name in options.candidates:
        try:
            CANDIDATES[name].prepare()
        except CandidateMissing as reason:
            raise SystemExit(f"{name} is not available: {reason}; exclude it with --candidates") from reason
    with tempfile.TemporaryDirectory() as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        try:
            latencies = list(alternate(broker.bootstrap_servers, Path(folder), options))
        except WrongOutput as error:
            raise SystemExit(str(error)) from error
        finally:
            broker.stop()
    sys.stdout.write(report(latencies) + "\nEvery run that got done ended with exactly the updates expected.\n")


def alternate(servers: str, folder: Path, options: argparse.Namespace) -> Iterator[Latency]:
    """Run the candidates in turn, after a warm-up run, and print each figure at once."""

    def run(number: int | str, rate: int, name: str) -> Latency:
        traffic = Traffic(rate, options.warm_up, options.seconds)
        shape = replace(SHAPES[DEFAULT], name=f"{name}-{rate}-{number}")
        try:
            with closing(Environment(servers, folder, Workload(shape, traffic.clicks))) as environment:
                latency = measure(environment, CANDIDATES[name], traffic)
        except Late as late:
            sys.stderr.write(f"{late}\n")
            latency = Latency(rate, name, math.inf, math.inf, math.nan)
        sys.stderr.write(f"{number}: {latency}\n")
        return latency

    run("broker", options.rates[0], options.candidates[0])
    for number, rate, name in product(range(options.rounds), options.rates, options.candidates):
        yield run(number, rate, name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="*", default=list(RATES))
    parser.add_argument("--candidates", nargs="*", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=15, help="seconds that do not count")
    parser.add_argument("--seconds", type=int, default=20)
    return parser.parse_args()


def _measured(what: str, limit: float, values: Sequence[float]) -> Sequence[str]:
    if not values:
        return what, f"≤ {limit:g}", "", "not measured"
    form = "{:.2f}".format if limit < 1 else "{:.0f}".format
    return what, f"≤ {limit:g}", spread(values, form), "met" if median(values) <= limit else "not met"


if __name__ == "__main__":
    main()
