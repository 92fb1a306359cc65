"""Waiting until a worker is ready: it has all partitions, and their state is restored."""

import json
import time

from bench.candidate import Running
from bench.environment import PARTITIONS
from bench.measure import NotDone
from runtime.monitoring.loopback import http_get

_LOOK_SECONDS = 0.02
_TIME_LIMIT_SECONDS = 600


def wait_until_ready(running: Running) -> None:
    """Ask the worker's own probe; raises NotDone."""
    deadline = time.monotonic() + _TIME_LIMIT_SECONDS
    while time.monotonic() < deadline:
        if running.processes[0].poll() is not None:
            raise NotDone("it ended before it was ready")
        if _is_ready(running):
            return
        time.sleep(_LOOK_SECONDS)
    raise NotDone(f"it is not ready after {_TIME_LIMIT_SECONDS} s")


def _is_ready(running: Running) -> bool:
    port = _port(running)
    if port is None:
        return False
    try:
        with http_get(port, "/readyz", timeout_seconds=5) as reply:
            return len(json.load(reply)["assigned"]) == PARTITIONS
    except OSError:  # 503 is one too
        return False


def _port(running: Running) -> int | None:
    """Return the port that the worker logged last, for one before it may have logged too; None before that."""
    lines = running.log.read_text(errors="replace").splitlines(keepends=True)
    told = [line for line in lines if line.endswith("\n") and "http.started" in line]
    return int(json.loads(told[-1])["port"]) if told else None
