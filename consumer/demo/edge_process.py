"""An edge process, started as a user would start it, with a keyring of the demo's own."""

import base64
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from consumer.demo.campaign import TENANT
from consumer.demo.failure import DemoFailed
from consumer.demo.worker_process import POLL_SECONDS, WorkerProcess
from deploy.kafka.port import LOOPBACK, free_ports
from runtime.config.settings import EDGE_PREFIX, PREFIX, Settings
from schemas.link_token import LinkKey, derive_key, sign
from schemas.token_payload import SentLink

KEY_ID = 1
MASTER_BYTES = 32
READY_SECONDS = 60.0
_KEYRING = """\
masters: {{main: {master}}}
keys:
  - {{key_id: {key_id}, tenant: {tenant}, state: signing, created: {today}, master: main}}
"""


class EdgeProcess(WorkerProcess):
    """One `link-actions edge run`; its port and its folders survive restarts."""

    arguments = ("edge", "run")

    def __init__(self, settings: Settings, folder: Path, environ: Mapping[str, str]) -> None:
        """`folder` gets its keyring, spool and log."""
        super().__init__(settings, folder / f"{settings.instance_id}.log", environ)
        (self.port,) = free_ports(1)
        self.spool = folder / "spool"
        self._key = _write_keyring(folder / "keyring.yaml")
        own = {
            "keyring": str(folder / "keyring.yaml"),
            "spool_dir": str(self.spool),
            "host": LOOPBACK,
            "port": str(self.port),
        }
        self._environ |= {f"{PREFIX}{EDGE_PREFIX}{name}".upper(): value for name, value in own.items()}

    def path_of(self, sent: SentLink) -> str:
        """Return the path of a link, signed as a sender does."""
        return f"/l/{sign(self._key, sent)}"

    def url_of(self, sent: SentLink) -> str:
        """Return the address of a link, for a browser on this machine."""
        return f"http://{LOOPBACK}:{self.port}{self.path_of(sent)}"

    def wait_until_ready(self) -> None:
        """Wait until it has read the links. Raises DemoFailed."""
        self._wait_until(lambda: self._ready().get("ready") is True, "was not ready")

    def wait_until_taken_over(self) -> None:
        """Wait until it has published what the killed process left. Raises DemoFailed."""
        self._wait_until(lambda: len(list(self.spool.iterdir())) == 1, "did not publish what a killed process left")

    def _wait_until(self, condition: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            self.require_running()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{self.name} {problem} within {READY_SECONDS:g} s; see {self.log_path}")
            time.sleep(POLL_SECONDS)


def _write_keyring(path: Path) -> LinkKey:
    """Write a new key into a file that only its owner may read, and return it."""
    master = secrets.token_bytes(MASTER_BYTES)
    today = datetime.now(UTC).date()
    path.touch(mode=0o600)
    path.write_text(
        _KEYRING.format(master=base64.b64encode(master).decode(), key_id=KEY_ID, tenant=TENANT, today=today)
    )
    return derive_key(master, KEY_ID, TENANT)
