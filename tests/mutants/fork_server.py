"""Runs pytest again and again in forks of one process that has imported what takes long and never changes.

    python fork_server.py ROOT

Each line of standard input is a JSON list: seconds, and pytest's arguments. Each is answered by one of exit code and
output; the code is null where the time was over. Starting an interpreter and importing libraries would take longer than
most tests do. It imports nothing of ours, so that each fork imports the copy's present modules.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
from typing import IO, Any

import pytest

LIBRARIES = (
    *("cachetools", "confluent_kafka", "confluent_kafka.admin", "cryptography", "fastavro", "greenlet", "hypothesis"),
    *("numpy", "prometheus_client", "pydantic", "pydantic_settings", "pytest_timeout", "rich.console", "rocksdict"),
    *("structlog", "typer", "yaml", "_hypothesis_pytestplugin", "_pytest.junitxml", "_pytest.assertion.rewrite"),
)
_IMPORTED_BEFORE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""No assertion of these libraries is rewritten; none is needed."""
_LOOK_SECONDS = 0.02


def main(root: str) -> int:
    """Serve until standard input ends."""
    os.chdir(root)
    sys.path.insert(0, root)
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        seconds, arguments = json.loads(line)
        with tempfile.TemporaryFile("w+") as output:
            code = _run(seconds, arguments, output)
            output.seek(0)
            _say([code, output.read()])
    return 0


def _run(seconds: float, arguments: list[str], output: IO[str]) -> int | None:
    """Run pytest in a fork with its own session; a time-out ends it with all its processes."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        code = 3  # pytest's own for what goes wrong in itself
        try:
            code = pytest.main([*_IMPORTED_BEFORE, *arguments])
        finally:
            os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_LOOK_SECONDS)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _say(answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
