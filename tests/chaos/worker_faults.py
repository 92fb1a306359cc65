"""Faults of a worker's process."""

import signal
import time
from collections.abc import Callable
from functools import partial

from tests.chaos.environment import SETTINGS, STEERED, Environment
from tests.chaos.kind import Kind
from tests.support.waiting import NeverCame, wait_until

STORM_SECONDS = 5
NEWCOMERS = ("c", "d", "e")

IN_A_TURN = {
    "after it has produced": "after.produce_batch",
    "before it flushes": "before.producer.flush",
    "before it sends its offsets": "before.producer.send_offsets_to_transaction",
    "between send_offsets and EndTxn": "before.producer.commit_transaction",
    "after the commit, before the state is written": "after.producer.commit_transaction",
}
AT_ITS_START = {
    "when it has fenced its predecessor": "after.producer.init_transactions.1",
    "when its state is restored": "before.resume.1",
}


def kill_anywhere(environment: Environment, victim: str) -> bool:
    """SIGKILL at any moment."""
    time.sleep(environment.chance.uniform(0.0, 0.2))  # not to wait for anything, but to strike anywhere in the cycle
    was_open = environment.kill(victim)
    environment.start(victim)
    return was_open


def kill_in_transaction(environment: Environment, victim: str) -> bool:
    """SIGKILL in the middle of a transaction."""
    environment.catch(victim)
    return kill_anywhere(environment, victim)


def die_in_a_turn(point: str, environment: Environment, _victim: str) -> bool:
    """SIGKILL at a named point of the cycle."""
    environment.workers[STEERED].steer(point, "die")
    environment.workers[STEERED].wait_exit()
    was_open = environment.is_open(STEERED)
    environment.start(STEERED)
    return was_open


def die_at_start(point: str, environment: Environment, _victim: str) -> bool:
    """SIGKILL in the middle of a transaction, and once more while the next one starts."""
    environment.catch(STEERED)
    was_open = environment.kill(STEERED)
    environment.deployment.start_steered(STEERED, {point: "die"}, settings=SETTINGS).wait_exit()
    environment.start(STEERED)
    return was_open


def sleep_through_replacement(environment: Environment, victim: str) -> bool:
    """SIGSTOP in the middle of a transaction, until the other has its partitions; then SIGCONT."""
    was_open = environment.catch(victim)
    environment.workers[environment.other(victim)].wait_assigned(environment.deployment.partitions)
    environment.workers[victim].resume()
    return was_open


def sleep_through_time_out(environment: Environment, victim: str) -> bool:
    """The same until the broker has timed out the transaction."""
    was_open = environment.catch(victim)
    wait_until(lambda: not environment.is_open(victim), "end of the transaction by time-out")
    environment.workers[victim].resume()
    return was_open


def leave_in_a_rebalance(environment: Environment, victim: str) -> bool:
    """SIGTERM while the group waits for this member to join again."""
    newcomer = environment.start(NEWCOMERS[0])
    newcomer.wait_event("worker.started")
    was_open = environment.catch(victim)
    try:
        wait_until(lambda: "REBALANCING" in environment.deployment.group_state(), "rebalance", timeout=1.0)
    except NeverCame:
        environment.missed["a rebalance was over before the SIGTERM"] += 1
    leave(environment, victim)
    environment.start(victim)
    environment.recover()
    leave(environment, NEWCOMERS[0])
    return was_open


def leave_while_restoring(environment: Environment, _victim: str) -> bool:
    """SIGTERM while partitions are being restored from nothing."""
    environment.catch(STEERED)
    was_open = environment.kill(STEERED)
    environment.forget_state(STEERED)
    halts = {"before.resume.1": "halt"}
    worker = environment.workers[STEERED] = environment.deployment.start_steered(STEERED, halts, settings=SETTINGS)
    worker.wait_event("point.reached")
    if not worker.probe("/readyz")[1].get("restoring"):
        environment.missed["/readyz told of no restore at the SIGTERM"] += 1
    worker.send(signal.SIGTERM)
    worker.go_on()
    leave(environment, STEERED)
    environment.start(STEERED)
    return was_open


def come_and_go(environment: Environment, victim: str) -> bool:
    """Every second a worker joins or leaves, by SIGTERM or by SIGKILL; the first in the middle of a transaction."""
    was_open = kill_in_transaction(environment, victim)
    for number in range(STORM_SECONDS):
        name = NEWCOMERS[number % len(NEWCOMERS)]
        if name in environment.workers and environment.workers[name].is_running:
            environment.workers[name].kill() if environment.chance.random() < 0.5 else leave(environment, name)
        environment.start(name)
        time.sleep(1.0)  # what is meant by "every second"
    environment.lift()
    for name in NEWCOMERS:
        leave(environment, name)
    return was_open


def leave(environment: Environment, name: str) -> None:
    """Stop a worker, frozen or not, and check that it exits cleanly; one that is still starting just ends."""
    worker, asked = environment.workers[name], time.monotonic()
    worker.send(signal.SIGTERM)
    worker.resume()
    code = worker.wait_exit()
    environment.slowest_leave = max(environment.slowest_leave, time.monotonic() - asked)
    is_early = code == -signal.SIGTERM and not worker.events("worker.started")
    if code != 0 and not is_early:
        environment.violations.append(f"worker {name}, told to leave, ended with {code}: {worker.last_words}")


def _died(points: dict[str, str], act: Callable[[str, Environment, str], bool]) -> list[Kind]:
    return [Kind(f"worker killed {words}", partial(act, point)) for words, point in points.items()]


KINDS = [
    Kind("worker killed at any moment", kill_anywhere, weight=3),
    Kind("worker killed in a transaction", kill_in_transaction, weight=6),
    *_died(IN_A_TURN, die_in_a_turn),
    *_died(AT_ITS_START, die_at_start),
    Kind("worker asleep until replaced (zombie)", sleep_through_replacement, weight=3),
    Kind("worker asleep beyond the transaction time-out", sleep_through_time_out),
    Kind("worker told to leave in a rebalance", leave_in_a_rebalance),
    Kind("worker told to leave while restoring", leave_while_restoring),
    Kind("workers coming and going every second", come_and_go),
]
