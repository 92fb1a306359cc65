"""A worker process, started as a user would start it."""

import json
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

from prometheus_client.parser import text_string_to_metric_families

from consumer.demo.failure import DemoFailed
from consumer.monitoring.metric_catalogue import RECORDS_CONSUMED
from deploy.kafka.lifeline import Lifeline
from runtime.config.settings import PREFIX, Settings, variable
from runtime.monitoring.loopback import http_get

HTTP_TIMEOUT_SECONDS = 5.0
EXIT_TIMEOUT_SECONDS = 60.0
"""On an idle machine it takes a second or two."""
POLL_SECONDS = 0.1
PASSED_SETTINGS = ("bootstrap_servers", "group_id", "topic_prefix", "instance_id", "state_dir")


class WorkerProcess:
    """One `link-actions run` whose name survives restarts; its log goes to a file."""

    arguments: Sequence[str] = ("run",)

    def __init__(self, settings: Settings, log_path: Path, environ: Mapping[str, str]) -> None:
        """`settings` have the worker's instance id and its state folder."""
        self.name = settings.instance_id
        self.log_path = log_path
        self._environ = worker_environment(settings, environ)
        self._child: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None
        self._log_start = 0

    @property
    def process_id(self) -> int:
        """The process id of the running process."""
        return self._running().pid

    def start(self) -> None:
        """Start or restart it."""
        command = [str(Path(sysconfig.get_path("scripts"), "link-actions")), *self.arguments]
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            # In a new session, so that Ctrl-C at the terminal reaches only the demo, which then ends the workers.
            self._child = subprocess.Popen(
                command, env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._lifeline = Lifeline(self._child.pid)

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self._child is not None and self._lifeline is not None:
            self._child.kill()
            self._child.wait()
            self._lifeline.cut()
            self._child = self._lifeline = None

    def freeze(self) -> None:
        """Stop it with SIGSTOP until `thaw`."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue it."""
        self._running().send_signal(signal.SIGCONT)

    def send_sigterm(self) -> None:
        """Send SIGTERM."""
        self._running().send_signal(signal.SIGTERM)

    def wait_until_exited(self) -> None:
        """Wait until it has exited with code 0. Raises DemoFailed."""
        try:
            exit_code = self._running().wait(EXIT_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise DemoFailed(
                f"{self.name} did not exit within {EXIT_TIMEOUT_SECONDS:g} s; see {self.log_path}"
            ) from error
        self.kill()
        if exit_code:
            raise DemoFailed(f"{self.name} exited with code {exit_code}; see {self.log_path}")

    def require_running(self) -> None:
        """Raise DemoFailed if it has exited."""
        exit_code = self._running().poll()
        if exit_code is not None:
            raise DemoFailed(f"{self.name} exited unexpectedly with code {exit_code}; see {self.log_path}")

    def assigned(self) -> Sequence[int]:
        """Return the partitions that its readiness probe names; none while it is not ready."""
        ready = self._ready()
        return ready["assigned"] if ready.get("ready") else ()

    def clicks_counted(self) -> int:
        """Return the records that it has counted since its last start."""
        families = text_string_to_metric_families((self._get("/metrics") or b"").decode())
        samples = (sample for family in families for sample in family.samples)
        return int(sum(sample.value for sample in samples if sample.name == RECORDS_CONSUMED.name))

    def _ready(self) -> Mapping[str, Any]:
        """Return what its readiness probe says; nothing while it is not ready."""
        body = self._get("/readyz")
        return json.loads(body) if body else {}

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise DemoFailed(f"{self.name} is not running")
        return self._child

    def _get(self, path: str) -> bytes | None:
        """Return the response of its HTTP port; None if there is none or it is an error."""
        port = self._port()
        if port is None:
            return None
        try:
            with http_get(port, path, timeout_seconds=HTTP_TIMEOUT_SECONDS) as answer:
                return answer.read()
        except (URLError, OSError):
            return None

    def _port(self) -> int | None:
        """Return its HTTP port, from its log."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            events = (_event(line) for line in log)
            return next((event["port"] for event in events if event.get("event") == "http.started"), None)


def wait_until_sharing(workers: Sequence[WorkerProcess], timeout_seconds: float = 120.0) -> None:
    """Wait until every worker is ready and has partitions. Raises DemoFailed."""
    deadline = time.monotonic() + timeout_seconds
    while not all(worker.assigned() for worker in workers):
        for worker in workers:
            worker.require_running()
        if time.monotonic() > deadline:
            logs = " and ".join(str(worker.log_path) for worker in workers)
            raise DemoFailed(f"The workers were not all assigned partitions within {timeout_seconds:g} s; see {logs}")
        time.sleep(POLL_SECONDS)


def worker_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker: only the demo's settings, JSON logs, any free port."""
    kept = {name: value for name, value in environ.items() if not name.upper().startswith(PREFIX)}
    own = {variable(field): str(getattr(settings, field)) for field in PASSED_SETTINGS}
    if settings.kafka_config is not None:
        own[variable("kafka_config")] = str(settings.kafka_config.path.resolve())
    return {**kept, **own, variable("http_port"): "0", variable("log_format"): "json"}


def _event(line: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
