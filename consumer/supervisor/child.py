"""One worker as a child process: started, told to leave, killed, and heard of when it ends."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO

from consumer.monitoring.log_stream import LogStream
from consumer.supervisor.child_log import pass_on

WORKER = (sys.executable, "-m", "consumer.cli", "run")
LAST_LINES_SECONDS = 2.0
"""How long a worker's end waits for its last lines, which another process could hold up."""


class Child:
    """A worker under a name that each restart keeps.

    `on_end` is called from a thread of the child's own with the number that the system gave the end of the process,
    negative for a signal.
    """

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        arguments: Sequence[str],
        *,
        on_end: Callable[[tuple["Child", int]], None],
        program: Sequence[str] = WORKER,
        log: LogStream | None = None,
    ) -> None:
        """`log` gets the lines of its log; without, it writes to our standard error itself."""
        self.name = name
        self._log = log
        self.port: int | None = None
        """Where it answers on the loopback; None while it does not."""
        self._environ = environ
        self._command = [*program, *arguments]
        self._on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        """Start it, a first time or again. It ends when we do.

        Raises OSError where the system has no process or file descriptor to give.
        """
        ours, its = socket.socketpair()
        with its, ExitStack() as stack:
            stack.callback(ours.close)
            bond = its.fileno()
            # In a session of its own, so that an interrupt at the terminal reaches it through us, and once.
            self._process = subprocess.Popen(
                [*self._command, "--bond", str(bond)],
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stderr=None if self._log is None else subprocess.PIPE,
                pass_fds=(bond,),
                start_new_session=True,
            )
            stack.pop_all()
        self._started_at = time.monotonic()
        threading.Thread(target=self._watch, args=(self._process, ours), name=self.name, daemon=True).start()

    @property
    def process_id(self) -> int | None:
        """The number of the process, None where none runs."""
        process = self._process  # once: the child's thread forgets it at any moment
        return None if process is None else process.pid

    @property
    def lived_seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self._started_at

    def send(self, number: signal.Signals) -> None:
        """Send a signal; no harm where it does not run."""
        process = self._process  # once: the child's thread forgets it at any moment
        if process is not None:
            process.send_signal(number)

    def _watch(self, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        reader = self._read_log(process.stderr)
        with ours, ours.makefile("rb") as told:
            for line in told:
                self.port = int(line)
            returncode = process.wait()
        if reader is not None:
            reader.join(LAST_LINES_SECONDS)
        self.port = self._process = None
        self._on_end((self, returncode))

    def _read_log(self, lines: IO[bytes] | None) -> threading.Thread | None:
        if lines is None or self._log is None:
            return None
        reader = threading.Thread(
            target=_pass_on_all, args=(lines, self.name, self._log), name=f"log of {self.name}", daemon=True
        )
        reader.start()
        return reader


def _pass_on_all(lines: IO[bytes], instance: str, log: LogStream) -> None:
    with lines:
        pass_on(lines, instance, log)


def worker_environment(environ: Mapping[str, str], instance_id: str) -> dict[str, str]:
    """Return the environment of one worker: that of the supervisor, under an instance id of its own."""
    own = {"LINK_ACTIONS_INSTANCE_ID": instance_id, "LINK_ACTIONS_HTTP_PORT": "0", "LINK_ACTIONS_WORKERS": "1"}
    return {**{name: value for name, value in environ.items() if name.upper() not in own}, **own}
