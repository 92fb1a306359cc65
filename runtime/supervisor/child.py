"""A worker as a child process."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO

from runtime.monitoring.log_stream import LogStream
from runtime.supervisor.child_log import forward_log

LOG_DRAIN_SECONDS = 2.0
"""Limit for reading the last lines of a worker that has ended; another process may keep its standard error open."""


class Child:
    """A worker process whose name survives restarts.

    `on_exit` is called on the child's own thread with its return code, negative for a signal.
    """

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        arguments: Sequence[str],
        *,
        on_exit: Callable[[tuple["Child", int]], None],
        program: Sequence[str],
        log: LogStream | None = None,
    ) -> None:
        """`log` receives the lines of its log; if there is none, the child inherits our standard error."""
        self.name = name
        self._log = log
        self.port: int | None = None
        """Its port on the loopback; None while it has none."""
        self._environ = environ
        self._command = [*program, *arguments]
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        """Start or restart it. It ends when this process ends.

        Raises OSError if the system has no process or file descriptor left.
        """
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as stack:
            stack.callback(ours.close)
            parent_fd = theirs.fileno()
            # In a new session, so that an interrupt at the terminal reaches it only through us, and once.
            self._process = subprocess.Popen(
                [*self._command, "--parent-fd", str(parent_fd)],
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stderr=None if self._log is None else subprocess.PIPE,
                pass_fds=(parent_fd,),
                start_new_session=True,
            )
            stack.pop_all()
        self._started_at = time.monotonic()
        threading.Thread(target=self._watch, args=(self._process, ours), name=self.name, daemon=True).start()

    @property
    def process_id(self) -> int | None:
        """The process id; None if it does not run."""
        process = self._process  # read once: the child's thread may clear it at any moment
        return None if process is None else process.pid

    @property
    def uptime_seconds(self) -> float:
        """Seconds since its last start."""
        return time.monotonic() - self._started_at

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        process = self._process  # read once: the child's thread may clear it at any moment
        if process is not None:
            process.send_signal(number)

    def _watch(self, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        reader = self._read_log(process.stderr)
        with ours, ours.makefile("rb") as ports:
            for line in ports:
                self.port = int(line)
            returncode = process.wait()
        if reader is not None:
            reader.join(LOG_DRAIN_SECONDS)
        self.port = self._process = None
        self._on_exit((self, returncode))

    def _read_log(self, lines: IO[bytes] | None) -> threading.Thread | None:
        if lines is None or self._log is None:
            return None
        reader = threading.Thread(
            target=_forward_all, args=(lines, self.name, self._log), name=f"log of {self.name}", daemon=True
        )
        reader.start()
        return reader


def _forward_all(lines: IO[bytes], instance: str, log: LogStream) -> None:
    with lines:
        forward_log(lines, instance, log)


def worker_environment(environ: Mapping[str, str], instance_id: str) -> dict[str, str]:
    """Return the environment of one worker: the supervisor's, with its own instance id."""
    overrides = {"LINK_ACTIONS_INSTANCE_ID": instance_id, "LINK_ACTIONS_HTTP_PORT": "0", "LINK_ACTIONS_WORKERS": "1"}
    return {**{name: value for name, value in environ.items() if name.upper() not in overrides}, **overrides}
