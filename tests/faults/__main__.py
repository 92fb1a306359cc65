"""`python -m tests.faults --clicks 200000 --kills 5 --seed 1`: exit 1 unless every update is there exactly once."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from deploy.kafka import Broker, start_kafka
from tests.faults.run import FaultRun
from tests.support.deployment import Deployment
from tests.support.outcome import hits


def main() -> int:
    """Run on any available Kafka, and print the result."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="link-actions-faults-") as folder:
        broker = start_kafka(Path(folder), environ=os.environ)
        if broker is None:
            return 3
        try:
            return _run_on(broker, Path(folder), wanted)
        finally:
            broker.stop()


def _run_on(broker: Broker, folder: Path, wanted: argparse.Namespace) -> int:
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)  # noqa: T201 - this is what it is for

    deployment = Deployment(broker, f"faults-{int(time.time())}.", folder).create_topics()
    say(f"{broker.describe()}; {wanted.clicks:,} clicks, each of two workers killed {wanted.kills} times")
    try:
        run = FaultRun(deployment, clicks=wanted.clicks, say=say)
        outcome = run.run(kills=wanted.kills, seed=wanted.seed)
        say(f"{run.hit_transactions} of {2 * wanted.kills} kills left an open transaction behind")
        say(f"outcomes of the clicks: {dict(outcome.model.outcomes)}; dead letters: {len(outcome.dead_letters)}")
        say(str(outcome.comparison))
        is_exact = (
            outcome.comparison.is_exact
            and outcome.model.outcomes.total() == wanted.clicks
            and hits(deployment) == outcome.model.hits
            and not outcome.dead_letters
        )
        say("exact" if is_exact else f"NOT EXACT; again with --seed {wanted.seed}")
        return 0 if is_exact else 1
    finally:
        deployment.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--clicks", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=5, help="of each of the two workers")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
