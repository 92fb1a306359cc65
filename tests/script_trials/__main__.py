"""`python -m tests.script_trials --clicks 20000 --kills 10`: exit 1 unless every effect is there exactly once."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cli.output import say
from deploy.kafka import start_kafka
from schemas.topics import SCRIPT_DEAD_LETTERS
from tests.scripts.deployment import define_scripts, kill_both_often, read, verdict_of
from tests.support.deployment import Deployment


def main() -> int:
    """Kill both kinds of worker on any available Kafka, and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10, help="of each of the two workers")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="link-actions-scripts-") as folder:
        broker = start_kafka(Path(folder), environ=os.environ)
        if broker is None:
            return 3
        deployment = Deployment(broker, f"scripts-{int(time.time())}.", Path(folder)).create_topics()
        try:
            return _run(deployment, given)
        finally:
            deployment.close()
            broker.stop()


def _run(deployment: Deployment, given: argparse.Namespace) -> int:
    define_scripts(deployment)
    kill_both_often(deployment, count=given.clicks, kills=given.kills, seed=given.seed)
    verdict = verdict_of(deployment)
    reasons = Counter(dict(each.headers)["dlq.reason"].decode() for each in read(deployment, SCRIPT_DEAD_LETTERS))
    say(f"{given.clicks:,} clicks, {given.kills} kills of each worker; dead letters: {dict(reasons)}")
    say(f"{verdict}: {'exact' if verdict.is_exact else f'NOT EXACT; again with --seed {given.seed}'}")
    return 0 if verdict.is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
