"""An edge as an operator runs it: a separate process with its own keyring and spool, and people who click."""

import base64
import http.client
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from schemas.link_token import derive_key, sign
from schemas.token_payload import SentLink
from tests.support.waiting import wait_until
from tests.support.worker import LINK_ACTIONS, Worker

MASTER = bytes(range(32))
KEY = derive_key(MASTER, 1, "acme")
HOST = "klik.example.com"
KEYRING = f"""
masters: {{main: {base64.b64encode(MASTER).decode()}}}
keys:
  - {{key_id: 1, tenant: acme, state: signing, created: 2026-12-01, master: main}}
tenants:
  acme: {{hosts: [{HOST}]}}
"""


def link_path(link_id: str, recipient_id: str, person_id: str | None = None) -> str:
    """The path of a link, signed as a sender does."""
    return f"/l/{sign(KEY, SentLink(link_id, recipient_id, person_id=person_id, mailing_id='m-1'))}"


class EdgeProcess(Worker):
    """One `link-actions edge run`."""

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        folder: Path,
        name: str = "edge-a",
        *,
        program: Sequence[str] = (*LINK_ACTIONS, "edge", "run"),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` keeps its keyring, state, spool and log."""
        keyring = folder / "keyring.yaml"
        if not keyring.exists():
            keyring.touch(mode=0o600)
            keyring.write_text(KEYRING)
        super().__init__(
            {
                "LINK_ACTIONS_BOOTSTRAP_SERVERS": bootstrap_servers,
                "LINK_ACTIONS_TOPIC_PREFIX": prefix,
                "LINK_ACTIONS_INSTANCE_ID": name,
                "LINK_ACTIONS_STATE_DIR": str(folder / "state"),
                "LINK_ACTIONS_EDGE_KEYRING": str(keyring),
                "LINK_ACTIONS_EDGE_SPOOL_DIR": str(folder / "spool"),
                "LINK_ACTIONS_EDGE_PORT": "0",
                "LINK_ACTIONS_EDGE_HOST": "127.0.0.1",
                **(settings or {}),
            },
            folder / f"{name}.log",
            program=program,
        )

    def wait_edge(self) -> "EdgeProcess":
        """Return once /readyz is green."""
        self.wait_ready(assigned=0)
        return self

    @property
    def edge_port(self) -> int:
        """The port for browsers."""
        return int(self.wait_event("edge.started")["port"])

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Request a path; the body has been read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.edge_port, timeout=20)
        try:
            return _asked(connection, path, headers)
        finally:
            connection.close()

    def post(self, path: str, fields: Mapping[str, str]) -> http.client.HTTPResponse:
        """Send a form; the body has been read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.edge_port, timeout=20)
        try:
            headers = {"Host": HOST, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, urlencode(fields), headers)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    def wait_published(self) -> None:
        """Return once the broker has everything that this process has answered."""
        wait_until(self.is_published, "publication of all clicks")

    def is_published(self) -> bool:
        """Return whether the broker has everything that this process has answered."""
        metrics = self.metrics()
        recorded = metrics["edge_clicks_total", "recorded"]
        return metrics["edge_records_published_total",] >= recorded


class Crowd:
    """People who click on several connections at once, and what they were answered.

    They click at `per_second` together, whether answers are late or not; without it, as fast as they are answered.
    """

    def __init__(
        self, port: int, paths: Callable[[int], str], *, connections: int = 3, per_second: float | None = None
    ) -> None:
        self._port = port
        self._paths = paths
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._next = 0
        self.click_ids: list[str] = []
        """The ids of the clicks whose whole answer was read."""
        self.seconds: list[float] = []
        """How long each answer took, from when it was due."""
        self._seconds_apart = connections / per_second if per_second else 0.0
        self._threads = [threading.Thread(target=self._click) for _ in range(connections)]
        for each in self._threads:
            each.start()

    def stop(self) -> "Crowd":
        """Let the last answers come, and end."""
        self._stop.set()
        for each in self._threads:
            each.join()
        return self

    def _click(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            due = time.monotonic()
            while not self._stop.is_set():
                due = self._wait_until_due(due)
                answer = _asked(connection, self._paths(self._number()), {})
                self.seconds.append(time.monotonic() - due)
                click_id = answer.headers.get("Link-Actions-Click")
                if click_id is not None:
                    self.click_ids.append(click_id)
        except (OSError, http.client.HTTPException):
            pass  # the edge was killed
        finally:
            connection.close()

    def _wait_until_due(self, last: float) -> float:
        """Return when the next click is due, at that time."""
        if not self._seconds_apart:
            return time.monotonic()
        time.sleep(max(last + self._seconds_apart - time.monotonic(), 0.0))
        return last + self._seconds_apart

    def _number(self) -> int:
        with self._lock:
            self._next += 1
            return self._next


def _asked(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    connection.request("GET", path, headers={"Host": HOST, "User-Agent": "Mozilla/5.0", **headers})
    answer = connection.getresponse()
    answer.read()
    return answer
