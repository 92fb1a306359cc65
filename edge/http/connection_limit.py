"""Limits the connections of one edge, so that strangers leave it descriptors for its spool, Kafka and its probes."""

import asyncio
from collections.abc import Callable
from typing import cast

import structlog

from runtime.monitoring.log_throttle import LogThrottle

_LOG = structlog.get_logger(__name__)

MAX_CONNECTIONS = 10_000
"""Some kilobytes each."""
MAX_UNREAD_BYTES = 64 << 20
"""Bytes of answers that wait in this process for their clients to read."""


def max_connections(descriptors: int | None) -> int:
    """Return how many connections an edge takes within a limit of open files; None is no limit.

    Half of them: some fifty are for the edge itself, and those that come at once are open before they are refused.
    """
    return MAX_CONNECTIONS if descriptors is None else min(descriptors // 2, MAX_CONNECTIONS)


class ConnectionLimit:
    """Knows when there are too many connections. `monotonic` is a clock in seconds."""

    def __init__(self, largest: int, monotonic: Callable[[], float]) -> None:
        self._largest = largest
        self._throttle = LogThrottle(monotonic)

    def is_crowded(self, number: int, unread_bytes: int) -> bool:
        """Return whether there are too many open connections or unread bytes for clients to have all their time."""
        return number > self._largest // 2 or unread_bytes > MAX_UNREAD_BYTES

    def admits(self, number: int) -> bool:
        """Return whether one more connection is taken beside this number of open ones; log if it is not."""
        if number < self._largest:
            return True
        if self._throttle.is_due("connections.refused"):
            _LOG.warning(
                "connections.refused",
                open=number,
                detail="silent ones are closed early; against floods limit connections per address in the proxy",
            )
        return False


class RefusedConnection(asyncio.Protocol):
    """Closes the connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it, with a reset: the other side need not wait."""
        cast("asyncio.Transport", transport).abort()
