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

from consumer.config.client_properties import ClientProperties, UnreadableProperties, read_properties

_LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""How long lies between two looks at the file and what it names."""

_USER, _PASSWORD = "sasl.username", "sasl.password"
_ROLES = ("admin", "consumer", "producer")
"""What the file may give credentials of their own."""


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
        shown = _by_role(properties) if properties else {}
        self._path: Path | None = properties.path if properties and any(shown.values()) else None
        self._shown = shown
        self._clients: dict[str, tuple[str, SaslClient]] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="credentials", daemon=True)

    def open(
        self, purpose: str, make: Callable[[dict[str, Any]], Client], config: dict[str, Any], *, role: str
    ) -> Client:
        """Make a client with what is in force for its role; it takes the place of the last one with that purpose."""
        client = make(config | self._shown.get(role, {}))
        if self._path is not None:
            self._clients[purpose] = role, client
        return client

    def look(self) -> None:
        """Read the file again, and tell clients what is new for them; a file that is being mended is passed over."""
        try:
            now = _by_role(read_properties(self._path)) if self._path else {}
        except UnreadableProperties as error:
            _LOG.warning("credentials.unreadable", detail=str(error))
            return
        changed = [role for role in now if now[role] != self._shown[role]]
        if not changed or any(now[role].keys() != self._shown[role].keys() for role in changed):
            return
        self._shown = now
        told = [(role, client) for role, client in list(self._clients.values()) if role in changed]
        for role, client in told:
            client.set_sasl_credentials(now[role][_USER], now[role][_PASSWORD])
        _LOG.info("credentials.renewed", clients=len(told))

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


def _by_role(properties: ClientProperties) -> dict[str, dict[str, str]]:
    """Return user and password for each role; nothing for one that lacks either."""
    all_of = {role: properties.for_role(role) for role in _ROLES}
    return {
        role: {name: values[name] for name in (_USER, _PASSWORD)} if {_USER, _PASSWORD} <= values.keys() else {}
        for role, values in all_of.items()
    }
