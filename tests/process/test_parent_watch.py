"""What a worker does when its supervisor is gone."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.errors import ExitCode
from tests.support.patience import stretched


@pytest.mark.parametrize("reads_the_port", [True, False])
def test_a_worker_ends_with_its_supervisor_even_if_that_never_read_its_port(
    tmp_path: Path, *, reads_the_port: bool
) -> None:
    ours, its = socket.socketpair()
    with its:
        bond = its.fileno()
        program = [sys.executable, "-m", "tests.supervisor.a_worker", "ignore", str(tmp_path / "starts")]
        environ = {**os.environ, "LINK_ACTIONS_INSTANCE_ID": "host-1"}
        worker = subprocess.Popen([*program, "--parent-fd", str(bond)], env=environ, pass_fds=(bond,))
    try:
        with ours:
            # What was peeked at is still unread, and to close a socket over it resets the connection.
            assert ours.recv(16, 0 if reads_the_port else socket.MSG_PEEK)
        assert worker.wait(timeout=stretched(30)) == ExitCode.UNEXPECTED
    finally:
        worker.kill()
        worker.wait()
