"""What lies between a client and the cluster: whether a request arrives, and whether its answer does."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")


class Lost(Exception):
    """No answer came in time. Whether the request took effect, or will yet, nobody can tell."""


class Network(Protocol):
    """The way of one client to the cluster and back."""

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        """Have the cluster carry the request out, whole, and return its answer or raise its refusal. Raises Lost.

        `name` is that of the request in Kafka's protocol. What the client knows may change only after the answer.
        """


class DirectNetwork:
    """Never fails: each request is carried out at once, by one thread at a time."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock

    def ask(self, name: str, request: Callable[[], Answer]) -> Answer:
        """Carry the request out."""
        del name
        with self._lock:
            return request()
