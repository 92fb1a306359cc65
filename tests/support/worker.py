"""A worker as an operator runs it: a separate process, observed through its log, port and exit code."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from deploy.kafka.lifeline import Lifeline
from runtime.monitoring.loopback import http_get
from tests.support.patience import stretched
from tests.support.points import check_point
from tests.support.waiting import NeverCame, wait_until

LINK_ACTIONS = (str(Path(sys.executable).with_name("link-actions")),)
STEERED = (sys.executable, "-m", "tests.support.steered_worker")
"""A worker that dies, or halts until released, at a named point."""
DEADLY = (sys.executable, "-m", "tests.support.deadly_worker")
"""A worker that dies of some records."""

START_SECONDS = 30.0
ANSWER_SECONDS = 5.0
_ROOT = Path(__file__).parents[2]


class Worker:
    """One `link-actions run`, started by the constructor; killed together with this process, however that ends."""

    def __init__(
        self,
        settings: Mapping[str, str],
        log_path: Path,
        *arguments: str,
        program: Sequence[str] = LINK_ACTIONS,
        stderr: int | None = None,
    ) -> None:
        """Its log goes to `stderr` if given, otherwise to the file at `log_path`."""
        self.name = settings["LINK_ACTIONS_INSTANCE_ID"]
        self.log_path = log_path
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LINK_ACTIONS_")}
        with log_path.open("ab") as log:
            self._start_of_log = log.tell()
            self._process = subprocess.Popen(
                [*program, *arguments],
                cwd=_ROOT,
                env={**environ, "LINK_ACTIONS_HTTP_PORT": "0", "LINK_ACTIONS_LOG_FORMAT": "json", **settings},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log if stderr is None else stderr,
            )
        self._lifeline: Lifeline | None = Lifeline(self._process.pid)

    def wait_ready(self, *, assigned: int | None = None, timeout: float = START_SECONDS) -> "Worker":
        """Return once /readyz is green and the worker has partitions: any, or as many as `assigned`."""
        wait_until(lambda: self._is_ready(assigned), self._described("ready worker"), timeout=timeout)
        return self

    def wait_assigned(self, number: int, *, timeout: float = START_SECONDS) -> "Worker":
        """Return once the group has assigned it that many partitions, restored or not."""
        what = self._described(f"worker with {number} partitions")
        wait_until(lambda: len(self.assigned()) == number, what, timeout=timeout)
        return self

    def wait_event(self, event: str, *, timeout: float = START_SECONDS) -> dict[str, Any]:
        """Return the first log line of this event, once there is one."""
        lines = wait_until(lambda: self.events(event), self._described(f"log line {event}"), timeout=timeout)
        return lines[0]

    def wait_exit(self, *, timeout: float = START_SECONDS) -> int:
        """Return the exit code, once the process has ended; that of a signal is negative."""
        wait_until(lambda: self._process.poll() is not None, self._described("end of the worker"), timeout=timeout)
        return self._ended()

    def stop(self, *, timeout: float = START_SECONDS) -> int:
        """End it as a supervisor does, and return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait_exit(timeout=timeout)

    def kill(self) -> None:
        """End it as a crash does; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        self._ended()

    def pause(self) -> None:
        """Freeze it."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def go_on(self) -> None:
        """Let a steered worker go on that has halted."""
        self._steer("")

    def steer(self, point: str, act: str) -> None:
        """Have a steered worker do this when it next reaches a point."""
        check_point(point)
        self._steer(f"{point} {act}")

    @property
    def process_id(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    @property
    def peak_mib(self) -> float:
        """Peak resident memory."""
        return self._mib("VmHWM")

    @property
    def resident_mib(self) -> float:
        """Resident memory now. Raises OSError if the process has ended."""
        return self._mib("VmRSS")

    @property
    def anonymous_mib(self) -> float:
        """Anonymous resident memory. Raises OSError if the process has ended."""
        return self._mib("RssAnon")

    @property
    def descriptors(self) -> int:
        """Number of open files and connections. Raises OSError if the process has ended."""
        return sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())

    @property
    def cpu_seconds(self) -> float:
        """CPU time of its threads so far, in user and system mode. Raises OSError if the process has ended."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """The standard error of the process so far."""
        with self.log_path.open("rb") as log:
            log.seek(self._start_of_log)
            return log.read().decode()

    @property
    def last_words(self) -> str:
        """The error message at exit; threads may still log after it."""
        said = [str(line["reason"]) for line in self.events("command.failed") if "reason" in line]
        lines = self.log.splitlines()
        bare = [line for line in lines if not line.startswith("{")]  # of a steered worker, whose test says it so
        return (said or bare or lines or [""])[-1]

    def bare_lines(self, *fields: str) -> list[str]:
        """Return the lines of its log that are no JSON object with all of these fields."""
        return [line for line in self.log.splitlines() if not set(fields) <= _object(line).keys()]

    def events(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of this event."""
        return [line for line in self._log_lines() if line.get("event") == event]

    def has_reached(self, point: str) -> bool:
        """Return whether a steered worker has reached this point of its cycle."""
        return any(line["point"] == point for line in self.events("point.reached"))

    def probe(self, path: str) -> tuple[int, dict[str, Any]]:
        """Query a probe; status 0 if there is no answer."""
        status, body = self._get(path)
        return status, json.loads(body) if body else {}

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return every sample: its name without `link_actions_`, then the values of its labels in their order."""
        status, body = self._get("/metrics")
        assert status == 200, f"/metrics answers {status}"
        return {
            (sample.name.removeprefix("link_actions_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

    def assigned(self) -> list[int]:
        """Return the partitions the worker says it has."""
        return list(self.probe("/readyz")[1].get("assigned", []))

    def _is_ready(self, assigned: int | None) -> bool:
        if not self.is_running:
            raise NeverCame(self._described("ready worker, for it ended")())
        status, answer = self.probe("/readyz")
        number = len(answer.get("assigned", []))
        return status == 200 and (number > 0 if assigned is None else number == assigned)

    def _get(self, path: str) -> tuple[int, bytes]:
        """Ask over HTTP, and keep the answer for the search that ends the run."""
        status, body = self._ask(path)
        self.log_path.with_name(f"{self.log_path.name}.{path.strip('/')}.page.log").write_bytes(body)
        return status, body

    def _ask(self, path: str) -> tuple[int, bytes]:
        started = self.events("http.started")
        if not started:
            return 0, b""
        try:
            with http_get(started[0]["port"], path, timeout_seconds=stretched(ANSWER_SECONDS)) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()
        except OSError:
            return 0, b""

    def _mib(self, field: str) -> float:
        """Return a field of proc_pid_status(5)."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        sizes = [int(line.split()[1]) / 1024 for line in lines if line.startswith(field)]
        if not sizes:
            raise ProcessLookupError("it has ended and waits to be noticed")
        return sizes[0]

    def _log_lines(self) -> Iterator[dict[str, Any]]:
        for line in self.log.splitlines():
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue  # it is just being written

    def _steer(self, line: str) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            stdin.write(f"{line}\n".encode())
            stdin.flush()

    def _ended(self) -> int:
        if self._lifeline is not None:
            self._lifeline.cut()
            self._lifeline = None
        if self._process.stdin is not None:
            self._process.stdin.close()
        return self._process.wait()

    def _described(self, what: str) -> Callable[[], str]:
        return lambda: f"{what}; the end of {self.log_path}:\n{self.log[-3000:]}"


def _object(line: str) -> dict[str, Any]:
    """Return the content of the line; empty if that is not a JSON object."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
