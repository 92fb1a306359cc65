"""Updates the user and password of a worker's clients while it runs.

The library uses new credentials at its next authentication: on a new connection, or when the broker requires it again
(`connections.max.reauth.ms`). It reads certificates only when a client is opened.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import structlog

from runtime.config.client_properties import ClientProperties, UnreadableProperties, read_properties

_LOG = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
"""Interval at which the file, and what it refers to, is read again."""

_USER, _PASSWORD = "sasl.username", "sasl.password"
_ROLES = ("admin", "consumer", "producer")
"""Roles that the file may give separate credentials."""


class SaslClient(Protocol):
    """Any client of the library."""

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Use these from the next authentication on."""


Client = TypeVar("Client", bound=SaslClient)


class Credentials:
    """Keeps clients at the user and password in the current file of client properties.

    As a context manager it reads the file every two seconds on its own thread, which the library allows.
    """

    def __init__(self, properties: ClientProperties | None) -> None:
        current = _by_role(properties) if properties else {}
        self._path: Path | None = properties.path if properties and any(current.values()) else None
        self._current = current
        self._clients: dict[str, tuple[str, SaslClient]] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="credentials", daemon=True)

    def open(
        self, purpose: str, make: Callable[[dict[str, Any]], Client], config: dict[str, Any], *, role: str
    ) -> Client:
        """Open a client with the current credentials of its role; it replaces the last one with the same purpose."""
        client = make(config | self._current.get(role, {}))
        if self._path is not None:
            self._clients[purpose] = role, client
        return client

    def refresh(self) -> None:
        """Read the file again and update the clients; a file that is being edited is skipped with a warning."""
        try:
            now = _by_role(read_properties(self._path)) if self._path else {}
        except UnreadableProperties as error:
            _LOG.warning("credentials.unreadable", detail=str(error))
            return
        changed = [role for role in now if now[role] != self._current[role]]
        if not changed or any(now[role].keys() != self._current[role].keys() for role in changed):
            return
        self._current = now
        outdated = [(role, client) for role, client in list(self._clients.values()) if role in changed]
        for role, client in outdated:
            client.set_sasl_credentials(now[role][_USER], now[role][_PASSWORD])
        _LOG.info("credentials.renewed", clients=len(outdated))

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
        while not self._ended.wait(POLL_SECONDS):
            self.refresh()


def _by_role(properties: ClientProperties) -> dict[str, dict[str, str]]:
    """Return user and password per role; empty for a role that lacks either."""
    by_role = {role: properties.for_role(role) for role in _ROLES}
    return {
        role: {name: values[name] for name in (_USER, _PASSWORD)} if {_USER, _PASSWORD} <= values.keys() else {}
        for role, values in by_role.items()
    }
