"""The network between a client and the cluster, which may lose a request or its answer."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")


class Lost(Exception):
    """No answer came in time. The request may have taken effect, or may still do so."""


class Network(Protocol):
    """The connection of one client to the cluster."""

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        """Let the cluster execute the request atomically; return its answer or raise its refusal. Raises Lost.

        `name` is the request's name in Kafka's protocol. The client may change its own state only after the answer.
        """


class DirectNetwork:
    """Never fails: executes each request at once, one thread at a time."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        """Execute the request."""
        del name
        with self._lock:
            return request()
