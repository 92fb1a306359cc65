"""One worker as a child process, which may end at any moment."""

import os
import signal
import subprocess
import sys
from http import HTTPStatus
from queue import SimpleQueue

from consumer.supervisor.child import Child
from consumer.supervisor.merged_endpoints import livez
from consumer.supervisor.probe import query_workers
from tests.support.waiting import wait_until


class Fleeting(Child):
    """A child whose process has ended, and been forgotten by its thread, after one look at it."""

    _left: subprocess.Popen[bytes] | None

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__("host-1", {}, [], on_end=lambda _: None)
        self._process = process

    @property
    def _process(self) -> subprocess.Popen[bytes] | None:
        seen, self._left = self._left, None
        return seen

    @_process.setter
    def _process(self, process: subprocess.Popen[bytes] | None) -> None:
        self._left = process


def test_a_child_that_ends_at_the_moment_it_is_asked_about_does_no_harm() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    assert Fleeting(process).process_id == process.pid
    Fleeting(process).send(signal.SIGTERM)


TELLS_ITS_PORT = "import os, sys; bond = int(sys.argv[-1]); os.write(bond, b'4711\\n'); os.read(bond, 1)"


def test_a_child_that_waits_for_its_restart_has_no_port_so_that_the_supervisor_is_alive() -> None:
    """The port may be another program's by now."""
    ended: SimpleQueue[tuple[Child, int]] = SimpleQueue()
    program = (sys.executable, "-c", TELLS_ITS_PORT)
    child = Child("host-1", os.environ, [], on_end=ended.put, program=program)
    child.start()
    wait_until(lambda: child.port == 4711, "port of the child")
    child.send(signal.SIGTERM)
    assert ended.get(timeout=30) == (child, -signal.SIGTERM)
    assert (child.port, child.process_id) == (None, None)
    assert livez(query_workers([child], "/livez")).status == HTTPStatus.OK


def test_a_child_is_in_a_session_of_its_own() -> None:
    """Else an interrupt at the terminal would reach it twice, from the terminal and through the supervisor."""
    ended: SimpleQueue[tuple[Child, int]] = SimpleQueue()
    child = Child("host-1", os.environ, [], on_end=ended.put, program=(sys.executable, "-c", TELLS_ITS_PORT))
    child.start()
    assert child.process_id is not None
    assert os.getsid(child.process_id) == child.process_id
    child.send(signal.SIGKILL)
    assert ended.get(timeout=30) == (child, -signal.SIGKILL)
