"""`python -m tests.faults`: two workers, each killed with SIGKILL several times at random while clicks flow.

Ends with the verdict of the independent reader: every update that the clicks must bring about, exactly once. The links
have every repeat rule, two thirds of the clicks come through another mailing, and people click again and again.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from deploy.kafka import start_kafka
from tests.support.flow import Flow
from tests.support.installation import Installation
from tests.support.outcome import hits, look_at
from tests.support.traffic import LINKS, endless_clicks
from tests.support.waiting import wait_until
from tests.support.worker import Worker

WORKERS = ("worker-1", "worker-2")
PER_SECOND = 4_000
CLICKS_PER_RECIPIENT = 10
CYCLE_SECONDS = 0.25
"""A little more than a worker's cycle: a kill that is put off by a part of it falls anywhere into one."""
DONE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: whom, after how many published clicks, and how much later than that."""

    worker: str
    after: int
    delay_seconds: float


def plan_kills(clicks: int, kills: int, seed: int) -> list[Kill]:
    """Return as many kills of each worker, spread by chance over the time in which the clicks flow."""
    chance = random.Random(seed)
    plan = [
        Kill(worker, chance.randrange(clicks // 20, clicks * 19 // 20), chance.random() * CYCLE_SECONDS)
        for worker in WORKERS
        for _ in range(kills)
    ]
    return sorted(plan, key=lambda kill: kill.after)


def run(installation: Installation, *, clicks: int, kills: int, seed: int) -> bool:
    """Let clicks flow, kill and restart, wait until all is done, and judge. Prints what happens."""
    installation.create_topics()
    installation.define(*LINKS)
    workers = {name: installation.start(name) for name in WORKERS}
    for worker in workers.values():
        worker.wait_ready()
    flow = Flow(
        installation,
        islice(endless_clicks(seed, recipients=max(clicks // CLICKS_PER_RECIPIENT, 1)), clicks),
        per_second=PER_SECOND,
    )
    hit = 0
    with flow:
        for number, kill in enumerate(plan_kills(clicks, kills, seed), 1):
            wait_until(partial(has_published, flow, kill.after), "clicks", timeout=DONE_SECONDS)
            time.sleep(kill.delay_seconds)
            workers[kill.worker].kill()
            is_open = has_open_transaction(installation)
            hit += is_open
            progress = f"{flow.published:,} clicks were sent, {installation.total_committed():,} done"
            say(f"kill {number}: {kill.worker}; {progress}{'; a transaction was open' if is_open else ''}")
            workers[kill.worker] = restart(installation, kill.worker)
        wait_until(partial(has_published, flow, clicks), "the rest of the clicks", timeout=DONE_SECONDS)
    installation.wait_done(timeout=DONE_SECONDS)
    say(f"all {clicks:,} clicks are done; {2 * kills} kills, {hit} of them hit an open transaction")
    codes = [worker.stop() for worker in workers.values()]
    return report(installation, clicks) and not any(codes)


def has_published(flow: Flow, clicks: int) -> bool:
    """Tell whether so many clicks have been published."""
    return flow.published >= clicks


def restart(installation: Installation, name: str) -> Worker:
    """Start the worker again under its old name and state, and return once it has something to do."""
    return installation.start(name).wait_ready(timeout=DONE_SECONDS)


def has_open_transaction(installation: Installation) -> bool:
    """Tell whether the changelog holds records that are neither committed nor aborted."""
    topic = installation.topic(installation.changelog)
    places = {TopicPartition(topic, partition): latest() for partition in range(installation.partitions)}
    ends = [
        {
            place.partition: future.result().offset
            for place, future in installation.admin.list_offsets(places, isolation_level=level).items()
        }
        for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
    ]
    return ends[0] != ends[1]


def latest() -> OffsetSpec:
    """Return what asks for the end of a partition."""
    spec: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stub lacks the types
    return spec


def report(installation: Installation, clicks: int) -> bool:
    """Print the verdict and tell whether everything is exact."""
    outcome = look_at(installation)
    verdict = outcome.verdict
    say(
        f"read again as a subscriber would: {outcome.model.outcomes.total():,} clicks,"
        f" {verdict.expected:,} updates expected, {verdict.seen:,} seen"
    )
    say(
        f"{len(verdict.missing)} missing, {len(verdict.doubled)} doubled, {len(verdict.unexpected)} unexpected,"
        f" {len(verdict.differing)} different, {len(verdict.out_of_order)} out of order,"
        f" {len(outcome.dead_letters)} dead letters"
    )
    counted = hits(installation) == outcome.model.hits
    say(f"hits of the links {'add up' if counted else 'DO NOT ADD UP'}")
    exact = verdict.is_exact and counted and not outcome.dead_letters and outcome.model.outcomes.total() == clicks
    say("exact" if exact else f"NOT EXACT: {verdict}")
    return exact


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run on a broker of its own, or on the one that is given; 0 when everything is exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--clicks", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=5, help="of each of the two workers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        broker = start_kafka(Path(folder) / "kafka", environ=os.environ)
        if broker is None:
            return 3
        say(broker.describe())
        (Path(folder) / "workers").mkdir()
        installation = Installation(broker, f"faults{os.getpid()}.", Path(folder) / "workers")
        try:
            exact = run(installation, clicks=options.clicks, kills=options.kills, seed=options.seed)
        finally:
            installation.close()
            broker.stop()
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
