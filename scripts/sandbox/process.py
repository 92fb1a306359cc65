"""The worker's side of the sandbox: starts the process, sends it batches, and replaces it if it dies or is too slow."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.sandbox.run import FailureReason, Outcome, ScriptFailure, ScriptRun
from scripts.sandbox.wire import READY, decode_outcomes, encode_runs, read_message

START_SECONDS = 30.0
WALL_SECONDS = 2.0
"""Time that a batch may take besides that of its fuel. Fuel ends a run long before: only a broken sandbox takes it."""
_FUEL_PER_SECOND = 1_000_000_000
"""Slowest rate, a quarter of what was measured."""
_READ_BYTES = 1 << 20
_ROOT = str(Path(__file__).parents[2])
_CHILD = (
    sys.executable,
    "-I",
    "-c",
    f"import sys; sys.path.insert(0, {_ROOT!r}); from scripts.sandbox.child import serve_locked; serve_locked()",
)
"""Isolated from environment and working folder, it still loads the same code as this process."""


class SandboxFailed(Exception):
    """The process of the sandbox cannot be started; the message says what it wrote."""


class _Dead(Exception):
    """The process has ended, or had to be killed."""


class Sandbox:
    """Runs batches of scripts in a process of its own. `cache` is the folder of the translated guest."""

    def __init__(self, cache: Path | None = None, *, program: Sequence[str] = _CHILD) -> None:
        """A test may pass a `program` with a fault."""
        self._command = [*program, *([str(cache)] if cache else [])]
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        """Number of processes that had to be replaced."""

    def run(self, runs: Sequence[ScriptRun]) -> list[Outcome]:
        """Return an outcome for each run, in their order. Raises SandboxFailed.

        If the process dies, the batch is halved until the culprit is alone, and its outcome is `killed_child`.
        """
        if not runs:
            return []
        try:
            return self._exchange(runs)
        except _Dead:
            self.restarts += 1
        if len(runs) == 1:
            return [ScriptFailure(FailureReason.KILLED_CHILD)]
        middle = len(runs) // 2
        return [*self.run(runs[:middle]), *self.run(runs[middle:])]

    @property
    def process_id(self) -> int | None:
        """The id of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process unless it runs, and wait until it is ready. Raises SandboxFailed."""
        if self._process is None:
            self._process = self._started()

    def close(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _exchange(self, runs: Sequence[ScriptRun]) -> list[Outcome]:
        self.start()
        deadline = time.monotonic() + WALL_SECONDS + sum(run.fuel for run in runs) / _FUEL_PER_SECOND
        try:
            self._write(encode_runs(runs), deadline)
            outcomes = decode_outcomes(read_message(lambda size: self._read(size, deadline)))
        except (EOFError, OSError, ValueError, KeyError, TypeError, TimeoutError) as error:
            self.close()
            raise _Dead from error
        if len(outcomes) != len(runs):
            self.close()
            raise _Dead
        return outcomes

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            close_fds=True,
        )
        self._process = process
        deadline = time.monotonic() + START_SECONDS
        try:
            said = self._read(len(READY), deadline)
        except (OSError, TimeoutError):
            said = b""
        if said != READY:
            self._process = None
            process.kill()
            _, errors = process.communicate()
            last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise SandboxFailed(f"The sandbox cannot be started ({last[0]})")
        return process

    def _write(self, message: bytes, deadline: float) -> None:
        """Write it all, however full the pipe is. Raises OSError and TimeoutError."""
        descriptor = _descriptor(self._process, "stdin")
        os.set_blocking(descriptor, False)
        left = memoryview(message)
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:
                _wait([], [descriptor], deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        descriptor = _descriptor(self._process, "stdout")
        _wait([descriptor], [], deadline)
        return os.read(descriptor, min(size, _READ_BYTES))


def _descriptor(process: subprocess.Popen[bytes] | None, name: str) -> int:
    descriptor: int = getattr(process, name).fileno()
    return descriptor


def _wait(readable: list[int], writable: list[int], deadline: float) -> None:
    found = select.select(readable, writable, [], max(deadline - time.monotonic(), 0.0))
    if not any(found):
        raise TimeoutError
