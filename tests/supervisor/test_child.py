"""One worker as a child process, which may end at any moment."""

import signal
import subprocess
import sys

from consumer.supervisor.child import Child


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
