"""Faults of a single broker and of the connections to it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.brokers import OneBroker
from tests.chaos.environment import TRANSACTION_TIMEOUT_SECONDS, Environment
from tests.chaos.kind import Kind

TROUBLE_SECONDS = 3.0
FREEZE_SECONDS = 1.5
"""With a heartbeat's interval well below the broker's own session time-out: its controller is frozen too, and would
fence it."""
IN_FLIGHT_SECONDS = 0.3
SLOW_MILLISECONDS = 150


def kill_broker(environment: Environment, victim: str) -> bool:
    """SIGKILL, and a new start at once."""
    broker = _ground(environment).broker
    with _both_standing_still(environment, victim) as was_open:
        broker.kill()
    environment.lift()
    broker.start()
    return was_open


def stop_broker(environment: Environment, victim: str) -> bool:
    """Stopped cleanly, and away for longer than the transaction time-out."""
    broker = _ground(environment).broker
    with _both_standing_still(environment, victim) as was_open:
        broker.stop()
    time.sleep(TRANSACTION_TIMEOUT_SECONDS + 1.0)  # what the fault is about
    environment.lift()
    broker.start()
    return was_open


def freeze_broker(environment: Environment, victim: str) -> bool:
    """SIGSTOP: connections stay open and nothing answers."""
    broker = _ground(environment).broker
    was_open = environment.catch(victim)
    broker.pause()
    environment.workers[victim].resume()
    time.sleep(FREEZE_SECONDS)  # what the fault is about
    broker.resume()
    return was_open


def cut_connections(environment: Environment, victim: str) -> bool:
    """All connections of the workers are reset."""
    was_open = environment.catch(victim)
    _ground(environment).connections.cut()
    environment.workers[victim].resume()
    return was_open


def leave_half_open(environment: Environment, victim: str) -> bool:
    """Open connections silently drop everything; new ones work."""
    connections = _ground(environment).connections
    was_open = environment.catch(victim)
    connections.dangle()
    environment.workers[victim].resume()
    environment.lift()
    environment.recover()
    connections.heal()
    return was_open


def slow_down(environment: Environment, victim: str) -> bool:
    """Delay all traffic."""
    connections = _ground(environment).connections
    was_open = environment.catch(victim)
    connections.delay(SLOW_MILLISECONDS)
    environment.workers[victim].resume()
    time.sleep(TROUBLE_SECONDS)  # what the fault is about
    connections.heal()
    return was_open


@contextmanager
def _both_standing_still(environment: Environment, victim: str) -> Iterator[bool]:
    """Freeze both workers, the victim in a transaction if possible; return whether one is seen to be open.

    So nothing is just being committed: a node that is broker and controller in one drops the markers that it owes when
    it goes (docs/operations.md), which leaves a transaction open for ever. With several brokers others take over.
    """
    other = environment.workers[environment.other(victim)]
    other.pause()
    was_open = environment.catch(victim)
    time.sleep(IN_FLIGHT_SECONDS)  # for the broker to finish what the other one asked for
    try:
        yield was_open
    finally:
        other.resume()
        environment.workers[victim].resume()


def _ground(environment: Environment) -> OneBroker:
    assert isinstance(environment.brokers, OneBroker)
    return environment.brokers


KINDS = [
    Kind("broker killed", kill_broker),
    Kind("broker away longer than the transaction time-out", stop_broker),
    Kind("broker frozen", freeze_broker),
    Kind("connections cut", cut_connections),
    Kind("connections half open", leave_half_open),
    Kind("connections slow", slow_down),
]
