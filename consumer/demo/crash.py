"""Kills a worker at the worst moment: clicks processed, others waiting, a transaction open."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consumer.demo.failure import DemoFailed
from consumer.demo.group import Group
from consumer.demo.worker_process import WorkerProcess

MAX_TRANSACTION_WAIT_SECONDS = 3.0
"""Time to wait for an open transaction; after it, the worker is killed between two."""
TIMEOUT_SECONDS = 60.0
IN_FLIGHT_SECONDS = 0.1
"""By then the broker has received what the worker sent before it was frozen."""
THAWED_SECONDS = 0.03
"""Long enough for progress, and not a divisor of the commit interval, so that the freeze hits any part of it."""


@dataclass(frozen=True, slots=True)
class KilledWorker:
    """A worker that was killed; `done` and `waiting` are the records of its partitions at that moment."""

    worker: str
    process_id: int
    partitions: Sequence[int]
    done: int
    waiting: int
    in_transaction: bool

    def __str__(self) -> str:
        moment = "in the middle of a transaction" if self.in_transaction else "between two transactions"
        return f"{self.worker} (process {self.process_id}) killed with SIGKILL {moment}"


def kill_mid_transaction(worker: WorkerProcess, group: Group, tick: Callable[[], object]) -> KilledWorker:
    """Wait for the moment, calling `tick` while waiting, and kill. Raises DemoFailed if it does not come."""
    partitions = worker.assigned()
    started = time.monotonic()
    while (waited := time.monotonic() - started) < TIMEOUT_SECONDS:
        tick()
        worker.freeze()
        in_transaction = _stays_open(group, partitions)
        # Only now, as requests in flight can no longer change the offsets.
        committed, ends = _offsets(group.committed(), partitions), _offsets(group.ends(), partitions)
        is_mid_work = any(committed.values()) and committed != ends
        if is_mid_work and (in_transaction or waited > MAX_TRANSACTION_WAIT_SECONDS):
            process_id = worker.process_id
            worker.kill()
            done, waiting = group.count_done(committed), group.count_waiting(committed, ends)
            return KilledWorker(worker.name, process_id, partitions, done, waiting, in_transaction)
        worker.thaw()
        time.sleep(THAWED_SECONDS)
    raise DemoFailed(
        f"{worker.name} never had both processed and waiting clicks within {TIMEOUT_SECONDS:g} s; see {worker.log_path}"
    )


def _stays_open(group: Group, partitions: Sequence[int]) -> bool:
    """Return whether a frozen worker has an open transaction that no request in flight ends."""
    if not group.is_in_transaction(partitions):
        return False
    time.sleep(IN_FLIGHT_SECONDS)
    return group.is_in_transaction(partitions)


def _offsets(all_offsets: Mapping[int, int], partitions: Sequence[int]) -> dict[int, int]:
    return {partition: all_offsets[partition] for partition in partitions}
