"""The edges under measurement, each one process on a separate port."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.candidate import Running
from bench.edge.load import HOST
from bench.edge.topic import PREFIX
from deploy.kafka.port import free_ports
from runtime.config.settings import PREFIX as SETTINGS
from schemas.link_token import derive_key

MASTER = bytes(range(32))
KEY = derive_key(MASTER, 1, "acme")
_KEYRING = f"""
masters: {{main: {base64.b64encode(MASTER).decode()}}}
keys:
  - {{key_id: 1, tenant: acme, state: signing, created: 2026-12-01, master: main}}
tenants:
  acme: {{hosts: [{HOST}]}}
"""
_READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program of ours: a module and its arguments."""

    name: str
    command: tuple[str, ...]
    records: bool = True


HELLO = Candidate("hello (records nothing)", ("bench.edge.hello",), records=False)
SUBJECT = Candidate("link-actions", ("cli", "edge", "run"))
CANDIDATES = (
    HELLO,
    SUBJECT,
    Candidate("awaits the broker", ("bench.edge.on_kafka", "await", "edge", "run")),
    Candidate("database first", ("bench.edge.on_database", "edge", "run")),
    Candidate("client library's queue", ("bench.edge.on_kafka", "queue", "edge", "run")),
)


class NotReady(Exception):
    """An edge does not answer."""


class Edge:
    """A candidate with its folder, which survives restarts."""

    def __init__(
        self, candidate: Candidate, servers: str, folder: Path, path: str, *, status: HTTPStatus = HTTPStatus.FOUND
    ) -> None:
        """Once the edge is ready it answers `path` with `status`."""
        self.candidate, self._status = candidate, status
        (self.port,) = free_ports(1)
        self._folder, self._path = folder, path
        self._environ = _environ(servers, folder, self.port)
        self._running = Running(folder)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running.processes[-1].pid

    def start(self) -> None:
        """Start it and wait until it is ready. Raises NotReady."""
        self._running = Running(self._folder).launch(
            [sys.executable, "-m", *self.candidate.command], self._environ, Path(__file__).parents[2]
        )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if self._running.processes[0].poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{self.candidate.name}: {self._running.last_words()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it, as the system does that has no memory left."""
        process = self._running.processes[-1]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End it."""
        self._running.stop()

    def _is_ready(self) -> bool:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("HEAD", self._path, headers={"Host": HOST})
                return connection.getresponse().status == self._status
            except (OSError, HTTPException):
                return False


@contextmanager
def running(candidate: Candidate, servers: str, folder: Path, path: str) -> Iterator[Edge]:
    """Run an edge in a new folder. Raises NotReady."""
    folder.mkdir(parents=True)
    edge = Edge(candidate, servers, folder, path)
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()


def load(edge: Edge, tokens: Path, ids: Path, *, seconds: float, rate: float = 0) -> "subprocess.Popen[str]":
    """Start the browsers; their figures come on standard output."""
    command = [sys.executable, "-m", "bench.edge.load", str(edge.port), str(tokens), str(ids)]
    options = ["--seconds", str(seconds), "--rate", str(rate)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)


def _environ(servers: str, folder: Path, port: int) -> dict[str, str]:
    keyring = folder / "keyring.yaml"
    keyring.touch(mode=0o600)
    keyring.write_text(_KEYRING)
    own = {
        "BOOTSTRAP_SERVERS": servers,
        "TOPIC_PREFIX": PREFIX,
        "INSTANCE_ID": "bench",
        "STATE_DIR": str(folder / "state"),
        "HTTP_PORT": "0",
        "EDGE_KEYRING": str(keyring),
        "EDGE_SPOOL_DIR": str(folder / "spool"),
        "EDGE_HOST": "127.0.0.1",
        "EDGE_PORT": str(port),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return kept | {f"{SETTINGS}{name}": value for name, value in own.items()}
