"""A worker process may end at any moment."""

import os
import signal
import subprocess
import sys
from http import HTTPStatus
from queue import SimpleQueue

from runtime.supervisor.child import Child
from runtime.supervisor.merged_endpoints import livez
from runtime.supervisor.probe import query_workers
from tests.support.waiting import wait_until


class VanishingChild(Child):
    """A child whose thread clears its process after the first read."""

    _left: subprocess.Popen[bytes] | None

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__("host-1", {}, [], program=(), on_exit=lambda _: None)
        self._process = process

    @property
    def _process(self) -> subprocess.Popen[bytes] | None:
        process, self._left = self._left, None
        return process

    @_process.setter
    def _process(self, process: subprocess.Popen[bytes] | None) -> None:
        self._left = process


def test_child_may_end_while_it_is_read_or_signalled() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    assert VanishingChild(process).process_id == process.pid
    VanishingChild(process).send(signal.SIGTERM)


TELLS_ITS_PORT = "import os, sys; fd = int(sys.argv[-1]); os.write(fd, b'4711\\n'); os.read(fd, 1)"


def test_child_waiting_for_its_restart_has_no_port() -> None:
    """Its old port may belong to another program; without one, `/livez` stays green."""
    ended: SimpleQueue[tuple[Child, int]] = SimpleQueue()
    program = (sys.executable, "-c", TELLS_ITS_PORT)
    child = Child("host-1", os.environ, [], on_exit=ended.put, program=program)
    child.start()
    wait_until(lambda: child.port == 4711, "port of the child")
    child.send(signal.SIGTERM)
    assert ended.get(timeout=30) == (child, -signal.SIGTERM)
    assert (child.port, child.process_id) == (None, None)
    assert livez(query_workers([child], "/livez")).status == HTTPStatus.OK


def test_child_has_its_own_session() -> None:
    """Otherwise an interrupt at the terminal would reach it twice: from the terminal and through the supervisor."""
    ended: SimpleQueue[tuple[Child, int]] = SimpleQueue()
    child = Child("host-1", os.environ, [], on_exit=ended.put, program=(sys.executable, "-c", TELLS_ITS_PORT))
    child.start()
    assert child.process_id is not None
    assert os.getsid(child.process_id) == child.process_id
    child.send(signal.SIGKILL)
    assert ended.get(timeout=30) == (child, -signal.SIGKILL)
