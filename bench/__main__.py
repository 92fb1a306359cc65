"""`python -m bench`: the candidates in turn on the same clicks and the same real Kafka, each run checked; a table."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from bench.candidate import Candidate, CandidateMissing
from bench.candidates import CANDIDATES, SHORT
from bench.environment import Environment
from bench.registry_double import running_registry
from bench.report import tables
from bench.runner import Failed, Result, alternate
from bench.shape import DEFAULT, SHAPES
from bench.workload import Workload
from deploy.kafka import BENCHMARK, Broker, KafkaProcess, start_kafka

ALL = "all"
Item = TypeVar("Item")


def main() -> None:
    """Run and print."""
    options = _options()
    chosen = _named(options.candidates, {each.name: each for each in CANDIDATES}, SHORT)
    shapes = _named(options.shapes, SHAPES, (DEFAULT,))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        candidates = list(_prepared(chosen))
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        stack.callback(broker.stop)
        say(broker.describe())
        results: list[Result] = []
        for shape in shapes:
            workload = Workload(shape, options.clicks, options.seed)
            try:
                results += _measure(broker, Path(folder), workload, candidates, rounds=options.rounds)
            except Failed as error:
                raise SystemExit(str(error)) from error
        report = tables(results, candidates)
        say("\n" + report + "\nEvery run ended with exactly the records that must come out.")
        if options.markdown:
            options.markdown.parent.mkdir(parents=True, exist_ok=True)
            options.markdown.write_text(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--clicks", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3, help="how often each candidate is run, in turn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--candidates", default="", help=f"{ALL}, or some of {' '.join(each.name for each in CANDIDATES)}"
    )
    parser.add_argument("--shapes", default="", help=f"{ALL}, or some of {' '.join(SHAPES)}")
    parser.add_argument("--markdown", type=Path, help="a file to write the tables to as well")
    return parser.parse_args()


def _named(wanted: str, known: dict[str, Item], default: Sequence[str]) -> list[Item]:
    names = list(known) if wanted == ALL else wanted.replace(",", " ").split() or list(default)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"{' '.join(unknown)}: there are {' '.join(known)}")
    return [known[name] for name in names]


def _prepared(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    for candidate in candidates:
        try:
            candidate.prepare()
        except CandidateMissing as reason:
            say(f"{candidate.name} is left out: {reason}")
        else:
            yield candidate


def _measure(
    broker: Broker, folder: Path, workload: Workload, candidates: Sequence[Candidate], *, rounds: int
) -> list[Result]:
    process = broker.process_id if isinstance(broker, KafkaProcess) else None
    with ExitStack() as stack:
        registry = stack.enter_context(running_registry()) if workload.shape.registry else None
        environment = Environment(broker.bootstrap_servers, folder, workload, registry)
        environment.publish_links()
        environment.publish_clicks()
        say(f"{workload.clicks:,} clicks of the shape {workload.shape.name} are in the topic")
        results = list(alternate(environment, candidates, rounds, broker=process, say=say))
        environment.close()
    return results


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
