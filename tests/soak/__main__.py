"""`python -m tests.soak --minutes 60`: exit 1 unless every update is there exactly once and nothing grows."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from deploy.kafka import KafkaMissing, KafkaProcess, start_process
from tests.soak.plot import plot
from tests.soak.run import Soak, Wanted, run_soak
from tests.support.deployment import Deployment


def main() -> int:
    """Run on a dedicated Kafka, and print the result."""
    arguments = _arguments()
    wanted = Wanted(arguments.minutes, arguments.rate, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="link-actions-soak-") as folder:
        try:
            broker = start_process(Path(folder) / "kafka", environ=os.environ)
        except KafkaMissing as reason:
            print(f"Cannot start a Kafka process: {reason}", file=sys.stderr)  # noqa: T201 - this is what it is for
            return 3
        try:
            return _run_on(broker, Path(folder), wanted, arguments.plot)
        finally:
            broker.stop()


def _run_on(broker: KafkaProcess, folder: Path, wanted: Wanted, picture: Path | None) -> int:
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {line}", flush=True)  # noqa: T201 - the same

    say(f"{broker.describe()}; {wanted.per_second:,} clicks a second for {wanted.minutes:g} minutes")
    deployment = Deployment(broker, "soak.", folder).create_topics()
    try:
        soak = run_soak(deployment, broker, wanted, say)
    finally:
        deployment.close()
    for line in _report(soak):
        say(line)
    if picture is not None:
        plot(soak, picture)
        say(f"the picture is {picture}")
    return 0 if soak.is_good else 1


def _report(soak: Soak) -> list[str]:
    p50 = [each.p50_ms for each in soak.streams if each.p50_ms is not None]
    p99 = [each.p99_ms for each in soak.streams if each.p99_ms is not None]
    return [
        f"outcomes of the clicks: {dict(soak.outcome.model.outcomes)}; dead letters: {len(soak.outcome.dead_letters)}",
        str(soak.outcome.comparison),
        f"latency, the median over all intervals: p50 {np.median(p50):.0f} ms, p99 {np.median(p99):.0f} ms",
        f"most clicks that waited: {max(each.lag for each in soak.streams):,}",
        *map(str, soak.trends),
        "exact" if soak.is_exact else "NOT EXACT",
        "nothing grows"
        if soak.trends and all(each.is_flat for each in soak.trends)
        else "SOMETHING GROWS, or too short",
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=500, help="clicks a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="where to write the picture")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
