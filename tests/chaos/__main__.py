"""`python -m tests.chaos --faults 300 --seed 1`: exit 1 at a violation, 3 if no Kafka process can start."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from deploy.kafka import KafkaMissing
from tests.chaos.plan import KINDS, plan_rounds
from tests.chaos.report import report
from tests.chaos.run import run_rounds

MEMORY = Path("/dev/shm")  # noqa: S108 - a disk, not a file that others could guess
ROOM_BYTES = 4 * 1024**3


def main() -> int:
    """Run what is planned, and print what happened and the report."""
    wanted, started = _arguments(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that disks are unmounted and processes ended

    def say(line: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {line}", flush=True)  # noqa: T201 - this is what it is for

    kinds = [kind for kind in KINDS if wanted.only in kind.name]
    say(f"{wanted.faults} faults of {len(kinds)} kinds; seed {wanted.seed}")
    folder = Path(tempfile.mkdtemp(prefix="link-actions-chaos-", dir=_disk()))
    try:
        results = run_rounds(plan_rounds(wanted.faults, wanted.seed, kinds), folder, environ=os.environ, say=say)
    except KafkaMissing as reason:
        say(f"Cannot start a Kafka process: {reason}.")
        return 3
    minutes = (time.monotonic() - started) / 60
    print(f"\n{report(results, seed=wanted.seed, minutes=minutes)}")  # noqa: T201 - this is what it is for
    if any(result.violations for result in results):
        say(f"logs and topics are kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _disk() -> Path | None:
    """Return a RAM disk if there is one with room; it outlives killed processes.

    Kafka's controllers sync their log at every step. In a run on a disk that was most likely throttled three brokers
    paused for 6 to 25 s repeatedly.
    """
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="kinds of faults whose names have this in them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
