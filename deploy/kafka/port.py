"""Ports that a broker can have, and have again after a restart."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which systems give ports to outgoing connections: while a broker is down, a client that keeps
# connecting could otherwise be given the broker's own port, reach itself, and hold the port against the restart.
_PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Pick ports that nobody listens at; runs at the same time pick by chance, so hardly ever the same."""
    return [port for port in random.SystemRandom().sample(_PORTS, k=100) if is_free(port)][:count]


def is_free(port: int) -> bool:
    """Tell whether nobody listens at this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        return candidate.connect_ex((LOOPBACK, port)) != 0
