"""The user and password of a worker's clients, which may change while it runs.

The library takes new ones for the next time it shows them: at a new connection, and where the broker asks again
(`connections.max.reauth.ms`). A certificate it reads only when a client is made.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import structlog

from consumer.kafka.properties import ClientProperties, UnreadableProperties, read_properties

_LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""How long lies between two looks at the file and what it names."""

_USER, _PASSWORD = "sasl.username", "sasl.password"


class SaslClient(Protocol):
    """Any client of the library."""

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Show these from now on."""


Client = TypeVar("Client", bound=SaslClient)


class Credentials:
    """Keeps clients at the user and password that the file of client properties names now.

    As a context manager it looks at the file every two seconds, on a thread of its own; the library allows that.
    """

    def __init__(self, properties: ClientProperties | None) -> None:
        self._path: Path | None = properties.path if properties and _USER in properties.values else None
        self._shown = _of(properties) if properties and self._path else {}
        self._clients: dict[str, SaslClient] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="credentials", daemon=True)

    def open(self, purpose: str, make: Callable[[dict[str, Any]], Client], config: dict[str, Any]) -> Client:
        """Make a client with what is in force; it takes the place of the last one with that purpose."""
        client = make(config | self._shown)
        if self._path is not None:
            self._clients[purpose] = client
        return client

    def look(self) -> None:
        """Read the file again, and tell every client of what is new; a file that is being mended is passed over."""
        try:
            now = _of(read_properties(self._path)) if self._path else {}
        except UnreadableProperties as error:
            _LOG.warning("credentials.unreadable", detail=str(error))
            return
        if now != self._shown and len(now) == len(self._shown):
            self._shown = now
            for client in list(self._clients.values()):
                client.set_sasl_credentials(now[_USER], now[_PASSWORD])
            _LOG.info("credentials.renewed", clients=len(self._clients))

    def __enter__(self) -> Self:
        if self._path is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._path is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()


def _of(properties: ClientProperties) -> dict[str, str]:
    values = properties.values
    return {name: values[name] for name in (_USER, _PASSWORD) if name in values}
