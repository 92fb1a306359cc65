"""Ports that a broker can bind again after a restart."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ephemeral ports: while a broker is down, a client that keeps connecting could otherwise get the broker's
# port as its own, connect to itself, and block the restart.
_PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return free ports, chosen at random so that concurrent runs hardly ever choose the same."""
    return [port for port in random.SystemRandom().sample(_PORTS, k=100) if is_free(port)][:count]


def is_free(port: int) -> bool:
    """Return whether no process listens on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        return candidate.connect_ex((LOOPBACK, port)) != 0
