"""A worker ends with its supervisor."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import ExitCode
from tests.support.patience import stretched


@pytest.mark.parametrize("reads_the_port", [True, False])
def test_worker_ends_with_its_supervisor(tmp_path: Path, *, reads_the_port: bool) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        parent_fd = theirs.fileno()
        program = [sys.executable, "-m", "tests.supervisor.a_worker", "ignore", str(tmp_path / "starts")]
        environ = {**os.environ, "LINK_ACTIONS_INSTANCE_ID": "host-1"}
        worker = subprocess.Popen([*program, "--parent-fd", str(parent_fd)], env=environ, pass_fds=(parent_fd,))
    try:
        with ours:
            # A peeked port is still unread, and closing a socket with unread data resets the connection.
            assert ours.recv(16, 0 if reads_the_port else socket.MSG_PEEK)
        assert worker.wait(timeout=stretched(30)) == ExitCode.UNEXPECTED
    finally:
        worker.kill()
        worker.wait()
