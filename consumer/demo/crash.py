"""Kills a worker when it hurts most: some of its clicks done, others waiting, a transaction open."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consumer.demo.failure import DemoFailed
from consumer.demo.group import Group
from consumer.demo.worker_process import WorkerProcess

PATIENCE_SECONDS = 3.0
"""How long to wait for an open transaction once some clicks are done and others wait."""
LONGEST_SECONDS = 60.0
ON_ITS_WAY_SECONDS = 0.1
"""By then the broker has what the worker sent before it was frozen."""
THAWED_SECONDS = 0.03
"""Longer than nothing, so that the worker gets on, and no part of its interval, so that it is met anywhere in it."""


@dataclass(frozen=True, slots=True)
class Killing:
    """What the killed worker was about. `done` and `waiting` are clicks of its partitions at that moment."""

    worker: str
    process_id: int
    partitions: Sequence[int]
    done: int
    waiting: int
    in_transaction: bool

    def __str__(self) -> str:
        about = "in the middle of a transaction" if self.in_transaction else "between two transactions"
        return f"{self.worker} (process {self.process_id}) killed with SIGKILL {about}"


def kill_in_the_middle(worker: WorkerProcess, group: Group, tick: Callable[[], object]) -> Killing:
    """Wait for the moment, calling `tick` meanwhile, and kill. Raises DemoFailed where it does not come."""
    partitions = worker.assigned()
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < LONGEST_SECONDS:
        tick()
        worker.freeze()
        in_transaction = _stays_open(group, partitions)
        # Only now: nothing that was on its way can change it any more.
        committed, ends = _offsets(group.committed(), partitions), _offsets(group.ends(), partitions)
        under_way = any(committed.values()) and committed != ends
        if under_way and (in_transaction or waited > PATIENCE_SECONDS):
            process_id = worker.process_id
            worker.kill()
            done, waiting = group.count_done(committed), group.count_waiting(committed, ends)
            return Killing(worker.name, process_id, partitions, done, waiting, in_transaction)
        worker.thaw()
        time.sleep(THAWED_SECONDS)
    raise DemoFailed(f"{worker.name} was never seen with some clicks done and others waiting; see {worker.log_path}")


def _stays_open(group: Group, partitions: Sequence[int]) -> bool:
    """Tell whether a frozen worker has a transaction open that nothing on its way to the broker ends."""
    if not group.is_in_transaction(partitions):
        return False
    time.sleep(ON_ITS_WAY_SECONDS)
    return group.is_in_transaction(partitions)


def _offsets(all_of_them: Mapping[int, int], partitions: Sequence[int]) -> dict[int, int]:
    return {partition: all_of_them[partition] for partition in partitions}
