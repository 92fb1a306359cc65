"""The process of the sandbox, whose argument is the folder of the translated guest. It runs what comes on its input.

It loads everything it needs, locks itself, says that it is ready, and from then on only reads, runs and writes.
"""

import os
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from scripts.sandbox.host import Host
from scripts.sandbox.instance import CannotCompile, Instance
from scripts.sandbox.jail import lock
from scripts.sandbox.run import Outcome, ScriptRun
from scripts.sandbox.wire import READY, decode_runs, encode_outcomes, read_message

MAX_INSTANCES = 20
"""Scripts kept ready, some megabytes each; the one that was not run for longest makes room for another one."""


class Runner:
    """Runs scripts, each in an instance of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._instances: OrderedDict[str, Instance] = OrderedDict()

    def run(self, run: ScriptRun) -> Outcome:
        """Compile the script unless it is ready, and run it."""
        try:
            instance = self._instances.get(run.source) or self._open(run.source)
        except CannotCompile as error:
            return error.failure
        self._instances.move_to_end(run.source)
        return instance.run(run)

    def _open(self, source: str) -> Instance:
        instance = self._instances[source] = Instance(self._host, source)
        if len(self._instances) > MAX_INSTANCES:
            self._instances.popitem(last=False)[1].close()
        return instance


def prepare(cache: Path | None, runner_type: type[Runner] = Runner) -> Runner:
    """Return a runner that has loaded everything that running scripts needs: nothing can be loaded later."""
    runner = runner_type(Host(cache))
    runner.run(ScriptRun("console.log(Math.random(), new Date(), 'é'); throw new Error('warm')", "", 0, _NAMES))
    runner.run(ScriptRun("return (", "", 0, _NAMES))
    return runner


_NAMES: dict[str, Any] = {"linkUrl": None, "click": {}, "parameters": {}}


def serve(runner: Runner) -> None:
    """Run batches from standard input until it ends."""
    while True:
        try:
            body = read_message(lambda size: os.read(0, size))
        except EOFError:
            return
        _write_all(encode_outcomes([runner.run(run) for run in decode_runs(body)]))


def _write_all(message: bytes) -> None:
    left = memoryview(message)
    while left:
        left = left[os.write(1, left) :]


def serve_locked(runner_type: type[Runner] = Runner) -> None:
    """Prepare, lock and serve; a test may pass a runner with a fault."""
    runner = prepare(Path(sys.argv[1]) if sys.argv[1:] else None, runner_type)
    lock()
    _write_all(READY)
    serve(runner)
    os._exit(0)  # closing what is open would need more system calls than the lock allows
