"""`python -m bench.edge`: edges in turn on the same requests and the same real Kafka, as a table.

Beside link-actions: uvicorn's bare redirect, and the same edge with another way to keep a click: it awaits the broker,
commits to a database, or trusts the client library's memory. Ratios of a round bear a busy machine better than figures.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.edge.candidates import CANDIDATES, HELLO, KEY, SUBJECT
from bench.edge.definitions import definition_rows
from bench.edge.rounds import Figures, Round
from bench.environment import Environment
from bench.links import link_id
from bench.report import spread, table
from bench.shape import Shape
from bench.workload import Workload
from deploy.kafka import BENCHMARK, KafkaProcess, start_kafka
from schemas.link_token import sign
from schemas.token_payload import SentLink

TOKENS = 20_000
_SHAPE = Shape("edge")
_COLUMNS = (
    "edge", "µs CPU/click", "at 1,000/s", "clicks/s", "p50 ms", "p99 ms", "p50 full", "p99 full", "p99 frozen",
    "MiB", "lost in a kill",
)  # fmt: skip
_LIMITS: Sequence[tuple[str, float, Callable[[Figures, Figures], float]]] = (
    ("CPU / hello, full load", 2, lambda ours, hello: ours.cpu_us / hello.cpu_us),
    ("CPU / hello, 1,000/s", 2, lambda ours, hello: ours.paced_cpu_us / hello.paced_cpu_us),
    ("µs CPU/click, full load", 45, lambda ours, _: ours.cpu_us),
    ("p99 ms at 1,000/s", 5, lambda ours, _: ours.p99_ms),
    ("p99 with the broker frozen / without", 1.5, lambda ours, _: ours.frozen_p99_ms / ours.p99_ms),
    ("MiB", 60, lambda ours, _: ours.resident_mib),
    ("answered clicks lost in a kill", 0, lambda ours, _: ours.killed_lost),
)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.edge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each edge is run, in turn; 0 skips it")
    parser.add_argument("--links", type=int, default=1_000_000, help="definitions for the figure of memory; 0 skips it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ, profile=BENCHMARK)
        if broker is None:
            raise SystemExit(3)
        try:
            if not isinstance(broker, KafkaProcess):
                raise SystemExit("This needs Java and Maven: it suspends the broker, and a container's cannot be.")
            results = list(_rounds(broker, Path(folder), options.rounds))
            if results:
                say(report(results))
            if options.links:
                rows = definition_rows(broker.bootstrap_servers, Path(folder), options.links)
                say("\n" + table(("definitions", "start", "s until ready", "resident MiB", "anonymous MiB"), rows))
        finally:
            broker.stop()


def _rounds(broker: KafkaProcess, folder: Path, rounds: int) -> Iterator[Figures]:
    tokens = folder / "tokens"
    tokens.write_text("\n".join(map(_token, range(TOKENS))))
    environment = Environment(broker.bootstrap_servers, folder, Workload(_SHAPE, 1))
    environment.publish_links()
    for number in range(rounds):
        one = Round(broker, environment, tokens, folder / str(number))
        for candidate in CANDIDATES:
            figures = one.measure(candidate)
            sys.stderr.write(f"{number}: {figures}\n")
            yield figures


def _token(number: int) -> str:
    sent = SentLink(link_id(number % _SHAPE.links), f"r-{number}", str(number), mailing_id="spring", link_count=12)
    return sign(KEY, sent)


def report(results: Sequence[Figures]) -> str:
    """Return a table of the edges, and one of what link-actions aims at."""
    names = dict.fromkeys(each.candidate for each in results)
    rows = [_cells([each for each in results if each.candidate == name]) for name in names]
    return "\n\n".join([table(_COLUMNS, rows), table(("link-actions", "aim", "measured", ""), _aim_rows(results))])


def _cells(runs: Sequence[Figures]) -> Sequence[str]:
    def told(figure: Callable[[Figures], float], form: str) -> str:
        return spread([figure(each) for each in runs], form.format)

    answered, lost = sum(each.killed_answered for each in runs), sum(each.killed_lost for each in runs)
    return (
        runs[0].candidate,
        told(lambda each: each.cpu_us, "{:.0f}"),
        told(lambda each: each.paced_cpu_us, "{:.0f}"),
        told(lambda each: each.per_second, "{:,.0f}"),
        told(lambda each: each.p50_ms, "{:.1f}"),
        told(lambda each: each.p99_ms, "{:.1f}"),
        told(lambda each: each.full_p50_ms, "{:.1f}"),
        told(lambda each: each.full_p99_ms, "{:.1f}"),
        told(lambda each: each.frozen_p99_ms, "{:.1f}"),
        told(lambda each: each.resident_mib, "{:.0f}"),
        f"{lost:,} of {answered:,}",
    )


def _aim_rows(results: Sequence[Figures]) -> Iterator[Sequence[str]]:
    """Compare round by round, because noise affects neighbouring runs alike."""
    ours, hellos = ([each for each in results if each.candidate == name] for name in (SUBJECT.name, HELLO.name))
    for what, limit, figure in _LIMITS:
        values = [figure(mine, hello) for mine, hello in zip(ours, hellos, strict=True)]
        is_met = sorted(values)[len(values) // 2] <= limit
        yield what, f"≤ {limit:g}", spread(values, "{:.2f}".format), "met" if is_met else "not met"


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
